//! Starting point of a tree of headers.

use bitcoin::block::Header;
use thiserror::Error;

use super::header::{BitcoinHeader, work};
use super::median::MEDIAN_SPAN;
use crate::params::BitcoinParams;
use crate::units::{ShareId, Timestamp, U256};

/// A trusted header, with the predecessors that are needed to judge its successors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Height of the last of `headers`.
    pub height: u32,
    /// Chain work from Bitcoin's genesis to the last of `headers`, both included, hashes.
    pub chain_work: U256,
    /// Consecutive headers in ascending order; the last is the root. They reach down to the start of the root's
    /// difficulty period and number at least 11, unless they start at genesis. Up to 10 headers more make all median
    /// times of the tree exact.
    pub headers: Vec<Header>,
}

/// Reason why a root cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RootError {
    /// The root has too few headers.
    #[error("the root at height {height} has {found} headers but needs {needed}")]
    TooFew {
        /// Height of the root.
        height: u32,
        /// Number of headers that the root has.
        found: usize,
        /// Number of headers that the root needs.
        needed: usize,
    },
    /// The headers do not follow one another, or there are more of them than the height allows.
    #[error("the headers of the root at height {0} are not a chain")]
    NotAChain(u32),
    /// The header at height 0 is not this network's genesis.
    #[error("the headers start with the genesis of another network")]
    OtherGenesis,
    /// The chain work is less than the work of the headers.
    #[error("the root's chain work is less than the work of its headers")]
    ChainWork,
}

/// A root whose headers are a chain.
pub(super) struct Base<'a> {
    /// The lowest header.
    pub(super) first: BitcoinHeader,
    /// The headers above it, in ascending order.
    pub(super) rest: &'a [Header],
}

impl Root {
    /// The genesis header of a network, as a root.
    #[must_use]
    pub fn genesis(params: &BitcoinParams) -> Self {
        let genesis = params.genesis();
        Self { height: 0, chain_work: work(&genesis), headers: vec![genesis] }
    }

    /// Number of headers that a root at `height` needs, including itself.
    #[must_use]
    pub fn headers_needed(height: u32, params: &BitcoinParams) -> u32 {
        let of_period = height.checked_rem(params.retarget_blocks).unwrap_or(0).saturating_add(1);
        of_period.max(MEDIAN_SPAN).min(height.saturating_add(1))
    }

    /// Checks that there are enough headers and that they form a chain. Splits off the first one.
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
