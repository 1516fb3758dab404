//! A block header that bitcoind knows (`getblockheader`).

use bitcoin::block::{Header, Version};
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, TxMerkleNode, Work};
use serde::Deserialize;

/// A block header that bitcoind knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderInfo {
    /// The header.
    pub header: Header,
    /// Height of the block.
    pub height: u32,
    /// Blocks of the active chain from this one to the tip, inclusive; none if it is not on the active chain.
    pub confirmations: Option<u32>,
    /// Work of the chain up to and including this block.
    pub chain_work: Work,
    /// Median time of this block and the ten before it, seconds since 1970; none if bitcoind does not say.
    pub median_time: Option<u32>,
}

/// The fields of `getblockheader`'s verbose result that the node uses.
#[derive(Debug, Deserialize)]
pub(super) struct RawHeader {
    version: i32,
    #[serde(default)]
    previousblockhash: Option<BlockHash>,
    merkleroot: TxMerkleNode,
    time: u32,
    bits: String,
    nonce: u32,
    height: u32,
    confirmations: i64,
    chainwork: String,
    #[serde(default)]
    mediantime: Option<u32>,
}

impl RawHeader {
    /// The header, if the fields are well-formed.
    pub(super) fn info(self) -> Option<HeaderInfo> {
        let bits = u32::from_str_radix(&self.bits, 16).ok()?;
        let header = Header {
            version: Version::from_consensus(self.version),
            // Only the genesis block has none.
            prev_blockhash: self.previousblockhash.unwrap_or_else(BlockHash::all_zeros),
            merkle_root: self.merkleroot,
            time: self.time,
            bits: CompactTarget::from_consensus(bits),
            nonce: self.nonce,
        };
        let confirmations = u32::try_from(self.confirmations).ok().filter(|count| *count > 0);
        let chain_work = Work::from_unprefixed_hex(&self.chainwork).ok()?;
        let (height, median_time) = (self.height, self.mediantime);
        Some(HeaderInfo { header, height, confirmations, chain_work, median_time })
    }
}
