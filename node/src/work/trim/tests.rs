use bitcoin::consensus::encode::serialize;
use bitcoin::hashes::{Hash, HashEngine, sha256d};
use bitcoin::{Amount, CompactTarget, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxOut, Txid, Witness};
use bitcoin::{absolute, merkle_tree, transaction};

use super::Body;
use crate::bitcoind::{BlockTemplate, TemplateTransaction};

/// A chain of transactions, each of which spends the one before.
pub(crate) fn transactions(count: u32) -> Vec<TemplateTransaction> {
    let mut previous = Txid::all_zeros();
    (0..count).map(|position| chained(&mut previous, position)).collect()
}

fn chained(previous: &mut Txid, position: u32) -> TemplateTransaction {
    let input = TxIn {
        previous_output: OutPoint { txid: *previous, vout: 0 },
        script_sig: ScriptBuf::new(),
        sequence: Sequence::MAX,
        witness: Witness::from_slice(&[vec![7_u8; 60 + (position % 40) as usize]]),
    };
    let output = TxOut { value: Amount::from_sat(1_000), script_pubkey: ScriptBuf::from_bytes(vec![0x51; 22]) };
    let transaction = Transaction {
        version: transaction::Version::TWO,
        lock_time: absolute::LockTime::ZERO,
        input: vec![input],
        output: vec![output],
    };
    *previous = transaction.compute_txid();
    TemplateTransaction {
        raw: serialize(&transaction),
        txid: transaction.compute_txid(),
        wtxid: transaction.compute_wtxid(),
        fee: Amount::from_sat(100 + u64::from(position)),
        weight: transaction.weight().to_wu(),
        sigops_cost: 1,
        depends: position.checked_sub(1).into_iter().collect(),
    }
}

pub(crate) fn template(transactions: Vec<TemplateTransaction>, weight_limit: u64) -> BlockTemplate {
    let fees: Amount = transactions.iter().map(|transaction| transaction.fee).sum();
    BlockTemplate {
        version: 0x2000_0000,
        prev_block: bitcoin::BlockHash::all_zeros(),
        height: 1,
        bits: CompactTarget::from_consensus(0x207f_ffff),
        time: 1_800_000_000,
        min_time: 1_800_000_000,
        coinbase_value: Amount::from_sat(5_000_000_000) + fees,
        witness_commitment: None,
        transactions,
        weight_limit,
        sigops_limit: 80_000,
        long_poll_id: None,
        signet_challenge: None,
    }
}

fn fold(leaf: [u8; 32], branch: &[[u8; 32]]) -> [u8; 32] {
    branch.iter().fold(leaf, |at, sibling| {
        let mut engine = sha256d::Hash::engine();
        engine.input(&at);
        engine.input(sibling);
        sha256d::Hash::from_engine(engine).to_byte_array()
    })
}

#[test]
fn merkle_branch_and_witness_commitment_are_those_of_the_bitcoin_crate() {
    for count in 0..=40 {
        let body = Body::fit(&template(transactions(count), 4_000_000), 1_000);
        assert_eq!(body.kept, count as usize);
        let hashes = |coinbase: [u8; 32], of: fn(&TemplateTransaction) -> sha256d::Hash| {
            let rest = transactions(count);
            let all: Vec<_> =
                [sha256d::Hash::from_byte_array(coinbase)].into_iter().chain(rest.iter().map(of)).collect();
            merkle_tree::calculate_root(all.into_iter()).unwrap()
        };
        let root = hashes([9; 32], |transaction| transaction.txid.to_raw_hash());
        assert_eq!(fold([9; 32], &body.branch), root.to_byte_array(), "{count} transactions");
        let witness_root = hashes([0; 32], |transaction| transaction.wtxid.to_raw_hash());
        let commitment = fold(witness_root.to_byte_array(), &[[0; 32]]);
        assert_eq!(body.witness_commitment, commitment, "{count} transactions");
    }
}

#[test]
fn trimming_takes_from_the_end_and_gives_up_its_fees() {
    let all = transactions(300);
    let coinbase_weight = 9_000;
    let full: u64 = all.iter().map(|transaction| transaction.weight).sum();
    for spare in [0, 1, 500, 5_000, 60_000] {
        let limit = full + 320 + 12 + coinbase_weight - spare;
        let body = Body::fit(&template(all.clone(), limit), coinbase_weight);
        let kept: u64 = all[..body.kept].iter().map(|transaction| transaction.weight).sum();
        let weight_of = |kept: u64| kept + 320 + 12 + coinbase_weight;
        assert!(weight_of(kept) <= limit, "{spare} units too many");
        // Not one more than needed: the next would not fit.
        if let Some(next) = all.get(body.kept) {
            assert!(weight_of(kept + next.weight) > limit, "{spare} units too many");
        } else {
            assert_eq!(spare, 0);
        }
        let fees: Amount = all[..body.kept].iter().map(|transaction| transaction.fee).sum();
        assert_eq!(body.coinbase_value, Amount::from_sat(5_000_000_000) + fees);
        // Everything that stays finds what it spends before it.
        assert!(
            all[..body.kept].iter().enumerate().all(|(at, kept)| kept.depends.iter().all(|on| (*on as usize) < at))
        );
    }
}

#[test]
fn a_block_without_room_keeps_its_coinbase_alone() {
    let body = Body::fit(&template(transactions(5), 100), 1_000);
    assert_eq!((body.kept, body.coinbase_value), (0, Amount::from_sat(5_000_000_000)));
    assert!(body.branch.is_empty());
}
