//! The block template of a bitcoind: a few made-up transactions. To a miner that only hashes them, they are as good as
//! real ones.

use std::sync::Arc;

use bitcoin::absolute::LockTime;
use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::pow::CompactTarget;
use bitcoin::transaction::Version;
use bitcoin::{Amount, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, WPubkeyHash, Witness};
use node_core::jobs::{BlockTemplate, TemplateTransaction};
use node_core::limits::{BLOCK_SIGOPS_COST_MAX, BLOCK_WEIGHT_MAX};
use sharechain::BitcoinParams;
use sharechain::bitcoin_headers::BitcoinHeader;

/// Usual number of transactions in a template: enough for a merkle branch with two levels.
pub(super) const TRANSACTIONS: u32 = 3;

/// Fee of the first transaction in satoshi. Each later one pays less. Together they pay about 0.03 BTC.
const FIRST_FEE_SAT: u64 = 1_500_000;

/// Returns the template with so many transactions on top of `previous`.
pub(super) fn template(
    previous: &BitcoinHeader,
    bits: CompactTarget,
    params: &BitcoinParams,
    transactions: u32,
) -> BlockTemplate {
    let prev_block = previous.header.block_hash();
    let height = previous.height + 1;
    let transactions: Vec<_> = (0..transactions).map(|position| Arc::new(transaction(&prev_block, position))).collect();
    let fees: Amount = transactions.iter().map(|transaction| transaction.fee).sum();
    let min_time = previous.median_time.0 + 1;
    BlockTemplate {
        version: super::VERSION,
        prev_block,
        height,
        bits,
        time: previous.header.time.max(min_time),
        min_time,
        coinbase_value: Amount::from_sat(params.subsidy_sat(height)) + fees,
        witness_commitment: None,
        transactions: transactions.into(),
        weight_limit: BLOCK_WEIGHT_MAX,
        sigops_limit: BLOCK_SIGOPS_COST_MAX,
        long_poll_id: None,
        signet_challenge: None,
    }
}

/// Returns a transaction that spends an output that does not exist.
fn transaction(prev_block: &bitcoin::BlockHash, position: u32) -> TemplateTransaction {
    let mut engine = sha256::Hash::engine();
    engine.input(prev_block.as_byte_array());
    engine.input(&position.to_le_bytes());
    let made_up = sha256::Hash::from_engine(engine).to_byte_array();
    let mut key_hash = [0; 20];
    key_hash.copy_from_slice(&made_up[..20]);
    let transaction = Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint { txid: Txid::from_byte_array(made_up), vout: 0 },
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[made_up]),
        }],
        output: vec![TxOut {
            value: Amount::from_sat(100_000),
            script_pubkey: ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(key_hash)),
        }],
    };
    TemplateTransaction {
        raw: serialize(&transaction).into(),
        txid: transaction.compute_txid(),
        wtxid: transaction.compute_wtxid(),
        fee: Amount::from_sat(FIRST_FEE_SAT / u64::from(position + 1)),
        weight: transaction.weight().to_wu(),
        sigops_cost: 1,
    }
}
