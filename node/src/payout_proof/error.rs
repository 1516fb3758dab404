//! Why there is no payout proof, or why it is not valid.

use std::io;
use std::path::PathBuf;

use sharechain::payout_proof::ProofFault;

/// Why there is no payout proof, or why it is not valid.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The file cannot be read.
    #[error("the file {path} cannot be read", path = path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// Cause from the system.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("the file {path} cannot be written", path = path.display())]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// Cause from the system.
        source: io::Error,
    },
    /// The file has neither bytes nor JSON of a proof.
    #[error("the file is neither a payout proof of Shoal nor one as JSON")]
    Json(serde_json::Error),
    /// A field of the JSON is not hex, or has the wrong length.
    #[error("`{0}` in the proof is not hex of the right length")]
    Hex(&'static str),
    /// A number in the JSON is not a number.
    #[error("`{0}` in the proof is not a whole number in decimal")]
    Number(&'static str),
    /// The version of the JSON is not known.
    #[error("the proof has version {0}, and this program knows version 1; install a newer one")]
    Version(u8),
    /// The pool is not known.
    #[error("the proof is about a pool that this program does not know, with the consensus id {consensus_id}")]
    UnknownPool {
        /// The consensus id, hex.
        consensus_id: String,
    },
    /// The proof does not hold.
    #[error("the proof is not valid")]
    Fault(#[from] ProofFault),
    /// A node sent a proof about something else.
    #[error("the node's answer is a proof about another address or another block; ask another node")]
    OtherQuestion,
}
