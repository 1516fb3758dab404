use bitcoin::absolute::LockTime;
use bitcoin::hashes::Hash;
use bitcoin::{Amount, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Witness, transaction};

use super::*;
use crate::signet;

fn spending(previous_output: OutPoint, value_sat: u64) -> Spend {
    let transaction = Transaction {
        version: transaction::Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output,
            script_sig: ScriptBuf::new(),
            sequence: Sequence::MAX,
            witness: Witness::new(),
        }],
        output: vec![TxOut { value: Amount::from_sat(value_sat), script_pubkey: ScriptBuf::new() }],
    };
    Spend { transaction, fee: Amount::from_sat(100), sigops: 1 }
}

fn coin(number: u8) -> OutPoint {
    OutPoint { txid: Txid::from_byte_array([number; 32]), vout: 0 }
}

fn output_of(spend: &Spend) -> OutPoint {
    OutPoint { txid: spend.transaction.compute_txid(), vout: 0 }
}

#[test]
fn a_block_takes_out_its_own_transactions_and_what_conflicts() {
    let parent = spending(coin(1), 5000);
    let child = spending(output_of(&parent), 4000);
    let conflicting = spending(coin(2), 3000);
    let grandchild = spending(output_of(&conflicting), 2000);
    let unrelated = spending(coin(3), 1000);
    let mut pool = Pool::default();
    for spend in [&parent, &child, &conflicting, &grandchild, &unrelated] {
        pool.add(spend);
    }
    let mut block = signet::genesis();
    block.txdata.push(parent.transaction.clone());
    block.txdata.push(spending(coin(2), 9999).transaction);
    let version = pool.version();
    pool.connect(&block);
    let left: Vec<Txid> = pool.waiting().iter().map(|waiting| waiting.txid).collect();
    assert_eq!(left, [child.transaction.compute_txid(), unrelated.transaction.compute_txid()]);
    assert!(pool.version() > version);
}

#[test]
fn the_pool_is_bounded() {
    let mut pool = Pool::default();
    for number in 0..POOL_TRANSACTIONS_MAX as u64 + 10 {
        pool.add(&spending(coin(1), number));
    }
    assert_eq!(pool.waiting().len(), POOL_TRANSACTIONS_MAX);
}
