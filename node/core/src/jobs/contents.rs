//! Makes room for a coinbase that is larger, or has more signature operations, than bitcoind's template allows.

use std::sync::Arc;

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

/// The transactions of a block template that leave room for a coinbase: so many, from the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Their number.
    pub transactions: usize,
    /// Their weight, weight units.
    pub weight: u64,
    /// Their signature operation cost.
    pub sigops: u64,
    /// Subsidy and their fees.
    pub coinbase_value: Amount,
}

impl Kept {
    /// Drops transactions from the end until a coinbase of this cost fits, by weight and by signature operations. Dropping
    /// from the end never drops a transaction that a kept one spends.
    #[must_use]
    pub fn beside(coinbase: CoinbaseCost, template: &BlockTemplate) -> Self {
        let mut kept = Self {
            transactions: template.transactions.len(),
            weight: template.transactions.weight(),
            sigops: template.transactions.sigops(),
            coinbase_value: template.coinbase_value,
        };
        for last in template.transactions.iter().rev() {
            if kept.leaves_room(coinbase, template) {
                break;
            }
            kept.transactions -= 1;
            kept.weight -= last.weight;
            kept.sigops -= last.sigops_cost;
            kept.coinbase_value -= last.fee;
        }
        kept
    }

    fn leaves_room(&self, coinbase: CoinbaseCost, template: &BlockTemplate) -> bool {
        let weight = block_weight(self.weight, self.transactions, coinbase.weight);
        weight <= template.weight_limit && self.sigops + coinbase.sigops <= template.sigops_limit
    }

    /// True if a coinbase of this cost leaves room for exactly these transactions: for all of them, and not for the next.
    fn fits(&self, coinbase: CoinbaseCost, template: &BlockTemplate) -> bool {
        let is_full = |next: &Arc<TemplateTransaction>| {
            let more = Self {
                transactions: self.transactions + 1,
                weight: self.weight + next.weight,
                sigops: self.sigops + next.sigops_cost,
                ..*self
            };
            !more.leaves_room(coinbase, template)
        };
        let has_room = self.transactions == 0 || self.leaves_room(coinbase, template);
        has_room && template.transactions.get(self.transactions).is_none_or(is_full)
    }

    /// The coinbase's commitment to their witnesses (BIP-0141): bitcoind's if all are kept. Otherwise, 5,000 transactions
    /// take 1 ms.
    #[must_use]
    pub fn witness_commitment(&self, template: &BlockTemplate) -> [u8; 32] {
        self.known_commitment(template).unwrap_or_else(|| witness_commitment(self.of(template)))
    }

    /// bitcoind's commitment to the witnesses of all transactions, if all are kept.
    #[must_use]
    pub fn known_commitment(&self, template: &BlockTemplate) -> Option<[u8; 32]> {
        let script =
            template.witness_commitment.as_ref().filter(|_| self.transactions == template.transactions.len())?;
        script.as_bytes().last_chunk().copied()
    }

    /// The first half of the coinbase's Merkle tree. The halves of 5,000 transactions take 0.5 ms each.
    #[must_use]
    pub fn first_half(&self, template: &BlockTemplate) -> FirstHalf {
        let mut siblings = Vec::new();
        let leaves = txids(&self.of(template)[..self.in_first_half()]);
        let level = climb(leaves, HALF_LEVELS, &mut siblings);
        FirstHalf { siblings, level }
    }

    /// The second half of the coinbase's Merkle tree.
    #[must_use]
    pub fn second_half(&self, template: &BlockTemplate) -> SecondHalf {
        let leaves = txids(&self.of(template)[self.in_first_half()..]);
        SecondHalf { level: (0..HALF_LEVELS).fold(leaves, |level, _| parents(&level)) }
    }

    /// The transactions beside the coinbase in the first half: all, or with the coinbase a multiple of what a node has
    /// [`HALF_LEVELS`] above the leaves.
    fn in_first_half(&self) -> usize {
        let leaves = self.transactions + 1;
        match (leaves / 2) >> HALF_LEVELS << HALF_LEVELS {
            0 => self.transactions,
            half => half - 1,
        }
    }

    fn of<'a>(&self, template: &'a BlockTemplate) -> &'a [Arc<TemplateTransaction>] {
        &template.transactions[..self.transactions]
    }
}

/// Levels of the coinbase's Merkle tree, from the leaves, that two threads hash. Above them, 5,000 transactions have 20 nodes.
const HALF_LEVELS: usize = 8;

/// The first half of the coinbase's Merkle tree.
#[derive(Debug)]
pub struct FirstHalf {
    /// Siblings on the path from the coinbase, lowest first.
    siblings: Vec<[u8; 32]>,
    /// Nodes of the level above them, without the first, which has the coinbase.
    level: Vec<[u8; 32]>,
}

/// The second half of the coinbase's Merkle tree: its nodes, [`HALF_LEVELS`] above the leaves.
#[derive(Debug)]
pub struct SecondHalf {
    level: Vec<[u8; 32]>,
}

impl FirstHalf {
    /// Merkle branch of the coinbase, lowest level first.
    #[must_use]
    pub fn branch(self, second: &SecondHalf) -> Arc<[[u8; 32]]> {
        let Self { siblings: mut branch, mut level } = self;
        level.extend_from_slice(&second.level);
        climb(level, usize::MAX, &mut branch);
        branch.into()
    }
}

/// The kept transactions of a block template, and their hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    /// The kept transactions.
    pub kept: Kept,
    /// The coinbase's commitment to their witnesses (BIP-0141).
    pub witness_commitment: [u8; 32],
    /// Merkle branch of the coinbase, lowest level first. The work of all accounts shares it.
    pub branch: Arc<[[u8; 32]]>,
}

impl Contents {
    /// Keeps the transactions that leave room for a coinbase of this cost, and hashes them on this thread.
    #[must_use]
    pub fn fit(template: &BlockTemplate, coinbase: CoinbaseCost) -> Self {
        let kept = Kept::beside(coinbase, template);
        let branch = kept.first_half(template).branch(&kept.second_half(template));
        Self { kept, witness_commitment: kept.witness_commitment(template), branch }
    }

    /// True if a coinbase of this cost leaves room for exactly these transactions of the template.
    pub(super) fn fits(&self, template: &BlockTemplate, coinbase: CoinbaseCost) -> bool {
        self.kept.fits(coinbase, template)
    }
}

/// The weight of a block of `transactions` beside its coinbase.
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

/// Climbs so many levels from one without its first node, which has the coinbase, or to the root. Adds the siblings on that path.
fn climb(mut level: Vec<[u8; 32]>, levels: usize, siblings: &mut Vec<[u8; 32]>) -> Vec<[u8; 32]> {
    for _ in 0..levels {
        let Some(sibling) = level.first().copied() else { break };
        siblings.push(sibling);
        level = parents(&level[1..]);
    }
    level
}

fn txids(transactions: &[Arc<TemplateTransaction>]) -> Vec<[u8; 32]> {
    transactions.iter().map(|transaction| transaction.txid.to_byte_array()).collect()
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
