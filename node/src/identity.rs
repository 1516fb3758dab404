//! The node's ed25519 key, created once and kept on disk. Peers know the node by it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ed25519_dalek::{SECRET_KEY_LENGTH, SigningKey};

/// Name of the file in the data folder.
const FILE: &str = "identity.key";

/// Why the key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file cannot be read or written.
    #[error("the node's key {path} cannot be read or written")]
    File {
        /// Path of the file.
        path: PathBuf,
        /// Cause from the system.
        source: io::Error,
    },
    /// The file does not have the length of a key.
    #[error(
        "{path} has {bytes} bytes, but a key has {SECRET_KEY_LENGTH}; restore it, or move it away to get a new identity"
    )]
    Length {
        /// Path of the file.
        path: PathBuf,
        /// Its length, bytes.
        bytes: usize,
    },
    /// The system has no random bytes.
    #[error("the system has no random bytes for a new key")]
    Random(#[source] getrandom::Error),
}

/// Reads the key, or creates one if there is none.
///
/// # Errors
/// See [`IdentityError`]; an existing file is never overwritten.
pub fn load(data_dir: &Path) -> Result<SigningKey, IdentityError> {
    if let Some(key) = read(data_dir)? {
        return Ok(key);
    }
    let path = data_dir.join(FILE);
    let mut seed = [0; SECRET_KEY_LENGTH];
    getrandom::fill(&mut seed).map_err(IdentityError::Random)?;
    write(&path, &seed).map_err(|source| IdentityError::File { path, source })?;
    Ok(SigningKey::from_bytes(&seed))
}

/// Reads the key; none if there is none yet.
///
/// # Errors
/// As [`load`].
pub fn read(data_dir: &Path) -> Result<Option<SigningKey>, IdentityError> {
    let path = data_dir.join(FILE);
    match fs::read(&path) {
        Ok(bytes) => {
            let length = bytes.len();
            let seed = bytes.try_into().map_err(|_| IdentityError::Length { path, bytes: length })?;
            Ok(Some(SigningKey::from_bytes(&seed)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(IdentityError::File { path, source }),
    }
}

/// Writes a new key to a temporary file and renames it, so that an incomplete key never exists under the final name.
fn write(path: &Path, seed: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(seed)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}
