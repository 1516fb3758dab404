//! A header of Bitcoin and what follows from its place.

use bitcoin::block::Header;

use crate::target;
use crate::units::{Timestamp, U256, Work};

/// A header that satisfies Bitcoin's rules, and what follows from its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitcoinHeader {
    /// The header.
    pub header: Header,
    /// Blocks between it and Bitcoin's genesis.
    pub height: u32,
    /// Work of it and all its ancestors, hashes.
    pub chain_work: U256,
    /// Median time of it and its ten predecessors, or as many as exist.
    pub median_time: Timestamp,
}

/// Expected hashes behind one header.
pub(super) fn work(header: &Header) -> U256 {
    let Work(work) = target::work_of_bits(header.bits);
    work
}
