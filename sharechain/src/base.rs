//! Base chunks: the data that a node keeps of main-chain links so deep that their lists are gone. A chain can start
//! from them without the proofs of those links.
//!
//! A chunk holds [`CHUNK_LINKS`] links, and the [`Start`] below them, so that any chunk may be the first. A chunk never
//! changes once its links are below the memory depth.

mod check;
mod encode;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bitcoin::pow::CompactTarget;
use bitcoin::{BlockHash, Script};

use crate::signals::Signals;
use crate::state::{Commitment, History, HistoryLink};
use crate::units::{Height, ShareId, Timestamp, U256, Weight, Work};

pub use check::{BaseCheck, BaseFault};
pub use encode::BaseError;
pub(crate) use encode::Reading;

/// Number of links in a chunk. Its scripts are stored once, so a small chunk costs more; a node starts from the last
/// whole chunk, so a large one makes it judge more proofs again.
pub const CHUNK_LINKS: u32 = 512;

/// The state that the links of a chunk continue.
#[derive(Clone, Debug)]
pub struct Start {
    /// Height of the link below the chunk.
    pub height: Height,
    /// Its id.
    pub id: ShareId,
    /// Its time.
    pub time: Timestamp,
    /// Its chain work.
    pub chain_work: Work,
    /// Number of proofs credited up to and including it.
    pub proofs: u64,
    /// All links up to and including it.
    pub history: History,
    /// Upgrade signals after it.
    pub signals: Signals,
}

impl Start {
    /// The state that the link above `link` continues. `proofs` is the number of proofs that `link` credits, itself
    /// included. `None` if a sum leaves its range.
    pub(crate) fn after<R>(&self, link: &BaseLink<R>, proofs: u64) -> Option<Self> {
        let (height, facts) = (self.height.child(), &link.facts);
        let proofs = self.proofs.checked_add(proofs)?;
        let chain_work = self.chain_work.plus(Work::of_target(facts.target));
        let leaf = HistoryLink {
            height,
            id: facts.id,
            target: facts.target,
            time: facts.time,
            chain_work,
            proofs,
            snapshot: link.snapshot,
        };
        let history = self.history.with(&leaf)?;
        let signals = self.signals.after(height, facts.signals);
        Some(Self { height, id: facts.id, time: facts.time, chain_work, proofs, history, signals })
    }
}

/// The facts that a link's own proof shows, once Bitcoin's headers and the links below are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkFacts {
    /// Id of the link.
    pub id: ShareId,
    /// Time in its share header.
    pub time: Timestamp,
    /// Height that it would have as a Bitcoin block.
    pub bitcoin_height: u32,
    /// Previous block in its Bitcoin header.
    pub previous_block: BlockHash,
    /// Chain work of that block, hashes.
    pub bitcoin_work: U256,
    /// nBits of the difficulty period of its Bitcoin header.
    pub bits: CompactTarget,
    /// Link target that it had to meet.
    pub target: U256,
    /// Upgrade bits that it sets.
    pub signals: u32,
}

/// A main-chain link with everything that later links need of it. Its rows name scripts, or only number them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseLink<R = Vec<BaseRow>> {
    /// The facts that its proof shows.
    pub facts: LinkFacts,
    /// Height of the snapshot that it pays by.
    pub snapshot: Height,
    /// The window that it pays by, as its state root commits to it.
    pub window: Commitment<Weight>,
    /// Its credits by script, ascending; its own included.
    pub rows: R,
}

/// Credit of one link to one script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseRow {
    /// Script that earned. A decoded chunk has each script once.
    pub script: Arc<Script>,
    /// Total weight of its credited proofs.
    pub weight: Weight,
    /// Number of its credited proofs.
    pub shares: u32,
}

/// Consecutive links of the main chain.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The state that they continue.
    pub start: Start,
    /// The links, ascending by height.
    pub links: Vec<BaseLink>,
}

impl Chunk {
    /// Number of the chunk that holds the link at `height`. Genesis is in none.
    #[must_use]
    pub fn number_of(height: Height) -> u32 {
        height.below(1).0.checked_div(CHUNK_LINKS).unwrap_or(0)
    }

    /// Heights of the first and the last link of a chunk. `None` beyond the range of heights.
    #[must_use]
    pub fn heights(number: u32) -> Option<(Height, Height)> {
        let below = number.checked_mul(CHUNK_LINKS)?;
        Some((Height(below.checked_add(1)?), Height(below.checked_add(CHUNK_LINKS)?)))
    }
}
