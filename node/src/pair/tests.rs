use super::*;

const TOKEN: &str = "token-of-this-node";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(TOKEN_FILE), format!("{TOKEN}\n")).unwrap();
    folder
}

#[test]
fn a_code_gives_the_token_once_and_in_time() {
    let folder = folder();
    let dir = folder.path();
    let time = now().0;
    assert_eq!(redeem(dir, "", time).unwrap(), None, "there is no code");
    let first = new_code(dir).unwrap();
    let second = new_code(dir).unwrap();
    assert_eq!(redeem(dir, &first, time).unwrap(), None, "the second code took its place");
    assert_eq!(redeem(dir, "guess", time).unwrap(), None);
    assert_eq!(redeem(dir, &second, time + PAIR_S + 60).unwrap(), None, "it has ended");
    assert!(!dir.join(PAIRED_FILE).exists());
    assert_eq!(redeem(dir, &second, time).unwrap().as_deref(), Some(TOKEN), "wrong guesses do not use it up");
    assert_eq!(redeem(dir, &second, time).unwrap(), None, "it works once");
    assert!(dir.join(PAIRED_FILE).exists());
}

#[test]
fn the_code_is_readable_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    new_code(folder.path()).unwrap();
    let mode = fs::metadata(folder.path().join(CODE_FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
