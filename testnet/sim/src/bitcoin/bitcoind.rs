//! One node's bitcoind: the blocks that it has heard of, the tip that it follows, and its possible faults.

use std::collections::BTreeSet;

use bitcoin::BlockHash;
use bitcoin::block::Header;

use super::Bitcoin;

/// The fault of a bitcoind, if any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// It works correctly.
    #[default]
    Well,
    /// It stays at its tip and accepts no block.
    Stuck,
    /// It accepts blocks whose transactions break Bitcoin's rules.
    Credulous,
    /// It claims to follow a block that does not exist.
    Dreaming(BlockHash),
}

/// A header, as this bitcoind knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderInfo {
    /// The block header.
    pub header: Header,
    /// Height of the block.
    pub height: u32,
    /// Whether the block is on the active chain.
    pub active: bool,
}

/// One bitcoind. It is a separate process, so it survives crashes of its node.
#[derive(Clone, Debug)]
pub struct Bitcoind {
    known: BTreeSet<BlockHash>,
    tip: BlockHash,
    /// Its fault, if any.
    pub health: Health,
}

impl Bitcoind {
    /// Creates a bitcoind that knows the tree's present tip and all blocks below it.
    #[must_use]
    pub fn new(bitcoin: &Bitcoin) -> Self {
        let tip = bitcoin.rest_tip();
        let mut new = Self { known: BTreeSet::new(), tip, health: Health::Well };
        new.learn(tip, bitcoin);
        new
    }

    /// Returns the tip that it follows.
    #[must_use]
    pub fn tip(&self) -> BlockHash {
        match self.health {
            Health::Dreaming(tip) => tip,
            Health::Well | Health::Stuck | Health::Credulous => self.tip,
        }
    }

    /// Ends its fault. It then follows the same tip as other bitcoinds.
    pub fn recover(&mut self, bitcoin: &Bitcoin) {
        *self = Self { known: std::mem::take(&mut self.known), tip: bitcoin.rest_tip(), health: Health::Well };
        self.learn(self.tip, bitcoin);
    }

    /// Learns of a block and fetches its ancestors. Returns true if the tip moved.
    pub fn hear(&mut self, hash: BlockHash, bitcoin: &Bitcoin) -> bool {
        if self.health == Health::Stuck || !self.learn(hash, bitcoin) {
            return false;
        }
        let acceptable = self.health == Health::Credulous || bitcoin.block(&hash).is_some_and(|block| block.valid);
        let better = acceptable && bitcoin.chain_work(&hash) > bitcoin.chain_work(&self.tip);
        if better {
            self.tip = hash;
        }
        better
    }

    /// Adds a block and its ancestors. Returns false if the block is known.
    fn learn(&mut self, hash: BlockHash, bitcoin: &Bitcoin) -> bool {
        let mut at = hash;
        let mut new = false;
        while let Some(block) = bitcoin.block(&at)
            && self.known.insert(at)
        {
            new = true;
            at = block.header.prev_blockhash;
        }
        new
    }

    /// Returns what this bitcoind knows of a header.
    #[must_use]
    pub fn header(&self, hash: &BlockHash, bitcoin: &Bitcoin) -> Option<HeaderInfo> {
        let known = bitcoin.block(hash).filter(|_| self.known.contains(hash))?;
        let active = bitcoin.is_ancestor(hash, &self.tip);
        Some(HeaderInfo { header: known.header, height: bitcoin.height(hash), active })
    }

    /// Returns the known valid blocks that have as much work as the tip. The tip comes first.
    #[must_use]
    pub fn competing_tips(&self, bitcoin: &Bitcoin) -> Vec<BlockHash> {
        /// Number of blocks below the tip's height among which competitors are searched.
        const LOOK_BACK: usize = 8;
        if matches!(self.health, Health::Dreaming(_)) {
            return vec![self.tip()];
        }
        let work = bitcoin.chain_work(&self.tip);
        let others = bitcoin
            .newest(LOOK_BACK)
            .filter(|hash| *hash != self.tip && self.known.contains(hash) && bitcoin.chain_work(hash) == work);
        std::iter::once(self.tip).chain(others).collect()
    }
}
