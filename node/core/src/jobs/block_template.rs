//! A checked block template of bitcoind (BIP-0022, BIP-0023, BIP-0145).

use std::collections::HashMap;
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
    pub transactions: Vec<Arc<TemplateTransaction>>,
    /// Maximum weight of a block, weight units.
    pub weight_limit: u64,
    /// Maximum signature operation cost of a block.
    pub sigops_limit: u64,
    /// Long poll id, to wait for the next template; none if bitcoind does not support it.
    pub long_poll_id: Option<String>,
    /// Challenge of the signet, hex; none on other networks.
    pub signet_challenge: Option<String>,
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

    /// Bytes that its transactions take in memory.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.transactions.iter().map(|transaction| size_of_val(&**transaction) + transaction.raw.len()).sum()
    }

    /// Takes transactions that an older template has, too, from there.
    pub fn share_transactions(&mut self, older: &Self) {
        let known: HashMap<&Wtxid, _> = older.transactions.iter().map(|one| (&one.wtxid, one)).collect();
        for transaction in &mut self.transactions {
            if let Some(same) = known.get(&transaction.wtxid).filter(|known| ***known == *transaction) {
                *transaction = Arc::clone(same);
            }
        }
    }

    /// Weight of all transactions, without header and coinbase, weight units.
    #[must_use]
    pub fn transactions_weight(&self) -> u64 {
        self.transactions.iter().map(|transaction| transaction.weight).sum()
    }
}

impl TemplateTransaction {
    /// Decodes the transaction, for the few callers that need more than its bytes and ids.
    #[must_use]
    pub fn decode(&self) -> Transaction {
        encode::deserialize(&self.raw).expect("the bytes were decoded when the template arrived")
    }
}
