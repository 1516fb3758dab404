use super::*;

#[test]
fn what_is_restored_is_for_its_owner_alone_and_no_link_is_followed() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let outside = tempfile::NamedTempFile::new().unwrap();
    for (name, mode) in [("identity.key", 0o666), ("api-token", 0o644), ("x.unfinished", 0o600)] {
        fs::write(from.path().join(name), name).unwrap();
        fs::set_permissions(from.path().join(name), Permissions::from_mode(mode)).unwrap();
    }
    std::os::unix::fs::symlink(outside.path(), from.path().join("stratum.key")).unwrap();
    fs::write(to.path().join("api-token"), "an older and longer one").unwrap();
    let names = copy_files(from.path(), to.path(), |path| !path.is_symlink()).unwrap();
    assert_eq!(names, ["api-token", "identity.key"]);
    for name in names {
        let file = to.path().join(&name);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        assert_eq!(fs::read_to_string(file).unwrap(), name);
    }
    assert!(!to.path().join("stratum.key").exists());
    let all = copy_files(from.path(), to.path(), |_| true).unwrap();
    assert_eq!(all.len(), 3, "an owner's own links are part of a backup");
}
