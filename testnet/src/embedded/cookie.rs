//! The cookie file with RPC credentials. Like bitcoind, the server creates new ones at every start.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use bitcoin::hashes::{Hash, sha256};
use bitcoin::hex::DisplayHex;

/// User name in a cookie file.
const USER: &str = "__cookie__";

/// The credentials of one run.
#[derive(Clone)]
pub(crate) struct Cookie {
    /// The hash of the `Authorization` header that the server accepts. Comparing hashes leaks nothing through timing.
    accepted: sha256::Hash,
}

impl Cookie {
    /// Creates new credentials and writes them to `path`, readable only by the owner.
    pub(crate) fn write(path: &Path) -> io::Result<Self> {
        let mut random = [0; 32];
        std::fs::File::open("/dev/urandom")?.read_exact(&mut random)?;
        let credentials = format!("{USER}:{}", random.to_lower_hex_string());
        // Written to another file and renamed, so that readers never see a part.
        let aside = path.with_extension("new");
        let _ = std::fs::remove_file(&aside);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&aside)?;
        file.write_all(credentials.as_bytes())?;
        std::fs::rename(&aside, path)?;
        let header = format!("Basic {}", base64(credentials.as_bytes()));
        Ok(Self { accepted: sha256::Hash::hash(header.as_bytes()) })
    }

    /// Returns whether an `Authorization` header is correct.
    pub(super) fn accepts(&self, authorization: &[u8]) -> bool {
        sha256::Hash::hash(authorization) == self.accepted
    }
}

/// Encodes base64 of RFC 4648, as the `Authorization` header requires.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let value = (bits >> (18 - 6 * digit)) as usize & 0x3f;
            // A chunk of n bytes has n + 1 digits. The rest is padding.
            text.push(if digit <= chunk.len() { char::from(DIGITS[value]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests;
