//! Every header the embedded Bitcoin knows, and which of them are the active chain.
//!
//! Pure bookkeeping for answers: what is valid and what is active is the engine's word alone.

use std::collections::{HashMap, HashSet};

use bitcoin::block::Header;
use bitcoin::pow::Work;
use bitcoin::{BlockHash, CompactTarget};

use crate::signet;

/// Blocks whose times make up the median that a new block's time must exceed.
const MEDIAN_BLOCKS: usize = 11;

/// How much is known of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Only its header, which is valid.
    HeaderOnly,
    /// Stored, but never connected.
    Stored,
    /// Fully valid.
    Valid,
    /// Invalid, or on an invalid block.
    Invalid,
}

/// A block in the tree of headers.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Its header.
    pub header: Header,
    /// Distance from genesis.
    pub height: u32,
    /// Work of the chain that ends here.
    pub chainwork: Work,
    /// Its transactions, 0 while only the header is known.
    pub transaction_count: usize,
    /// How much is known of it.
    pub status: Status,
}

/// The tip of a branch, as `getchaintips` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChainTip {
    /// Its hash.
    pub hash: BlockHash,
    /// Its height.
    pub height: u32,
    /// Blocks between it and the active chain.
    pub branch_length: u32,
    /// Whether it is the active chain's.
    pub active: bool,
    /// How much is known of it.
    pub status: Status,
}

/// The tree of headers.
#[derive(Debug)]
pub(super) struct Index {
    entries: HashMap<BlockHash, Entry>,
    /// Hashes of the active chain by height.
    active: Vec<BlockHash>,
}

impl Index {
    /// A tree of the genesis block alone.
    pub(super) fn new() -> Self {
        let genesis = signet::genesis();
        let entry = Entry {
            header: genesis.header,
            height: 0,
            chainwork: genesis.header.work(),
            transaction_count: genesis.txdata.len(),
            status: Status::Valid,
        };
        let hash = genesis.block_hash();
        Self { entries: HashMap::from([(hash, entry)]), active: vec![hash] }
    }

    /// Adds a header below a known parent; a known header only changes its status. Without a parent
    /// nothing happens.
    pub(super) fn insert(&mut self, header: Header, transaction_count: usize, status: Status) {
        let hash = header.block_hash();
        if let Some(known) = self.entries.get_mut(&hash) {
            known.transaction_count = known.transaction_count.max(transaction_count);
            if known.status != Status::Valid {
                known.status = status;
            }
            return;
        }
        let Some(parent) = self.entries.get(&header.prev_blockhash) else { return };
        let entry = Entry {
            header,
            height: parent.height + 1,
            chainwork: parent.chainwork + header.work(),
            transaction_count,
            status,
        };
        self.entries.insert(hash, entry);
    }

    /// Makes `tail` the active chain from height `from` on.
    pub(super) fn set_active(&mut self, from: usize, tail: &[BlockHash]) {
        self.active.truncate(from);
        self.active.extend_from_slice(tail);
    }

    /// The entry of a block.
    pub(super) fn get(&self, hash: &BlockHash) -> Option<&Entry> {
        self.entries.get(hash)
    }

    /// The active chain's hash at a height.
    pub(super) fn at_height(&self, height: usize) -> Option<BlockHash> {
        self.active.get(height).copied()
    }

    /// Whether the block is on the active chain.
    pub(super) fn is_active(&self, hash: &BlockHash) -> bool {
        self.get(hash).is_some_and(|entry| self.at_height(entry.height as usize) == Some(*hash))
    }

    /// The active chain's last block.
    pub(super) fn tip(&self) -> (BlockHash, &Entry) {
        let hash = *self.active.last().expect("genesis is always active");
        (hash, &self.entries[&hash])
    }

    /// Height of the header with most work that is not known to be invalid.
    pub(super) fn best_header_height(&self) -> u32 {
        let usable = self.entries.values().filter(|entry| entry.status != Status::Invalid);
        usable.max_by_key(|entry| entry.chainwork).map_or(0, |entry| entry.height)
    }

    /// The median time of a block and its ancestors.
    pub(super) fn median_time(&self, hash: &BlockHash) -> u32 {
        let mut times: Vec<u32> = self.ancestry(hash).take(MEDIAN_BLOCKS).map(|entry| entry.header.time).collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or(0)
    }

    /// The `nBits` that a child of this block must carry.
    pub(super) fn next_bits(&self, parent: &BlockHash) -> CompactTarget {
        let Some(entry) = self.get(parent) else {
            return CompactTarget::from_consensus(signet::POW_LIMIT_BITS);
        };
        let height = entry.height + 1;
        let bits = entry.header.bits.to_consensus();
        if !height.is_multiple_of(signet::RETARGET_BLOCKS) {
            return entry.header.bits;
        }
        let first = self.ancestry(parent).nth(signet::RETARGET_BLOCKS as usize - 1);
        let first_time = first.map_or(0, |first| first.header.time);
        let next = signet::next_bits(height, bits, first_time, entry.header.time);
        CompactTarget::from_consensus(next)
    }

    /// The earliest time that a child of this block may carry, with BIP-0094's rule for the first
    /// block of a period, which bitcoind's templates already keep.
    pub(super) fn min_time(&self, parent: &BlockHash) -> u32 {
        /// How far the first block of a period may go back behind its parent, in seconds.
        const TIMEWARP_S: u32 = 600;
        let median = self.median_time(parent) + 1;
        match self.get(parent) {
            Some(entry) if (entry.height + 1).is_multiple_of(signet::RETARGET_BLOCKS) => {
                median.max(entry.header.time.saturating_sub(TIMEWARP_S))
            }
            _ => median,
        }
    }

    /// The tips of all branches, the highest first.
    pub(super) fn chain_tips(&self) -> Vec<ChainTip> {
        let inactive = || self.entries.iter().filter(|(hash, _)| !self.is_active(hash));
        let parents: HashSet<BlockHash> = inactive().map(|(_, entry)| entry.header.prev_blockhash).collect();
        let (active, _) = self.tip();
        let mut tips: Vec<ChainTip> = inactive()
            .map(|(hash, _)| *hash)
            .filter(|hash| !parents.contains(hash))
            .chain([active])
            .filter_map(|hash| self.chain_tip(hash))
            .collect();
        tips.sort_by_key(|tip| (std::cmp::Reverse(tip.height), tip.hash));
        tips
    }

    fn chain_tip(&self, hash: BlockHash) -> Option<ChainTip> {
        let entry = self.get(&hash)?;
        let outside = |entry: &&Entry| !self.is_active(&entry.header.block_hash());
        let branch_length = self.ancestry(&hash).take_while(outside).count() as u32;
        Some(ChainTip { hash, height: entry.height, branch_length, active: branch_length == 0, status: entry.status })
    }

    /// A block and its ancestors, the youngest first.
    fn ancestry(&self, hash: &BlockHash) -> impl Iterator<Item = &Entry> {
        std::iter::successors(self.get(hash), |entry| self.get(&entry.header.prev_blockhash))
    }
}

#[cfg(test)]
mod tests;
