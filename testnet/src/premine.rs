//! The initial chain of every test network, mined in advance.
//!
//! Coins need 100 blocks before they can be spent, which a test network cannot wait for. So 120 blocks were mined once
//! (`shoal-testnet premine`), and their nonces are kept in `fixtures/signet-nonces.txt`: one per line, as 8 hexadecimal
//! digits. Lines with `#` are comments. All other fields of a block follow from its height: it is ten minutes after its
//! parent, and one coinbase pays the whole subsidy to the wallet's key number `height mod 16`. The times start at
//! genesis, years before the present.

use std::path::Path;

use bitcoin::block::{Header, Version};
use bitcoin::{Block, BlockHash, CompactTarget, TxMerkleNode};

use crate::signet;
use crate::wallet::Keys;
use sim::hash::HeaderHasher;

/// Number of blocks in the fixture: 100 until the first coinbase is mature, and 20 coins to start with.
pub const BLOCKS: u32 = 120;

/// Seconds between two blocks of the fixture.
const SPACING_S: u32 = 600;

const NONCES: &str = include_str!("../fixtures/signet-nonces.txt");

/// An error of the premined chain.
#[derive(Debug, thiserror::Error)]
pub enum PremineError {
    /// A line is not a nonce.
    #[error("line {line} of the premined chain is not 8 hexadecimal digits; run `shoal-testnet premine`")]
    BadNonce {
        /// Number of the line, counted from 1.
        line: usize,
    },
    /// A block does not have enough work, so the fixture does not match this program.
    #[error("premined block {height} lacks work; the fixture has another version, run `shoal-testnet premine`")]
    NotEnoughWork {
        /// Height of the block.
        height: u32,
    },
    /// No nonce gives a block of this height enough work.
    #[error("no nonce solves premined block {height}")]
    NoNonce {
        /// Height of the block.
        height: u32,
    },
    /// The fixture cannot be written.
    #[error("cannot write the premined chain")]
    Write(#[from] std::io::Error),
}

/// Returns the premined blocks in order, from height 1.
///
/// # Errors
/// [`PremineError::BadNonce`] or [`PremineError::NotEnoughWork`] if the fixture does not match this program.
pub fn blocks() -> Result<Vec<Block>, PremineError> {
    let keys = Keys::derive();
    let lines = NONCES.lines().enumerate();
    let nonces = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let mut blocks: Vec<Block> = Vec::new();
    for (height, (index, line)) in (1_u32..).zip(nonces) {
        let parent = blocks.last().map_or_else(|| signet::genesis().block_hash(), Block::block_hash);
        let mut block = unsolved(height, parent, &keys);
        block.header.nonce = u32::from_str_radix(line, 16).map_err(|_| PremineError::BadNonce { line: index + 1 })?;
        if !signet::pow_limit().is_met_by(block.block_hash()) {
            return Err(PremineError::NotEnoughWork { height });
        }
        blocks.push(block);
    }
    Ok(blocks)
}

/// Mines the chain again and writes the fixture to `path`. It takes about two minutes on one core with SHA
/// instructions. `progress` is called with each height.
///
/// # Errors
/// [`PremineError::NoNonce`] if a block cannot be solved, [`PremineError::Write`] if the file cannot be written.
pub fn generate(path: &Path, mut progress: impl FnMut(u32)) -> Result<(), PremineError> {
    let keys = Keys::derive();
    let mut text =
        String::from("# Nonces of the test network's first blocks, from height 1. Made by `shoal-testnet premine`.\n");
    let mut parent = signet::genesis().block_hash();
    for height in 1..=BLOCKS {
        let mut block = unsolved(height, parent, &keys);
        let nonce = HeaderHasher::new(&block.header)
            .search(signet::pow_limit(), 0, u32::MAX)
            .ok_or(PremineError::NoNonce { height })?;
        block.header.nonce = nonce;
        parent = block.block_hash();
        text.push_str(&format!("{nonce:08x}\n"));
        progress(height);
    }
    Ok(std::fs::write(path, text)?)
}

/// Returns the block of this height without its nonce.
fn unsolved(height: u32, parent: BlockHash, keys: &Keys) -> Block {
    let coinbase = signet::coinbase(height, b"/shoal/".into(), keys.get(height as usize).script.clone());
    Block {
        header: Header {
            version: Version::from_consensus(0x2000_0000),
            prev_blockhash: parent,
            merkle_root: TxMerkleNode::from_raw_hash(coinbase.compute_txid().to_raw_hash()),
            time: signet::genesis().header.time + height * SPACING_S,
            bits: CompactTarget::from_consensus(signet::POW_LIMIT_BITS),
            nonce: 0,
        },
        txdata: vec![coinbase],
    }
}

#[cfg(test)]
mod tests;
