//! Makes room for a coinbase that is larger, or has more signature operations, than bitcoind's template allows.

use std::sync::Arc;
use std::thread;

use bitcoin::hashes::{Hash, HashEngine, sha256d};
use bitcoin::{Amount, Script, VarInt};

use super::block_template::{BlockTemplate, TemplateTransaction};

/// Weight of a block header, weight units.
const HEADER_WEIGHT: u64 = 80 * 4;

/// Maximum weight of a coinbase without its payouts: 284 bytes that count fourfold, two more for a number of outputs above
/// 252, and the witness. Weight units.
const COINBASE_WEIGHT_AROUND: u64 = (284 + 2) * 4 + 36;

/// Weight of the largest payout output, weight units.
const PAYOUT_WEIGHT: u64 = 43 * 4;

/// Factor of signature operations outside of witnesses (BIP-0141).
const WITNESS_SCALE: u64 = 4;

/// From this many transactions on, a thread hashes the branch beside the witnesses: 5,000 take 1.2 ms each, a thread 0.05 ms.
const TWO_THREADS: usize = 500;

/// A coinbase's use of a block's two limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoinbaseCost {
    /// Maximum weight, weight units.
    pub weight: u64,
    /// Signature operation cost.
    pub sigops: u64,
}

impl CoinbaseCost {
    /// The cost of a coinbase that pays these scripts. Among payout scripts, only P2PKH has a signature operation. The
    /// other outputs and the input of a coinbase have none.
    #[must_use]
    pub fn of<'a>(payees: impl IntoIterator<Item = &'a Script>) -> Self {
        let mut cost = Self { weight: COINBASE_WEIGHT_AROUND, sigops: 0 };
        for script in payees {
            cost.weight += PAYOUT_WEIGHT;
            cost.sigops += WITNESS_SCALE * script.count_sigops_legacy() as u64;
        }
        cost
    }

    /// The maximum cost of a coinbase that pays only its finder, with any payout script.
    #[must_use]
    pub fn of_finder() -> Self {
        Self { weight: COINBASE_WEIGHT_AROUND + PAYOUT_WEIGHT, sigops: WITNESS_SCALE }
    }
}

/// The kept transactions of a block template, and the values that depend on how many are kept.
#[derive(Clone, Debug)]
pub struct Contents {
    /// Number of the template's transactions kept, from the first.
    pub kept: usize,
    /// Subsidy and the fees of the kept transactions.
    pub coinbase_value: Amount,
    /// The coinbase's commitment to the witnesses of the kept transactions (BIP-0141).
    pub witness_commitment: [u8; 32],
    /// Merkle branch of the coinbase, lowest level first. The work of all accounts shares it.
    pub branch: Arc<[[u8; 32]]>,
}

impl Contents {
    /// Keeps the transactions that leave room for a coinbase of this cost, and hashes them.
    #[must_use]
    pub fn fit(template: &BlockTemplate, coinbase: CoinbaseCost) -> Self {
        let (kept, coinbase_value) = Self::room(template, coinbase);
        let ids = || kept.iter().map(|tx| tx.txid.to_byte_array()).collect();
        let (witness_commitment, branch) = if kept.len() < TWO_THREADS {
            (witness_commitment(kept), coinbase_branch(ids()))
        } else {
            thread::scope(|scope| {
                // Without a second thread, one does both.
                let other = thread::Builder::new().spawn_scoped(scope, || coinbase_branch(ids()));
                let witness_commitment = witness_commitment(kept);
                let branch = other
                    .map_or_else(|_| coinbase_branch(ids()), |other| other.join().expect("hashing does not panic"));
                (witness_commitment, branch)
            })
        };
        Self { kept: kept.len(), coinbase_value, witness_commitment, branch: branch.into() }
    }

    /// True if a coinbase of this cost leaves room for exactly these transactions of the template.
    pub(super) fn fits(&self, template: &BlockTemplate, coinbase: CoinbaseCost) -> bool {
        Self::room(template, coinbase).0.len() == self.kept
    }

    /// Drops transactions from the end until a coinbase of this cost fits, by weight and by signature operations. Dropping
    /// from the end never drops a transaction that a kept one spends. Returns the others, and what the coinbase may pay.
    fn room(template: &BlockTemplate, coinbase: CoinbaseCost) -> (&[Arc<TemplateTransaction>], Amount) {
        let mut kept = template.transactions.as_slice();
        let mut weight: u64 = kept.iter().map(|tx| tx.weight).sum();
        let mut sigops: u64 = kept.iter().map(|tx| tx.sigops_cost).sum();
        let mut coinbase_value = template.coinbase_value;
        while let Some((last, rest)) = kept.split_last() {
            let light = block_weight(weight, rest.len() + 1, coinbase.weight) <= template.weight_limit;
            if light && sigops + coinbase.sigops <= template.sigops_limit {
                break;
            }
            weight -= last.weight;
            sigops -= last.sigops_cost;
            coinbase_value -= last.fee;
            kept = rest;
        }
        (kept, coinbase_value)
    }
}

fn block_weight(transactions_weight: u64, transactions: usize, coinbase_weight: u64) -> u64 {
    let count = VarInt::from(transactions + 1).size() as u64;
    HEADER_WEIGHT + 4 * count + coinbase_weight + transactions_weight
}

/// BIP-0141: hash of the witness root and the reserved value, which is zero. The coinbase's own witness hash is zero.
fn witness_commitment(transactions: &[Arc<TemplateTransaction>]) -> [u8; 32] {
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
pub(crate) fn parents(level: &[[u8; 32]]) -> Vec<[u8; 32]> {
    level.chunks(2).map(|pair| hash_pair(&pair[0], pair.last().expect("a chunk is never empty"))).collect()
}

pub(crate) fn hash_pair(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let mut engine = sha256d::Hash::engine();
    engine.input(left);
    engine.input(right);
    sha256d::Hash::from_engine(engine).to_byte_array()
}

#[cfg(test)]
mod tests;
