//! A simulated node's share-chain as a recording: what its disk holds, and what its chain claims. The model replays it by
//! the specification alone; see `specs/recording.md`.

use std::io::Write;

use node_core::export::{ExportError, write};

use super::full::SimNode;
use super::full::disk::DiskError;
use super::world::World;

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// No node runs at the end.
    #[error("no node runs at the end of the simulation, so that there is nothing to record")]
    NoNode,
    /// It was not written.
    #[error(transparent)]
    Export(#[from] ExportError<DiskError>),
    /// The file cannot be made.
    #[error("the recording cannot be written")]
    Io(#[from] std::io::Error),
}

/// Writes the recording of the node with the highest chain; of several, the one with the longest journal, which saw most
/// branches. Returns the number of lines.
///
/// # Errors
/// No node runs, or `to` does not take it.
pub fn record(world: &mut World<SimNode>, about: &str, to: impl Write) -> Result<u64, RecordError> {
    let rank = |node: &SimNode| Some((node.chain()?.height(), node.disk().journal_len()));
    let best = (0..world.nodes.len()).max_by_key(|index| (rank(&world.nodes[*index]), usize::MAX - index));
    let node = best.map(|index| &mut world.nodes[index]).ok_or(RecordError::NoNode)?;
    let disk = node.shared_disk();
    let chain = node.chain_mut().ok_or(RecordError::NoNode)?;
    Ok(write(&*disk, chain, Some(about), to)?)
}
