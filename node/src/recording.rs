//! `shoal export`, `shoal import` and `shoal verify`: the share-chain as a recording, a file that anyone can verify;
//! see `specs/recording.md`.
//!
//! ```text
//! error.rs    errors of the three commands
//! export.rs   writes a journal to a file, with the claims of its chain
//! import.rs   reads a file into an empty journal, through every check
//! verify.rs   checks a file on its own: its claims against the rules
//! ```

pub(crate) mod error;
mod export;
mod import;
#[cfg(test)]
mod tests;
mod verify;

use std::path::Path;

use recording::Unverified;

use crate::error::NodeError;
use crate::store::{Store, StoreError};

pub use error::RecordingError;
pub use import::{Import, import};

pub(crate) use export::export;
pub(crate) use import::import_file;
pub(crate) use verify::verify;

/// The unverified part of a pruned node's recording.
fn not_shown(unverified: Unverified) -> String {
    let Unverified { below, by_roots_up_to } = unverified;
    format!(
        "the recording is of a pruned node: not verified are the links below height {below}, and up to height \
         {by_roots_up_to} the single shares and what the links' coinbases pay; the work of these links is verified, and \
         what they credited, by their state roots"
    )
}

/// Opens the database of a node, which must be stopped.
fn open_store(path: &Path, consensus_id: [u8; 32]) -> Result<Store, NodeError> {
    Store::open(path, consensus_id).map_err(|error| match error {
        StoreError::Locked { path } => RecordingError::Running { path }.into(),
        other => other.into(),
    })
}
