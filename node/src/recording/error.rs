//! Why a recording cannot be exported, imported or verified, with advice for the operator.

use std::io;
use std::path::PathBuf;

use recording::{ReadError, WriteError};
use sharechain::ShareId;

/// Why a recording cannot be exported, imported or verified.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be opened or created.
    #[error("the file {} cannot be opened or created", path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// Cause from the system.
        source: io::Error,
    },
    /// The file is not a recording.
    #[error("{} is not a recording that this version can read", path.display())]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// Cause from the reader.
        source: ReadError,
    },
    /// The recording cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The database lacks something that a recording begins with.
    #[error("the database lacks {0}, which a recording begins with; check it with `shoal db check`")]
    Lacks(String),
    /// The node is running.
    #[error("the database {} is in use; stop the node first", path.display())]
    Running {
        /// Path of the database.
        path: PathBuf,
    },
    /// The database has no proofs.
    #[error("the database has no proofs yet, so there is nothing to export")]
    Nothing,
    /// The database is not empty.
    #[error("the database {} is not empty; import into another `data_dir`", path.display())]
    NotEmpty {
        /// Path of the database.
        path: PathBuf,
    },
    /// The recording is of another share-chain.
    #[error("the recording belongs to another share-chain ({found}, not {expected}); check `network`")]
    OtherNetwork {
        /// Genesis id of the recording.
        found: ShareId,
        /// This node's.
        expected: ShareId,
    },
    /// The recording starts from another Bitcoin block than this node's share-chain.
    #[error(
        "the recording starts from Bitcoin block {found}, but this node from {expected}, so it cannot be imported here"
    )]
    OtherRoot {
        /// Bitcoin block of the recording.
        found: ShareId,
        /// This node's.
        expected: ShareId,
    },
    /// The recording deviates from the rules.
    #[error("the recording deviates from the rules in {0} places")]
    Differs(usize),
}
