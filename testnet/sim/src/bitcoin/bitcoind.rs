//! One node's bitcoind: the blocks that it has heard of, the tip that it follows, and how it may be unwell.

use std::collections::BTreeSet;

use bitcoin::BlockHash;
use bitcoin::block::Header;

use super::Bitcoin;

/// What is wrong with a bitcoind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// Nothing.
    #[default]
    Well,
    /// It stays where it is and takes no block.
    Stuck,
    /// It takes blocks whose transactions break Bitcoin's rules.
    Credulous,
    /// It claims to follow a block that nobody ever found.
    Dreaming(BlockHash),
}

/// A header as the bitcoind knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderInfo {
    /// The header.
    pub header: Header,
    /// Its height.
    pub height: u32,
    /// Whether it is on the active chain.
    pub active: bool,
}

/// One bitcoind. It is a process of its own: it outlives the node's crashes.
#[derive(Clone, Debug)]
pub struct Bitcoind {
    known: BTreeSet<BlockHash>,
    tip: BlockHash,
    /// How it is.
    pub health: Health,
}

impl Bitcoind {
    /// A bitcoind that knows the tree's present tip and what is below.
    #[must_use]
    pub fn new(bitcoin: &Bitcoin) -> Self {
        let tip = bitcoin.rest_tip();
        let mut new = Self { known: BTreeSet::new(), tip, health: Health::Well };
        new.learn(tip, bitcoin);
        new
    }

    /// The tip that it follows.
    #[must_use]
    pub fn tip(&self) -> BlockHash {
        match self.health {
            Health::Dreaming(tip) => tip,
            Health::Well | Health::Stuck | Health::Credulous => self.tip,
        }
    }

    /// It is well again and follows what everybody else does.
    pub fn recover(&mut self, bitcoin: &Bitcoin) {
        *self = Self { known: std::mem::take(&mut self.known), tip: bitcoin.rest_tip(), health: Health::Well };
        self.learn(self.tip, bitcoin);
    }

    /// Hears of a block, and fetches what leads to it. True when the tip moved.
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

    /// Notes a block with its ancestors; false when it knew it.
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

    /// What it knows of a header.
    #[must_use]
    pub fn header(&self, hash: &BlockHash, bitcoin: &Bitcoin) -> Option<HeaderInfo> {
        let known = bitcoin.block(hash).filter(|_| self.known.contains(hash))?;
        let active = bitcoin.is_ancestor(hash, &self.tip);
        Some(HeaderInfo { header: known.header, height: bitcoin.height(hash), active })
    }

    /// Known valid blocks with the work of the tip, the tip first.
    #[must_use]
    pub fn competing_tips(&self, bitcoin: &Bitcoin) -> Vec<BlockHash> {
        /// Blocks below the tip's height among which competitors are looked for.
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
