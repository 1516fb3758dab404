//! What templates hold. The outputs that their transactions spend are made up, the transactions are not: they are signed, and
//! Bitcoin Core's functions judge them.

use std::collections::HashMap;
use std::sync::Arc;

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::Hash;
use bitcoin::hex::DisplayHex;
use bitcoin::{
    Amount, Block, BlockHash, CompactTarget, OutPoint, ScriptBuf, Transaction, TxIn, TxMerkleNode, TxOut, Txid,
    transaction,
};
use node_core::jobs::TemplateTransaction;
use serde_json::{Value, json};

use crate::signet;
use crate::wallet::{Keys, Spend, Wallet};

/// Weight that bitcoind leaves for the coinbase by default, units.
const RESERVED_WEIGHT: u64 = 8_000;

/// Cost in signature operations that bitcoind leaves for the coinbase.
const RESERVED_SIGOPS: u64 = 400;

/// Weight of a block at most, units.
const WEIGHT_MAX: u64 = 4_000_000;

/// Cost in signature operations of a block at most.
const SIGOPS_MAX: u64 = 80_000;

/// Value of each made-up output, satoshi.
const COIN: Amount = Amount::from_sat(3_000_000_000);

/// `OP_CHECKSIG`s in one output of a template with many of them. Each costs four.
const CHECKSIGS: u64 = 2_000;

/// The transactions of a template.
#[derive(Debug)]
pub struct Fill {
    /// What it is, for people.
    pub name: &'static str,
    /// Outputs that its transactions spend.
    pub coins: Vec<(OutPoint, TxOut)>,
    /// Weight of its transactions, units.
    pub weight: u64,
    /// Their cost in signature operations.
    pub sigops: u64,
    /// Their fees.
    pub fees: Amount,
    /// The transactions, as a node has them.
    pub(crate) transactions: Vec<Arc<TemplateTransaction>>,
    /// As `getblocktemplate` tells them.
    pub(super) entries: Value,
    /// The witness commitment's output script.
    pub(super) commitment: ScriptBuf,
}

impl Fill {
    /// No transactions.
    pub(crate) fn empty() -> Self {
        Purse::new("empty", 1, 0).fill()
    }

    /// Templates in the order in which they take turns.
    #[must_use]
    pub fn all() -> Vec<Self> {
        vec![
            Self::empty(),
            full(),
            Purse::new("few, which depend on each other", 2, 60).spend(60).fill(),
            sigops(),
            spike("a spike of fees", 3, &[2_500_000_000, 1_000_000, 900_000_000]),
            spike("one transaction pays more than the subsidy", 4, &[2_999_000_000]),
        ]
    }
}

/// As many transactions as fit.
fn full() -> Fill {
    let mut purse = Purse::new("full", 5, 10_000);
    while purse.weight() + 2_000 < WEIGHT_MAX - RESERVED_WEIGHT {
        purse = purse.spend(1);
    }
    purse.fill()
}

/// As many signature operations as fit.
fn sigops() -> Fill {
    let mut purse = Purse::new("signature operations", 6, 100);
    while purse.sigops() + 4 * CHECKSIGS + 100 < SIGOPS_MAX - RESERVED_SIGOPS {
        let script = ScriptBuf::from_bytes(vec![0xac; CHECKSIGS as usize]);
        let spend = purse.wallet.spend_to(script).expect("it has coins");
        purse.spends.push(spend);
    }
    let left = (SIGOPS_MAX - RESERVED_SIGOPS - purse.sigops()) / 4 - 1;
    let spend = purse.wallet.spend_to(ScriptBuf::from_bytes(vec![0xac; left as usize])).expect("it has coins");
    purse.spends.push(spend);
    purse.fill()
}

fn spike(name: &'static str, number: u8, fees: &[u64]) -> Fill {
    let mut purse = Purse::new(name, number, fees.len() as u32);
    for fee in fees {
        let spend = purse.wallet.spend_paying(Amount::from_sat(*fee)).expect("it has coins");
        purse.spends.push(spend);
    }
    purse.fill()
}

