//! The node's keys, created once and kept on disk: an ed25519 key that identifies the node to peers, and a secp256k1
//! key that identifies it to miners of Stratum v2.

use std::path::{Path, PathBuf};
use std::{fs, io};

use ed25519_dalek::{SECRET_KEY_LENGTH, SigningKey};
use stratum::{Authority, NotAKey};

use crate::files;

/// Name of the file with the node's key in the data folder.
const FILE: &str = "identity.key";
/// Name of the file with the authority key for miners in the data folder.
const AUTHORITY_FILE: &str = "stratum.key";

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
        "{path} has {bytes} bytes, but a key has {SECRET_KEY_LENGTH}; restore it, or move it away to get a new one"
    )]
    Length {
        /// Path of the file.
        path: PathBuf,
        /// Its length, bytes.
        bytes: usize,
    },
    /// The file holds no key.
    #[error("{path} does not hold a key for miners; restore it, or move it away to get a new one")]
    NotAKey {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong with it.
        source: NotAKey,
    },
    /// The system has no random bytes.
    #[error("the system has no random bytes for a new key")]
    Random(#[source] getrandom::Error),
}

/// Reads the node's key, or creates one if there is none.
///
/// # Errors
/// See [`IdentityError`]; an existing file is never overwritten.
pub(crate) fn load(data_dir: &Path) -> Result<SigningKey, IdentityError> {
    let path = data_dir.join(FILE);
    let seed = match read_secret(&path)? {
        Some(seed) => seed,
        None => create(&path)?,
    };
    Ok(SigningKey::from_bytes(&seed))
}

/// Reads the key; none if there is none yet.
///
/// # Errors
/// As [`load`].
pub(crate) fn read(data_dir: &Path) -> Result<Option<SigningKey>, IdentityError> {
    Ok(read_secret(&data_dir.join(FILE))?.map(|seed| SigningKey::from_bytes(&seed)))
}

/// Reads the key that the node proves its identity with to miners of Stratum v2, or creates one if there is none.
///
/// # Errors
/// See [`IdentityError`]; an existing file is never overwritten.
pub(crate) fn load_authority(data_dir: &Path) -> Result<Authority, IdentityError> {
    let path = data_dir.join(AUTHORITY_FILE);
    let secret = match read_secret(&path)? {
        Some(secret) => secret,
        None => create(&path)?,
    };
    // One random number in 2^128 is not a key.
    Authority::from_secret(secret).map_err(|source| IdentityError::NotAKey { path, source })
}

/// Checks the key for miners, if there is one.
///
/// # Errors
/// As [`load_authority`].
pub(crate) fn check_authority(data_dir: &Path) -> Result<(), IdentityError> {
    let path = data_dir.join(AUTHORITY_FILE);
    let Some(secret) = read_secret(&path)? else { return Ok(()) };
    Authority::from_secret(secret).map(drop).map_err(|source| IdentityError::NotAKey { path, source })
}

/// Creates 32 secret bytes at random.
fn create(path: &Path) -> Result<[u8; SECRET_KEY_LENGTH], IdentityError> {
    let mut seed = [0; SECRET_KEY_LENGTH];
    getrandom::fill(&mut seed).map_err(IdentityError::Random)?;
    files::replace(path, &seed, files::PRIVATE)
        .map_err(|source| IdentityError::File { path: path.to_owned(), source })?;
    Ok(seed)
}

/// Reads 32 secret bytes; none if there is no such file.
fn read_secret(path: &Path) -> Result<Option<[u8; SECRET_KEY_LENGTH]>, IdentityError> {
    match fs::read(path) {
        Ok(bytes) => {
            let length = bytes.len();
            let seed = bytes.try_into().map_err(|_| IdentityError::Length { path: path.to_owned(), bytes: length })?;
            Ok(Some(seed))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(IdentityError::File { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests;
