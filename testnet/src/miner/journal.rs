//! A miner's journal: its proofs and the server's verdicts, one line of JSON each. It is the network's independent
//! record of shares.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bitcoin::BlockHash;
use serde::{Deserialize, Serialize};

/// A proof that was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Submit {
    /// Hash of its header. It is the id of the share, if the proof is one.
    pub id: BlockHash,
    /// The server's verdict.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Hashes that the miner had computed in total when the answer came.
    pub hashes: u64,
}

/// A server's verdict about a proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum Verdict {
    /// The server accepted it.
    Accepted,
    /// The server rejected it.
    Refused {
        /// Stratum's error code.
        code: i64,
        /// Stratum's error message.
        text: String,
    },
    /// The connection ended before an answer came.
    Unanswered,
}

/// A file with one line for each proof.
#[derive(Debug)]
pub struct Journal {
    file: Mutex<File>,
}

impl Journal {
    /// Opens the file, or creates it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file: Mutex::new(file) })
    }

    /// Appends a line. A full disk is logged and does not stop the miner.
    pub(super) fn write(&self, submit: &Submit) {
        let line = serde_json::to_string(submit).map(|json| format!("{json}\n"));
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = line.map_err(io::Error::from).and_then(|line| file.write_all(line.as_bytes()));
        if let Err(error) = written {
            tracing::error!(%error, "cannot write the journal");
        }
    }
}

/// Reads a journal. Skips an incomplete last line, which a killed miner may leave. A missing file means that nothing
/// was sent.
///
/// # Errors
/// If the file exists and cannot be read.
pub fn read_submits(path: &Path) -> io::Result<Vec<Submit>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests;
