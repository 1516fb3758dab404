//! A checked block template of bitcoind (BIP-0022, BIP-0023, BIP-0145).

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::Arc;

use bitcoin::consensus::encode;
use bitcoin::{Amount, BlockHash, CompactTarget, ScriptBuf, Target, Transaction, Txid, Wtxid};

/// A block without its coinbase and its proof of work.
#[derive(Debug, Clone)]
pub struct BlockTemplate {
    /// Block version, with the signal bits that bitcoind sets.
    pub version: i32,
    /// Hash of the block that it extends.
    pub prev_block: BlockHash,
    /// Height of the new block.
    pub height: u32,
    /// Its target, in the header's compact encoding.
    pub bits: CompactTarget,
    /// The time that bitcoind suggests, seconds since 1970.
    pub time: u32,
    /// The earliest time that Bitcoin's rules allow, seconds since 1970.
    pub min_time: u32,
    /// The most the coinbase may pay: subsidy and the fees of all transactions.
    pub coinbase_value: Amount,
    /// The output script that commits to the witnesses of all transactions.
    pub witness_commitment: Option<ScriptBuf>,
    /// The transactions after the coinbase, each after those that it spends. Templates share them: a node keeps dozens of templates,
    /// which differ by few transactions.
    pub transactions: Transactions,
    /// Maximum weight of a block, weight units.
    pub weight_limit: u64,
    /// Maximum signature operation cost of a block.
    pub sigops_limit: u64,
    /// Long poll id, to wait for the next template; none if bitcoind does not support it.
    pub long_poll_id: Option<String>,
    /// Challenge of the signet, hex; none on other networks.
    pub signet_challenge: Option<String>,
}

/// Transactions with their sums, since a look at each of 5,000 takes as long as jobs for ten miners.
#[derive(Debug, Clone, Default)]
pub struct Transactions {
    list: Vec<Arc<TemplateTransaction>>,
    weight: u64,
    sigops: u64,
    size_bytes: usize,
}

/// One transaction of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateTransaction {
    /// Its serialization in a block, with the witness.
    pub raw: Box<[u8]>,
    /// Hash without the witness, recomputed from the bytes.
    pub txid: Txid,
    /// Hash with the witness, recomputed from the bytes.
    pub wtxid: Wtxid,
    /// The fee it leaves to the coinbase.
    pub fee: Amount,
    /// Its weight, recomputed from the bytes, weight units.
    pub weight: u64,
    /// Its signature operation cost.
    pub sigops_cost: u64,
}

impl BlockTemplate {
    /// The target a block's hash must not exceed.
    #[must_use]
    pub fn target(&self) -> Target {
        Target::from_compact(self.bits)
    }

    /// bitcoind's clock when it made the template, seconds since 1970. None after blocks with future timestamps, when bitcoind
    /// suggests the earliest valid time instead.
    #[must_use]
    pub fn clock(&self) -> Option<u32> {
        (self.time > self.min_time).then_some(self.time)
    }

    /// Takes transactions that an older template has, too, from there.
    pub fn share_transactions(&mut self, older: &Self) {
        let known: HashMap<&Wtxid, _> = older.transactions.iter().map(|one| (&one.wtxid, one)).collect();
        for transaction in &mut self.transactions.list {
            if let Some(same) = known.get(&transaction.wtxid).filter(|known| ***known == *transaction) {
                *transaction = Arc::clone(same);
            }
        }
    }
}

impl Transactions {
    /// Their weight, weight units.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.weight
    }

    /// Their signature operation cost.
    #[must_use]
    pub fn sigops(&self) -> u64 {
        self.sigops
    }

    /// Bytes that they take in memory.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }
}

impl From<Vec<Arc<TemplateTransaction>>> for Transactions {
    fn from(list: Vec<Arc<TemplateTransaction>>) -> Self {
        // bitcoind may claim any cost. The checks of a template bound the sums.
        let sum = |of: fn(&TemplateTransaction) -> u64| list.iter().map(|one| of(one)).fold(0, u64::saturating_add);
        Self {
            weight: sum(|transaction| transaction.weight),
            sigops: sum(|transaction| transaction.sigops_cost),
            size_bytes: list.iter().map(|transaction| size_of_val(&**transaction) + transaction.raw.len()).sum(),
            list,
        }
    }
}

impl FromIterator<Arc<TemplateTransaction>> for Transactions {
    fn from_iter<I: IntoIterator<Item = Arc<TemplateTransaction>>>(transactions: I) -> Self {
        transactions.into_iter().collect::<Vec<_>>().into()
    }
}

impl Deref for Transactions {
    type Target = [Arc<TemplateTransaction>];

    fn deref(&self) -> &Self::Target {
        &self.list
    }
}

impl TemplateTransaction {
    /// Decodes the transaction, for the few callers that need more than its bytes and ids.
    #[must_use]
    pub fn decode(&self) -> Transaction {
        encode::deserialize(&self.raw).expect("the bytes were decoded when the template arrived")
    }
}
