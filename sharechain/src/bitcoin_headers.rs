//! Tree of Bitcoin headers. Each header is judged by Bitcoin's contextual rules: expected nBits, proof of work, median
//! time past, future limit, version.
//!
//! The tree starts at a [`Root`] that this node's bitcoind vouches for, and only grows. Each header in it cost the work
//! of a Bitcoin block, and none attached more than [`FORK_DEPTH_MAX`] blocks below the best header when it came. Memory therefore
//! grows no faster than Bitcoin does: about 280 bytes per header, 15 MB per year. On test networks, where a block of
//! minimum difficulty is cheap, it grows no faster than bitcoind's own tree of headers.

mod header;
mod median;
mod next;
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
use crate::units::{Timestamp, U256};

pub use header::BitcoinHeader;
pub use next::NextHeader;
pub use root::{Root, RootError};
pub use rules::HeaderError;

use header::work;
use tree::Tree;

/// Maximum depth below the best header at which a new header may attach, blocks. This is one difficulty period. No
/// Bitcoin fork has ever come near it, and a deeper fork would start at a difficulty that is cheap by now.
pub const FORK_DEPTH_MAX: u32 = 2_016;

/// Result of inserting a header that breaks no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// The header is now in the tree.
    New,
    /// The header was already in the tree.
    Known,
    /// The header cannot be judged yet. The tree did not store it.
    Held(HeldHeader),
}

/// Why a header cannot be judged yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldHeader {
    /// Its previous block is not in the tree.
    UnknownParent(BlockHash),
    /// Its time is too far ahead of the clock. From this time on, it can be inserted.
    TooEarly(Timestamp),
}

/// Tree of valid Bitcoin headers above a [`Root`].
#[derive(Clone, Debug)]
pub struct BitcoinHeaders {
    params: BitcoinParams,
    tree: Tree,
}

impl BitcoinHeaders {
    /// Creates a tree that holds only its root.
    ///
    /// # Errors
    /// The root's headers are not a chain, or are too few to judge the headers that follow.
    pub fn new(params: &BitcoinParams, root: &Root) -> Result<Self, RootError> {
        Ok(Self { params: params.clone(), tree: Tree::new(root.base(params)?) })
    }

    /// Judges a header and stores it if it is valid. `now` is the node's clock; it only decides which headers are held.
    ///
    /// # Errors
    /// The broken rule. The result is permanent, except for [`HeaderError::ForkTooDeep`], which depends on the order of
    /// arrival.
    pub fn insert(&mut self, header: Header, now: Timestamp) -> Result<Inserted, HeaderError> {
        self.insert_within(FORK_DEPTH_MAX, header, now)
    }

    /// The same for a header that this node has stored: meanwhile, Bitcoin may have grown by more than [`FORK_DEPTH_MAX`].
    ///
    /// # Errors
    /// The broken rule.
    pub fn restore(&mut self, header: Header, now: Timestamp) -> Result<Inserted, HeaderError> {
        self.insert_within(u32::MAX, header, now)
    }

    fn insert_within(&mut self, depth_max: u32, header: Header, now: Timestamp) -> Result<Inserted, HeaderError> {
        let hash = header.block_hash();
        if self.tree.find(&hash).is_some() {
            return Ok(Inserted::Known);
        }
        let Some((at, parent)) = self.tree.find(&header.prev_blockhash) else {
            return Ok(Inserted::Held(HeldHeader::UnknownParent(header.prev_blockhash)));
        };
        let height = parent.height.saturating_add(1);
        let depth = self.tree.best().height.saturating_sub(parent.height);
        if depth > depth_max {
            return Err(HeaderError::ForkTooDeep(depth));
        }
        let next = NextHeader::after(&self.tree, at, &self.params);
        next.check_bits(&header)?;
        rules::check_work(&header, &hash)?;
        next.check_time(&header)?;
        rules::check_version(&header, height, &self.params)?;
        let due = Timestamp(header.time.saturating_sub(BITCOIN_FUTURE_SECONDS));
        if due > now {
            return Ok(Inserted::Held(HeldHeader::TooEarly(due)));
        }
        let chain_work = parent.chain_work.saturating_add(work(&header));
        self.tree.push(hash, header, at, chain_work);
        Ok(Inserted::New)
    }

