//! Bitcoin's headers up to the rehearsal. They follow from their nonces, which are kept: to find them takes minutes.

use std::io;

use bitcoin::block::{Header, Version};
use bitcoin::hashes::{Hash, sha256};
use bitcoin::{BlockHash, CompactTarget, TxMerkleNode};
use sharechain::ChainParams;
use sharechain::bitcoin_headers::Root;

use crate::scale::{root_headers, root_of};

/// Nonces of the headers, 32 bits each, little-endian.
const NONCES: &[u8] = include_bytes!("../../fixtures/rehearsal-nonces.bin");

/// Time of the first header, 2026-10-01T00:00:00Z.
const FIRST: u32 = 1_790_812_800;

/// Seconds between headers.
const INTERVAL_S: u32 = 600;

/// What starts a node, and the headers above it.
pub(super) struct Headers {
    /// The root of the network.
    pub(super) root: Root,
    /// The headers above the root.
    pub(super) above: Vec<Header>,
}

/// The headers up to this height.
///
/// # Errors
/// The nonces are not those of these headers.
pub(super) fn until(params: &ChainParams, height: u32) -> io::Result<Headers> {
    let below = root_headers(params);
    let count = below + height.saturating_sub(params.bitcoin.start_height - 1) as usize;
    let nonces = NONCES.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
    let headers: Vec<Header> = chain(params, nonces).take(count).collect();
    if headers.len() < count || headers.iter().any(|header| !header.target().is_met_by(header.block_hash())) {
        return Err(io::Error::other("rehearsal-nonces.bin holds the nonces of other headers"));
    }
    let (root, above) = headers.split_at(below);
    Ok(Headers { root: root_of(params, root.to_vec()), above: above.to_vec() })
}

/// The headers with these nonces.
fn chain(params: &ChainParams, nonces: impl Iterator<Item = u32>) -> impl Iterator<Item = Header> {
    let bits = CompactTarget::from_consensus(params.bitcoin.pow_limit_bits);
    let mut previous = BlockHash::all_zeros();
    (0..).zip(nonces).map(move |(number, nonce)| {
        let header = header(previous, number, bits, nonce);
        previous = header.block_hash();
        header
    })
}

fn header(previous: BlockHash, number: u32, bits: CompactTarget, nonce: u32) -> Header {
    Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: previous,
        merkle_root: TxMerkleNode::from_byte_array(sha256::Hash::hash(previous.as_byte_array()).to_byte_array()),
        time: FIRST + number * INTERVAL_S,
        bits,
        nonce,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::double::grind;

    /// `REHEARSAL_NONCES=FILE` finds all nonces anew, and writes them there.
    #[test]
    fn the_nonces_lead_to_the_start() {
        let params = ChainParams::rehearsal();
        if let Some(file) = std::env::var_os("REHEARSAL_NONCES") {
            let count = root_headers(&params) as u32 + super::super::START - (params.bitcoin.start_height - 1);
            let bits = CompactTarget::from_consensus(params.bitcoin.pow_limit_bits);
            let (mut previous, mut bytes) = (BlockHash::all_zeros(), Vec::new());
            for number in 0..count {
                let mut found = header(previous, number, bits, 0);
                grind(&mut found);
                previous = found.block_hash();
                bytes.extend(found.nonce.to_le_bytes());
            }
            std::fs::write(file, bytes).unwrap();
            return;
        }
        let headers = until(&params, super::super::START).unwrap();
        assert_eq!(headers.root.height + headers.above.len() as u32, super::super::START);
    }
}
