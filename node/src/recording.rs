//! `shoal export`, `shoal import` and `shoal verify`: the share-chain as a recording, a file that anybody can check; see
//! `specs/recording.md`.
//!
//! ```text
//! export.rs   from a journal to a file, with what its chain claims
//! import.rs   from a file into an empty journal, through every check
//! verify.rs   a file by itself: what it claims against what the rules say
//! ```

mod export;
mod import;
#[cfg(test)]
mod tests;
mod verify;

use std::io;
use std::path::{Path, PathBuf};

use recording::{ReadError, WriteError};
use sharechain::ShareId;

use crate::error::NodeError;
use crate::store::{Store, StoreError};

pub use import::{Import, import};

pub(crate) use export::export;
pub(crate) use import::import_file;
pub(crate) use verify::verify;

/// Why there is no recording, or why it was not taken.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be opened or made.
    #[error("the file {} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is no recording.
    #[error("{} is no recording that this program reads", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ReadError,
    },
    /// It was not written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The node runs.
    #[error("the database {} is in use; stop the node first", path.display())]
    Running {
        /// The database.
        path: PathBuf,
    },
    /// The node has no proofs.
    #[error("the database holds no proofs yet: there is nothing to export")]
    Nothing,
    /// The database is not empty.
    #[error("the database {} holds records already; import into another `data_dir`", path.display())]
    NotEmpty {
        /// The database.
        path: PathBuf,
    },
    /// The recording is of another share-chain.
    #[error("the recording is of another share-chain ({found}, not {expected}); check `network`")]
    OtherNetwork {
        /// Its consensus id.
        found: ShareId,
        /// Ours.
        expected: ShareId,
    },
    /// It starts from a Bitcoin block that the own bitcoind does not start from.
    #[error("the recording starts from Bitcoin block {found} and this node from {expected}: it cannot be judged here")]
    OtherRoot {
        /// Its Bitcoin block.
        found: ShareId,
        /// Ours.
        expected: ShareId,
    },
    /// It says what the rules do not.
    #[error("the recording differs from the rules in {0} places")]
    Differs(usize),
}

/// Opens the database of a node that must not run.
fn open_store(path: &Path, consensus_id: [u8; 32]) -> Result<Store, NodeError> {
    Store::open(path, consensus_id).map_err(|error| match error {
        StoreError::Locked { path } => RecordingError::Running { path }.into(),
        other => other.into(),
    })
}
