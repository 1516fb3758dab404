//! What a miner sent and what it was told: a line of JSON each, the network's independent account of its shares.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bitcoin::BlockHash;
use serde::{Deserialize, Serialize};

/// A proof that was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Submit {
    /// Hash of its header: the id of the share, if it is one.
    pub id: BlockHash,
    /// What became of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Hashes that the miner had computed in all when the answer came.
    pub hashes: u64,
}

/// What a server said to a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum Verdict {
    /// It took it.
    Accepted,
    /// It refused it.
    Refused {
        /// Stratum's error code.
        code: i64,
        /// The server's words.
        text: String,
    },
    /// The connection ended before an answer came.
    Unanswered,
}

/// A file that grows by a line for each proof.
#[derive(Debug)]
pub struct Journal {
    file: Mutex<File>,
}

impl Journal {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file: Mutex::new(file) })
    }

    /// Adds a line; a full disk is told in the log, and does not stop the miner.
    pub(super) fn write(&self, submit: &Submit) {
        let line = serde_json::to_string(submit).map(|json| format!("{json}\n"));
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = line.map_err(io::Error::from).and_then(|line| file.write_all(line.as_bytes()));
        if let Err(error) = written {
            tracing::error!(%error, "the journal cannot be written");
        }
    }
}

/// Reads a journal; a last line that a killed miner left half written is passed over.
///
/// # Errors
/// The file is there and cannot be read. Without the file, nothing was sent.
pub fn read_submits(path: &Path) -> io::Result<Vec<Submit>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
