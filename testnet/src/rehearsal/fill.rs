//! What templates hold. The outputs that their transactions spend are made up, the transactions are not: they are signed, and
//! Bitcoin Core's functions judge them.

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::hashes::Hash;
use bitcoin::{
    Amount, Block, BlockHash, CompactTarget, OutPoint, ScriptBuf, Transaction, TxIn, TxMerkleNode, TxOut, Txid,
    transaction,
};
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
    /// As `getblocktemplate` tells the transactions.
    pub(super) entries: Value,
    /// The witness commitment's output script.
    pub(super) commitment: ScriptBuf,
}

/// Templates in the order in which they take turns.
pub(super) fn all() -> Vec<Fill> {
    vec![
        Purse::new("empty", 1, 0).fill(),
        full(),
        Purse::new("few, which depend on each other", 2, 60).spend(60).fill(),
        sigops(),
        spike("a spike of fees", 3, &[2_500_000_000, 1_000_000, 900_000_000]),
        spike("one transaction pays more than the subsidy", 4, &[2_999_000_000]),
    ]
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
        let (weight, sigops, entries) = (self.weight(), self.sigops(), entries(&self.spends));
        Fill { name: self.name, coins: self.coins, weight, sigops, fees, entries, commitment }
    }
}

/// Transactions as `getblocktemplate` tells them.
fn entries(spends: &[Spend]) -> Value {
    let ids: std::collections::HashMap<Txid, usize> =
        spends.iter().zip(1..).map(|(spend, number)| (spend.transaction.compute_txid(), number)).collect();
    let entry = |Spend { transaction, fee, sigops }: &Spend| {
        let inputs = transaction.input.iter();
        let depends: Vec<usize> = inputs.filter_map(|input| ids.get(&input.previous_output.txid).copied()).collect();
        json!({
            "data": serialize_hex(transaction),
            "txid": transaction.compute_txid().to_string(),
            "hash": transaction.compute_wtxid().to_string(),
            "depends": depends,
            "fee": fee.to_sat(),
            "sigops": sigops,
            "weight": transaction.weight().to_wu(),
        })
    };
    spends.iter().map(entry).collect()
}
