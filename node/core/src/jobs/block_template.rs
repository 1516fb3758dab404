//! bitcoind's block template (BIP-0022, BIP-0023, BIP-0145), after its checks.

use bitcoin::consensus::encode;
use bitcoin::{Amount, BlockHash, CompactTarget, ScriptBuf, Target, Transaction, Txid, Wtxid};

/// A block that lacks its coinbase and its proof of work.
#[derive(Debug, Clone)]
pub struct BlockTemplate {
    /// Version with the signals bitcoind wants.
    pub version: i32,
    /// The block it extends.
    pub prev_block: BlockHash,
    /// Its own height.
    pub height: u32,
    /// Its target, as the header holds it.
    pub bits: CompactTarget,
    /// The time bitcoind suggests, in seconds since 1970.
    pub time: u32,
    /// The earliest time Bitcoin's rules allow.
    pub min_time: u32,
    /// The most the coinbase may pay: subsidy and the fees of all transactions.
    pub coinbase_value: Amount,
    /// The output script that commits to the witnesses of all transactions.
    pub witness_commitment: Option<ScriptBuf>,
    /// The transactions behind the coinbase, each after those it spends.
    pub transactions: Vec<TemplateTransaction>,
    /// Weight a block may have.
    pub weight_limit: u64,
    /// Cost of signature operations a block may have.
    pub sigops_limit: u64,
    /// What to send to be told of the next template, if bitcoind supports it.
    pub long_poll_id: Option<String>,
    /// The challenge, in hex, if the network is a signet.
    pub signet_challenge: Option<String>,
}

/// One transaction of a template.
#[derive(Debug, Clone)]
pub struct TemplateTransaction {
    /// Its bytes as they stand in a block, with the witness.
    pub raw: Vec<u8>,
    /// Hash without the witness, recomputed from the bytes.
    pub txid: Txid,
    /// Hash with the witness, recomputed from the bytes.
    pub wtxid: Wtxid,
    /// The fee it leaves to the coinbase.
    pub fee: Amount,
    /// Its weight, recomputed from the bytes.
    pub weight: u64,
    /// The cost of its signature operations.
    pub sigops_cost: u64,
    /// Positions (from 0) of the transactions before it that it spends.
    pub depends: Vec<u32>,
}

impl BlockTemplate {
    /// The target a block's hash must not exceed.
    #[must_use]
    pub fn target(&self) -> Target {
        Target::from_compact(self.bits)
    }

    /// Weight of all transactions, without header and coinbase.
    #[must_use]
    pub fn transactions_weight(&self) -> u64 {
        self.transactions.iter().map(|transaction| transaction.weight).sum()
    }
}

impl TemplateTransaction {
    /// Decodes the transaction, for those few who need more than its bytes and ids.
    #[must_use]
    pub fn decode(&self) -> Transaction {
        encode::deserialize(&self.raw).expect("the bytes were decoded when the template came")
    }
}
