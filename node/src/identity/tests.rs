use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{AUTHORITY_FILE, IdentityError, load_authority};

#[test]
fn the_key_for_miners_is_made_once_and_nobody_else_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    let key = load_authority(folder.path()).unwrap().public_key_text();
    let path = folder.path().join(AUTHORITY_FILE);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(load_authority(folder.path()).unwrap().public_key_text(), key);
    assert_ne!(load_authority(tempfile::tempdir().unwrap().path()).unwrap().public_key_text(), key);
    fs::write(&path, [0; 32]).unwrap();
    let error = load_authority(folder.path()).unwrap_err();
    assert!(matches!(error, IdentityError::NotAKey { .. }) && error.to_string().contains("move it away"), "{error}");
    fs::write(&path, [0; 31]).unwrap();
    assert!(matches!(load_authority(folder.path()), Err(IdentityError::Length { bytes: 31, .. })));
    assert_eq!(fs::read(&path).unwrap(), [0; 31], "an existing file is never overwritten");
}
