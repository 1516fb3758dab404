//! Hashing of Bitcoin headers with a rolling nonce.
//!
//! Each nonce takes two SHA-256 compressions, because the first half of the header is compressed only once. The
//! compression is that of `bitcoin_hashes`, which uses the processor's SHA instructions if it has them (see
//! [`has_sha_instructions`]).

use bitcoin::BlockHash;
use bitcoin::Target;
use bitcoin::block::Header;
use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::sha256::{HashEngine, Midstate};
use bitcoin::hashes::{Hash, HashEngine as _};

/// Offset of the nonce in the header's second 64-byte block.
const NONCE_AT: usize = 12;

/// A header whose nonce is searched for.
#[derive(Debug, Clone)]
pub struct HeaderHasher {
    /// State after the header's first 64 bytes.
    head: Midstate,
    /// The header's last 16 bytes with SHA-256's padding.
    tail: [u8; 64],
}

impl HeaderHasher {
    /// Prepares a header. Its nonce does not matter.
    pub fn new(header: &Header) -> Self {
        let bytes = serialize(header);
        let mut engine = HashEngine::default();
        engine.input(&bytes[..64]);
        let mut tail = [0; 64];
        tail[..16].copy_from_slice(&bytes[64..]);
        tail[16] = 0x80;
        tail[56..].copy_from_slice(&(80_u64 * 8).to_be_bytes());
        Self { head: engine.midstate(), tail }
    }

    /// Returns the hash of the header with this nonce.
    pub fn hash(&mut self, nonce: u32) -> BlockHash {
        self.tail[NONCE_AT..NONCE_AT + 4].copy_from_slice(&nonce.to_le_bytes());
        let mut first = HashEngine::from_midstate(self.head, 64);
        first.input(&self.tail);

        let mut inner = [0; 64];
        inner[..32].copy_from_slice(&first.midstate().to_byte_array());
        inner[32] = 0x80;
        inner[56..].copy_from_slice(&(32_u64 * 8).to_be_bytes());
        let mut second = HashEngine::default();
        second.input(&inner);
        BlockHash::from_byte_array(second.midstate().to_byte_array())
    }

    /// Tries `count` nonces from `start`. Returns the first whose hash meets `target`.
    pub fn search(&mut self, target: Target, start: u32, count: u32) -> Option<u32> {
        let limit = target.to_le_bytes();
        let limit_top = u64::from_le_bytes(top_eight(&limit));
        (0..count).map(|step| start.wrapping_add(step)).find(|&nonce| {
            let hash = self.hash(nonce);
            // Nearly every hash fails on its top bytes alone.
            u64::from_le_bytes(top_eight(hash.as_byte_array())) <= limit_top && target.is_met_by(hash)
        })
    }
}

/// Returns whether this processor has the SHA instructions that the compression uses.
pub fn has_sha_instructions() -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    {
        std::arch::is_x86_feature_detected!("sha") && std::arch::is_x86_feature_detected!("sse4.1")
    }
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
    {
        false
    }
}

fn top_eight(little_endian: &[u8; 32]) -> [u8; 8] {
    let mut top = [0; 8];
    top.copy_from_slice(&little_endian[24..]);
    top
}

#[cfg(test)]
mod tests;
