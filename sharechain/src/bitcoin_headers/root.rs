//! Where a tree of headers starts.

use bitcoin::block::Header;
use thiserror::Error;

use super::header::{BitcoinHeader, work};
use super::median::MEDIAN_SPAN;
use crate::params::BitcoinParams;
use crate::units::{ShareId, Timestamp, U256};

/// A header that somebody vouches for, and the predecessors without which its successors cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Height of the last of `headers`.
    pub height: u32,
    /// Work of the last of `headers` and all its ancestors, hashes.
    pub chain_work: U256,
    /// Consecutive headers in ascending order; the last is the root. They reach down to the start of the root's retarget
    /// period and hold at least 11, unless they start at genesis. A start up to 10 headers lower makes all median times
    /// of the tree exact.
    pub headers: Vec<Header>,
}

/// Why a root cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RootError {
    /// Too few headers.
    #[error("the root at height {height} comes with {found} headers, and {needed} are needed")]
    TooFew {
        /// Height of the root.
        height: u32,
        /// How many headers there are.
        found: usize,
        /// How many there must be.
        needed: usize,
    },
    /// Headers that are not each other's predecessors, or more of them than there are heights.
    #[error("the headers of the root at height {0} are not a chain")]
    NotAChain(u32),
    /// Another network's genesis.
    #[error("the chain of headers starts with another network's genesis")]
    OtherGenesis,
    /// A sum smaller than one of its parts.
    #[error("the root's chain work is less than that of the headers that come with it")]
    ChainWork,
}

/// A root whose headers are a chain.
pub(super) struct Base<'a> {
    /// The lowest header.
    pub(super) first: BitcoinHeader,
    /// Those above it, in ascending order.
    pub(super) rest: &'a [Header],
}

impl Root {
    /// The genesis of a network.
    #[must_use]
    pub fn genesis(params: &BitcoinParams) -> Self {
        let genesis = params.genesis();
        Self { height: 0, chain_work: work(&genesis), headers: vec![genesis] }
    }

    /// Headers that a root at `height` must come with, itself included.
    #[must_use]
    pub fn headers_needed(height: u32, params: &BitcoinParams) -> u32 {
        let of_period = height.checked_rem(params.retarget_blocks).unwrap_or(0).saturating_add(1);
        of_period.max(MEDIAN_SPAN).min(height.saturating_add(1))
    }

    /// Checks that the headers are enough and hang together, and takes them apart.
    pub(super) fn base(&self, params: &BitcoinParams) -> Result<Base<'_>, RootError> {
        let found = self.headers.len();
        let needed = usize::try_from(Self::headers_needed(self.height, params)).unwrap_or(usize::MAX);
        if found < needed {
            return Err(RootError::TooFew { height: self.height, found, needed });
        }
        let not_a_chain = RootError::NotAChain(self.height);
        let (first, rest) = self.headers.split_first().ok_or(not_a_chain)?;
        let below = u32::try_from(rest.len()).map_err(|_| not_a_chain)?;
        let lowest = self.height.checked_sub(below).ok_or(not_a_chain)?;
        if !self.headers.array_windows().all(|[prev, next]| next.prev_blockhash == prev.block_hash()) {
            return Err(not_a_chain);
        }
        if lowest == 0 && ShareId::from(first.block_hash()).0 != params.genesis_hash() {
            return Err(RootError::OtherGenesis);
        }
        let work_above = rest.iter().fold(U256::ZERO, |sum, header| sum.saturating_add(work(header)));
        let chain_work = self.chain_work.checked_sub(work_above).ok_or(RootError::ChainWork)?;
        let first = BitcoinHeader { header: *first, height: lowest, chain_work, median_time: Timestamp(first.time) };
        Ok(Base { first, rest })
    }
}
