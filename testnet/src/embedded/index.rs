//! Every header that the embedded Bitcoin knows, and the active chain.
//!
//! This is pure bookkeeping for answers. Only the engine decides which blocks are valid and active.

use std::collections::{HashMap, HashSet};

use bitcoin::block::Header;
use bitcoin::pow::Work;
use bitcoin::{BlockHash, CompactTarget};

use crate::signet;

/// Number of blocks in the median time that a new block's time must exceed.
const MEDIAN_BLOCKS: usize = 11;

/// Validation state of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Only its header is known, and the header is valid.
    HeaderOnly,
    /// Stored, but never connected.
    Stored,
    /// Fully valid.
    Valid,
    /// Invalid, or a descendant of an invalid block.
    Invalid,
}

/// A block in the tree of headers.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The block header.
    pub header: Header,
    /// Distance from genesis.
    pub height: u32,
    /// Total work of the chain that ends here.
    pub chainwork: Work,
    /// Number of its transactions. 0 while only the header is known.
    pub transaction_count: usize,
    /// Its validation state.
    pub status: Status,
}

/// The tip of a branch, as `getchaintips` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChainTip {
    /// Hash of the tip.
    pub hash: BlockHash,
    /// Height of the tip.
    pub height: u32,
    /// Number of blocks between it and the active chain.
    pub branch_length: u32,
    /// Whether it is the tip of the active chain.
    pub active: bool,
    /// Its validation state.
    pub status: Status,
}

/// The tree of headers.
#[derive(Debug)]
pub(super) struct Index {
    entries: HashMap<BlockHash, Entry>,
    /// Hashes of the active chain, by height.
    active: Vec<BlockHash>,
}

impl Index {
    /// Creates a tree that holds only the genesis block.
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

    /// Adds a header below a known parent. A known header only changes its status. A header without a known parent is
    /// ignored.
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

    /// Replaces the active chain from height `from` on with `tail`.
    pub(super) fn set_active(&mut self, from: usize, tail: &[BlockHash]) {
        self.active.truncate(from);
        self.active.extend_from_slice(tail);
    }

    /// Returns the entry of a block.
    pub(super) fn get(&self, hash: &BlockHash) -> Option<&Entry> {
        self.entries.get(hash)
    }

    /// Returns the active chain's hash at a height.
    pub(super) fn at_height(&self, height: usize) -> Option<BlockHash> {
        self.active.get(height).copied()
    }

    /// Returns whether the block is on the active chain.
    pub(super) fn is_active(&self, hash: &BlockHash) -> bool {
        self.get(hash).is_some_and(|entry| self.at_height(entry.height as usize) == Some(*hash))
    }

    /// Returns the active chain's last block.
    pub(super) fn tip(&self) -> (BlockHash, &Entry) {
        let hash = *self.active.last().expect("genesis is always active");
        (hash, &self.entries[&hash])
    }

    /// Returns the height of the header with the most work that is not known to be invalid.
    pub(super) fn best_header_height(&self) -> u32 {
        let usable = self.entries.values().filter(|entry| entry.status != Status::Invalid);
        usable.max_by_key(|entry| entry.chainwork).map_or(0, |entry| entry.height)
    }

    /// Returns the median time of a block and its ancestors.
    pub(super) fn median_time(&self, hash: &BlockHash) -> u32 {
        let mut times: Vec<u32> = self.ancestry(hash).take(MEDIAN_BLOCKS).map(|entry| entry.header.time).collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or(0)
    }

    /// Returns the `nBits` that a child of this block must have.
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

    /// Returns the earliest time of a child of this block. It includes BIP-0094's rule for the first block of a period,
    /// which bitcoind's templates already follow.
    pub(super) fn min_time(&self, parent: &BlockHash) -> u32 {
        /// Seconds by which the first block of a period may precede its parent.
        const TIMEWARP_S: u32 = 600;
        let median = self.median_time(parent) + 1;
        match self.get(parent) {
            Some(entry) if (entry.height + 1).is_multiple_of(signet::RETARGET_BLOCKS) => {
                median.max(entry.header.time.saturating_sub(TIMEWARP_S))
            }
            _ => median,
        }
    }

    /// Returns the tips of all branches, highest first.
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

    /// Returns a block and its ancestors, newest first.
    fn ancestry(&self, hash: &BlockHash) -> impl Iterator<Item = &Entry> {
        std::iter::successors(self.get(hash), |entry| self.get(&entry.header.prev_blockhash))
    }
}

#[cfg(test)]
mod tests;
