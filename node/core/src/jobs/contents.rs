//! Makes room for a coinbase that is larger than bitcoind's template allows.

use bitcoin::hashes::{Hash, HashEngine, sha256d};
use bitcoin::{Amount, VarInt};

use super::block_template::{BlockTemplate, TemplateTransaction};

/// Weight of a block header, weight units.
const HEADER_WEIGHT: u64 = 80 * 4;

/// The kept transactions of a block template, and the values that depend on how many are kept.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Number of the template's transactions kept, from the first.
    pub kept: usize,
    /// Subsidy and the fees of the kept transactions.
    pub coinbase_value: Amount,
    /// The coinbase's commitment to the witnesses of the kept transactions (BIP-0141).
    pub witness_commitment: [u8; 32],
    /// Merkle branch of the coinbase, lowest level first.
    pub branch: Vec<[u8; 32]>,
}

impl Contents {
    /// Drops transactions from the end until a coinbase of `coinbase_weight` fits. Dropping from the end never drops a
    /// transaction that a kept one spends.
    #[must_use]
    pub fn fit(template: &BlockTemplate, coinbase_weight: u64) -> Self {
        let mut kept = template.transactions.as_slice();
        let mut weight: u64 = kept.iter().map(|tx| tx.weight).sum();
        let mut coinbase_value = template.coinbase_value;
        while let Some((last, rest)) = kept.split_last() {
            if block_weight(weight, rest.len() + 1, coinbase_weight) <= template.weight_limit {
                break;
            }
            weight -= last.weight;
            coinbase_value -= last.fee;
            kept = rest;
        }
        Self {
            kept: kept.len(),
            coinbase_value,
            witness_commitment: witness_commitment(kept),
            branch: coinbase_branch(kept.iter().map(|tx| tx.txid.to_byte_array()).collect()),
        }
    }
}

fn block_weight(transactions_weight: u64, transactions: usize, coinbase_weight: u64) -> u64 {
    let count = VarInt::from(transactions + 1).size() as u64;
    HEADER_WEIGHT + 4 * count + coinbase_weight + transactions_weight
}

/// BIP-0141: hash of the witness root and the reserved value, which is zero. The coinbase's own witness hash is zero.
fn witness_commitment(transactions: &[TemplateTransaction]) -> [u8; 32] {
    let mut level = vec![[0; 32]];
    level.extend(transactions.iter().map(|tx| tx.wtxid.to_byte_array()));
    while level.len() > 1 {
        level = parents(&level);
    }
    hash_pair(&level[0], &[0; 32])
}

/// The siblings on the path from the first leaf, the coinbase, to the root. `others` are the leaves after it.
fn coinbase_branch(others: Vec<[u8; 32]>) -> Vec<[u8; 32]> {
    let mut branch = Vec::new();
    let mut level = others;
    while let Some(sibling) = level.first().copied() {
        branch.push(sibling);
        level = parents(&level[1..]);
    }
    branch
}

/// The next level of a Merkle tree. An odd hash is paired with itself.
fn parents(level: &[[u8; 32]]) -> Vec<[u8; 32]> {
    level.chunks(2).map(|pair| hash_pair(&pair[0], pair.last().expect("a chunk is never empty"))).collect()
}

fn hash_pair(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut engine = sha256d::Hash::engine();
    engine.input(left);
    engine.input(right);
    sha256d::Hash::from_engine(engine).to_byte_array()
}

#[cfg(test)]
mod tests;
