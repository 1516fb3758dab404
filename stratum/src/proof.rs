//! Builds block headers from a job and a miner's choices. Server and client share this code.

use bitcoin::BlockHash;
use bitcoin::TxMerkleNode;
use bitcoin::hashes::{Hash, HashEngine, sha256d};

#[cfg(test)]
mod tests;

/// Returns the merkle root of the coinbase whose serialization is the concatenation of `parts`.
/// `branch` is its merkle branch, lowest level first.
pub fn merkle_root(parts: &[&[u8]], branch: &[[u8; 32]]) -> TxMerkleNode {
    let mut engine = sha256d::Hash::engine();
    for part in parts {
        engine.input(part);
    }
    let coinbase = sha256d::Hash::from_engine(engine);
    let root = branch.iter().fold(coinbase, |left, right| {
        let mut engine = sha256d::Hash::engine();
        engine.input(left.as_byte_array());
        engine.input(right);
        sha256d::Hash::from_engine(engine)
    });
    TxMerkleNode::from_raw_hash(root)
}

/// Merges a miner's version bits into a job's version: `(version & !mask) | (bits & mask)`.
pub fn rolled_version(version: i32, bits: u32, mask: u32) -> i32 {
    let version = u32::from_be_bytes(version.to_be_bytes());
    let rolled = (version & !mask) | (bits & mask);
    i32::from_be_bytes(rolled.to_be_bytes())
}

/// Encodes a block hash for `mining.notify`: reverses the bytes of each 4-byte word.
pub fn swap_words(hash: BlockHash) -> [u8; 32] {
    let mut bytes = hash.to_byte_array();
    for word in bytes.chunks_exact_mut(4) {
        word.reverse();
    }
    bytes
}

/// Decodes a block hash from `mining.notify`. Inverse of [`swap_words`].
pub fn unswap_words(mut bytes: [u8; 32]) -> BlockHash {
    for word in bytes.chunks_exact_mut(4) {
        word.reverse();
    }
    BlockHash::from_byte_array(bytes)
}