    /// A tree of the same headers with a higher root: the header at `height` on the best chain. Branches that fork
    /// below it are dropped.
    ///
    /// `None` if the tree does not have the header and the ones below it that a root needs.
    #[must_use]
    pub fn from_height(&self, height: u32) -> Option<Self> {
        let best = self.tree.best().header.block_hash();
        let (at, _) = self.tree.find(&best)?;
        let needed = Root::headers_needed(height, &self.params);
        let lowest = height.checked_sub(needed.checked_sub(1)?)?;
        let header_at = |height: u32| Some(self.tree.ancestor(at, height)?.header);
        let headers = (lowest..=height).map(header_at).collect::<Option<Vec<_>>>()?;
        let chain_work = self.tree.ancestor(at, height)?.chain_work;
        let mut fresh = Self::new(&self.params, &Root { height, chain_work, headers }).ok()?;
        for known in self.tree.above_root() {
            let hash = known.header.block_hash();
            if fresh.tree.find(&hash).is_none()
                && let Some((parent, _)) = fresh.tree.find(&known.header.prev_blockhash)
            {
                fresh.tree.push(hash, known.header, parent, known.chain_work);
            }
        }
        Some(fresh)
    }

    /// The root that the tree started from.
    #[must_use]
    pub fn root(&self) -> Root {
        let (root, headers) = self.tree.root();
        Root { height: root.height, chain_work: root.chain_work, headers }
    }

    /// Returns a header of the tree at or above the root, by its hash.
    #[must_use]
    pub fn get(&self, hash: &BlockHash) -> Option<&BitcoinHeader> {
        self.tree.find(hash).map(|(_, known)| known)
    }

    /// Header with the most work. On a tie, the one seen first.
    #[must_use]
    pub fn best(&self) -> &BitcoinHeader {
        self.tree.best()
    }

    /// Returns the ancestor of `hash` at `height`, which may be `hash` itself. Returns `None` if `hash` is unknown or
    /// below `height`, or if `height` is below the headers that came with the root. Takes O(log n) steps for a distance
    /// of n.
    #[must_use]
    pub fn ancestor(&self, hash: &BlockHash, height: u32) -> Option<BlockHash> {
        let (at, _) = self.tree.find(hash)?;
        let ancestor = self.tree.ancestor(at, height)?;
        Some(ancestor.header.block_hash())
    }

    /// Returns the chain work of the ancestor of `hash` at `height`, under the same conditions as [`Self::ancestor`].
    #[must_use]
    pub fn work_at(&self, hash: &BlockHash, height: u32) -> Option<U256> {
        let (at, _) = self.tree.find(hash)?;
        Some(self.tree.ancestor(at, height)?.chain_work)
    }

    /// Returns what Bitcoin expects of a child of `prev`.
    #[must_use]
    pub fn next(&self, prev: &BlockHash) -> Option<NextHeader> {
        let (at, _) = self.tree.find(prev)?;
        Some(NextHeader::after(&self.tree, at, &self.params))
    }

    /// Returns the nBits of the difficulty period of a child of `prev`. Bitcoin expects them in the child, unless the
    /// child's time gives it the easiest ([`NextHeader::bits`]).
    #[must_use]
    pub fn next_bits(&self, prev: &BlockHash) -> Option<CompactTarget> {
        self.next(prev).map(|next| next.period_bits)
    }

    /// Returns the median time past of `prev`. The time of a child must be above it.
    #[must_use]
    pub fn median_time(&self, prev: &BlockHash) -> Option<Timestamp> {
        self.get(prev).map(|known| known.median_time)
    }
}