/// A wallet of made-up outputs, and what was spent of them.
struct Purse {
    name: &'static str,
    wallet: Wallet,
    coins: Vec<(OutPoint, TxOut)>,
    spends: Vec<Spend>,
}

impl Purse {
    /// A purse with this many outputs, which belong to a transaction of its own.
    fn new(name: &'static str, number: u8, outputs: u32) -> Self {
        let keys = Keys::derive();
        let output = |key: u32| TxOut { value: COIN, script_pubkey: keys.get(key as usize).script.clone() };
        let made_up = Transaction {
            version: transaction::Version::TWO,
            lock_time: LockTime::ZERO,
            input: vec![TxIn {
                previous_output: OutPoint { txid: Txid::from_byte_array([number; 32]), vout: 0 },
                ..TxIn::default()
            }],
            output: (0..outputs).map(output).collect(),
        };
        let txid = made_up.compute_txid();
        let outpoint = |vout| OutPoint { txid, vout };
        let coins = (0..).map(outpoint).zip(made_up.output.iter().cloned()).collect();
        let header = Header {
            version: Version::TWO,
            prev_blockhash: BlockHash::all_zeros(),
            merkle_root: TxMerkleNode::all_zeros(),
            time: 0,
            bits: CompactTarget::from_consensus(0),
            nonce: 0,
        };
        let mut wallet = Wallet::new();
        wallet.connect(1, &Block { header, txdata: vec![made_up] });
        Self { name, wallet, coins, spends: Vec::new() }
    }

    fn spend(mut self, count: u32) -> Self {
        for _ in 0..count {
            let spend = self.wallet.spend().expect("it has coins");
            self.spends.push(spend);
        }
        self
    }

    fn weight(&self) -> u64 {
        self.spends.iter().map(|spend| spend.transaction.weight().to_wu()).sum()
    }

    fn sigops(&self) -> u64 {
        self.spends.iter().map(|spend| spend.sigops as u64).sum()
    }

    fn fill(self) -> Fill {
        let wtxids = self.spends.iter().map(|spend| spend.transaction.compute_wtxid());
        let commitment = signet::witness_commitment(wtxids, &signet::RESERVED_VALUE);
        let fees = self.spends.iter().map(|spend| spend.fee).sum();
        let (weight, sigops, transactions) = (self.weight(), self.sigops(), transactions(&self.spends));
        let entries = entries(&transactions);
        Fill { name: self.name, coins: self.coins, weight, sigops, fees, transactions, entries, commitment }
    }
}

/// Transactions as a node has them.
fn transactions(spends: &[Spend]) -> Vec<Arc<TemplateTransaction>> {
    let transaction = |Spend { transaction, fee, sigops }: &Spend| TemplateTransaction {
        raw: serialize(transaction).into(),
        txid: transaction.compute_txid(),
        wtxid: transaction.compute_wtxid(),
        fee: *fee,
        weight: transaction.weight().to_wu(),
        sigops_cost: *sigops as u64,
    };
    spends.iter().map(transaction).map(Arc::new).collect()
}

/// Transactions as `getblocktemplate` tells them.
fn entries(transactions: &[Arc<TemplateTransaction>]) -> Value {
    let places: HashMap<Txid, u32> = transactions.iter().map(|transaction| transaction.txid).zip(1..).collect();
    let entry = |transaction: &Arc<TemplateTransaction>| {
        let spent = transaction.decode().input.into_iter().map(|input| input.previous_output.txid);
        json!({
            "data": transaction.raw.to_lower_hex_string(),
            "txid": transaction.txid.to_string(),
            "hash": transaction.wtxid.to_string(),
            "depends": spent.filter_map(|txid| places.get(&txid).copied()).collect::<Vec<_>>(),
            "fee": transaction.fee.to_sat(),
            "sigops": transaction.sigops_cost,
            "weight": transaction.weight,
        })
    };
    transactions.iter().map(entry).collect()
}
