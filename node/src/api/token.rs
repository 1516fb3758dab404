//! The token for what only the node's operator may see: workers of this node, and addresses of peers.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use axum::http::{HeaderMap, header};
use bitcoin::hashes::{Hash, sha256};
use bitcoin::hex::DisplayHex;

/// File name of the token in the node's data folder.
pub const TOKEN_FILE: &str = "api-token";

/// Random bytes of a new token.
const BYTES: usize = 16;

/// Hash of the token. Comparing hashes reveals nothing about the token by its timing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token(sha256::Hash);

impl Token {
    /// Reads the token from the data folder, or creates one that only the node's user can read.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn load(data_dir: &Path) -> io::Result<Self> {
        let path = data_dir.join(TOKEN_FILE);
        match Self::read(data_dir)? {
            Some(text) if !text.is_empty() => return Ok(Self::of(&text)),
            Some(_) => fs::remove_file(&path)?,
            None => {}
        }
        let mut random = [0; BYTES];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let text = random.to_lower_hex_string();
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        writeln!(file, "{text}")?;
        Ok(Self::of(&text))
    }

    /// The text in the file; none if there is no file. It may be empty.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(data_dir: &Path) -> io::Result<Option<String>> {
        match fs::read_to_string(data_dir.join(TOKEN_FILE)) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The token of a process without private data: no known text has this hash.
    pub(super) fn none() -> Self {
        Self(sha256::Hash::from_byte_array([0; 32]))
    }

    fn of(text: &str) -> Self {
        Self(sha256::Hash::hash(text.as_bytes()))
    }

    /// True if a request carries the token, as `Authorization: Bearer TOKEN`.
    pub(super) fn is_in(self, headers: &HeaderMap) -> bool {
        Self::given(headers) == Some(self)
    }

    /// True if a request carries another bearer token. Other schemes are for a proxy in front of this node.
    pub(super) fn is_wrong_in(self, headers: &HeaderMap) -> bool {
        Self::given(headers).is_some_and(|given| given != self)
    }

    fn given(headers: &HeaderMap) -> Option<Self> {
        let (scheme, text) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| Self::of(text.trim()))
    }
}

#[cfg(test)]
mod tests;
