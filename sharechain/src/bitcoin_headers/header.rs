//! A Bitcoin header with the values that follow from its position.

use bitcoin::block::Header;

use crate::target;
use crate::units::{Timestamp, U256, Work};

/// A valid Bitcoin header with the values that follow from its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitcoinHeader {
    /// The header.
    pub header: Header,
    /// Height of its block.
    pub height: u32,
    /// Chain work from Bitcoin's genesis to this header, both included, hashes.
    pub chain_work: U256,
    /// Median time of this header and its ten predecessors, or as many as exist.
    pub median_time: Timestamp,
}

/// Work of one header, expected hashes.
pub(super) fn work(header: &Header) -> U256 {
    let Work(work) = target::work_of_bits(header.bits);
    work
}
