//! Bitcoin's headers as a tree, each judged by the full contextual rules: expected nBits, proof of work, median time,
//! future limit, version.
//!
//! The tree starts at a [`Root`] that the node's own bitcoind vouches for and only grows. Every header in it cost the
//! work of a Bitcoin block, and none attaches more than [`FORK_DEPTH_MAX`] blocks below the best, so memory is bounded
//! by Bitcoin's own pace: about 280 bytes a header, 15 MB a year.

mod header;
mod median;
mod root;
mod rules;
#[cfg(test)]
mod tests;
mod tree;

use bitcoin::BlockHash;
use bitcoin::block::Header;
use bitcoin::pow::CompactTarget;

use crate::limits::BITCOIN_FUTURE_SECONDS;
use crate::params::BitcoinParams;
use crate::units::Timestamp;

pub use header::BitcoinHeader;
pub use root::{Root, RootError};
pub use rules::HeaderError;

use header::work;
use tree::Tree;

/// Blocks below the best header at which a new one may attach, at most. A retarget period: no branch of Bitcoin ever
/// came near that, and a deeper one would start at a difficulty that is cheap by now.
pub const FORK_DEPTH_MAX: u32 = 2_016;

/// What became of a header that breaks no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It is in the tree now.
    New,
    /// It was in the tree already.
    Known,
    /// It cannot be judged yet and was not kept.
    Held(HeldHeader),
}

/// Why a header cannot be judged yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldHeader {
    /// Its previous block is not in the tree.
    UnknownParent(BlockHash),
    /// Its time is too far ahead of the clock; from this moment on it is not.
    TooEarly(Timestamp),
}

/// The tree of headers.
#[derive(Clone, Debug)]
pub struct BitcoinHeaders {
    params: BitcoinParams,
    tree: Tree,
}

impl BitcoinHeaders {
    /// A tree that holds nothing but its root.
    ///
    /// # Errors
    /// When the root's headers are not a chain, or too few to judge what follows.
    pub fn new(params: &BitcoinParams, root: &Root) -> Result<Self, RootError> {
        Ok(Self { params: params.clone(), tree: Tree::new(root.base(params)?) })
    }

    /// Judges a header and keeps it when it is valid. `now` is the node's clock; it decides only what is held.
    ///
    /// # Errors
    /// The rule broken. None of them can heal, except for [`HeaderError::ForkTooDeep`], which depends on what came first.
    pub fn insert(&mut self, header: Header, now: Timestamp) -> Result<Inserted, HeaderError> {
        let hash = header.block_hash();
        if self.tree.find(&hash).is_some() {
            return Ok(Inserted::Known);
        }
        let Some((at, parent)) = self.tree.find(&header.prev_blockhash) else {
            return Ok(Inserted::Held(HeldHeader::UnknownParent(header.prev_blockhash)));
        };
        let height = parent.height.saturating_add(1);
        let depth = self.tree.best().height.saturating_sub(parent.height);
        if depth > FORK_DEPTH_MAX {
            return Err(HeaderError::ForkTooDeep(depth));
        }
        let expected = rules::next_bits(&self.tree, at, &self.params);
        if header.bits != expected {
            let (found, expected) = (header.bits.to_consensus(), expected.to_consensus());
            return Err(HeaderError::Bits { found, expected });
        }
        rules::check_work(&header, &hash)?;
        rules::check_time(&header, parent.median_time)?;
        rules::check_version(&header, height, &self.params)?;
        let due = Timestamp(header.time.saturating_sub(BITCOIN_FUTURE_SECONDS));
        if due > now {
            return Ok(Inserted::Held(HeldHeader::TooEarly(due)));
        }
        let chain_work = parent.chain_work.saturating_add(work(&header));
        self.tree.push(hash, header, at, chain_work);
        Ok(Inserted::New)
    }

    /// What the tree started from.
    #[must_use]
    pub fn root(&self) -> Root {
        let (root, headers) = self.tree.root();
        Root { height: root.height, chain_work: root.chain_work, headers }
    }

    /// A header of the tree, from the root upwards.
    #[must_use]
    pub fn get(&self, hash: &BlockHash) -> Option<&BitcoinHeader> {
        self.tree.find(hash).map(|(_, known)| known)
    }

    /// The header with the most work; the first seen of several.
    #[must_use]
    pub fn best(&self) -> &BitcoinHeader {
        self.tree.best()
    }

    /// The ancestor of `hash`, or itself, at `height`; none when `hash` is unknown or lower, or `height` lies below the
    /// headers that came with the root. Takes steps in proportion to the logarithm of the distance.
    #[must_use]
    pub fn ancestor(&self, hash: &BlockHash, height: u32) -> Option<BlockHash> {
        let (at, _) = self.tree.find(hash)?;
        let ancestor = self.tree.ancestor(at, height)?;
        Some(ancestor.header.block_hash())
    }

    /// The nBits that Bitcoin expects of a child of `prev`.
    #[must_use]
    pub fn next_bits(&self, prev: &BlockHash) -> Option<CompactTarget> {
        let (at, _) = self.tree.find(prev)?;
        Some(rules::next_bits(&self.tree, at, &self.params))
    }

    /// The time that a child of `prev` must exceed.
    #[must_use]
    pub fn median_time(&self, prev: &BlockHash) -> Option<Timestamp> {
        self.get(prev).map(|known| known.median_time)
    }

    /// Headers in the tree, root included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tree.len()
    }

    /// Never true: there is always a root.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
