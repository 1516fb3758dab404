//! Records a simulated node's share-chain: the contents of its disk, and the claims of its chain. The model replays it
//! by the specification alone; see `specs/recording.md`.

use std::io::Write;

use node_core::export::{ExportError, write};

use super::full::SimNode;
use super::full::disk::DiskError;
use super::world::World;

/// An error while recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// No node runs at the end.
    #[error("no node runs at the end of the simulation, so there is nothing to record")]
    NoNode,
    /// The recording cannot be exported.
    #[error(transparent)]
    Export(#[from] ExportError<DiskError>),
    /// The file cannot be created.
    #[error("cannot write the recording")]
    Io(#[from] std::io::Error),
}

/// Writes the recording of the node with the highest chain. Of several, it is the node with the longest journal, which
/// saw the most branches. Returns the number of lines.
///
/// # Errors
/// If no node runs, or `to` cannot be written.
pub fn record(world: &mut World<SimNode>, about: &str, to: impl Write) -> Result<u64, RecordError> {
    let rank = |node: &SimNode| Some((node.chain()?.height(), node.disk().journal_len()));
    let best = (0..world.nodes.len()).max_by_key(|index| (rank(&world.nodes[*index]), usize::MAX - index));
    let node = best.map(|index| &mut world.nodes[index]).ok_or(RecordError::NoNode)?;
    let disk = node.shared_disk();
    let chain = node.chain_mut().ok_or(RecordError::NoNode)?;
    let root = chain.bitcoin().root();
    Ok(write(&*disk, chain, root, &[], Some(about), to)?)
}
