use std::sync::Arc;

use bitcoin::hashes::{Hash, HashEngine, sha256d};
use bitcoin::{Amount, PubkeyHash, ScriptBuf, ScriptHash, WPubkeyHash, WScriptHash, merkle_tree};

use super::{CoinbaseCost, Contents};
use crate::jobs::TemplateTransaction;
use crate::jobs::fixtures::{template, transactions};

fn fold(leaf: [u8; 32], branch: &[[u8; 32]]) -> [u8; 32] {
    branch.iter().fold(leaf, |at, sibling| {
        let mut engine = sha256d::Hash::engine();
        engine.input(&at);
        engine.input(sibling);
        sha256d::Hash::from_engine(engine).to_byte_array()
    })
}

/// A coinbase of this weight without signature operations.
fn weighing(weight: u64) -> CoinbaseCost {
    CoinbaseCost { weight, sigops: 0 }
}

#[test]
fn merkle_branch_and_witness_commitment_are_those_of_the_bitcoin_crate() {
    for count in (0..=40).chain([255, 256, 510, 511, 512, 1_001, 1_023, 1_278, 1_279, 1_280, 2_047, 5_000]) {
        let body = Contents::fit(&template(transactions(count), 4_000_000), weighing(1_000));
        assert_eq!(body.kept.transactions, count as usize);
        let hashes = |coinbase: [u8; 32], of: fn(&TemplateTransaction) -> sha256d::Hash| {
            let rest = transactions(count);
            let all: Vec<_> = [sha256d::Hash::from_byte_array(coinbase)]
                .into_iter()
                .chain(rest.iter().map(|transaction| of(transaction)))
                .collect();
            merkle_tree::calculate_root(all.into_iter()).unwrap()
        };
        let root = hashes([9; 32], |transaction| transaction.txid.to_raw_hash());
        assert_eq!(fold([9; 32], &body.branch), root.to_byte_array(), "{count} transactions");
        let witness_root = hashes([0; 32], |transaction| transaction.wtxid.to_raw_hash());
        let commitment = fold(witness_root.to_byte_array(), &[[0; 32]]);
        assert_eq!(body.witness_commitment, commitment, "{count} transactions");
    }
}

/// bitcoind knows it already, unless this node drops transactions.
#[test]
fn the_witness_commitment_of_bitcoind_counts_for_all_transactions_alone() {
    let all = transactions(300);
    let full: u64 = all.iter().map(|transaction| transaction.weight).sum();
    for (limit, is_known) in [(4_000_000, true), (full, false)] {
        let mut block = template(all.clone(), limit);
        let hashed = Contents::fit(&block, weighing(9_000)).witness_commitment;
        let script = [&[0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed][..], &[7; 32]].concat();
        block.witness_commitment = Some(ScriptBuf::from(script));
        let body = Contents::fit(&block, weighing(9_000));
        assert_eq!(body.kept.transactions == 300, is_known);
        assert_eq!(body.witness_commitment, if is_known { [7; 32] } else { hashed });
    }
}

#[test]
fn trimming_takes_from_the_end_and_gives_up_its_fees() {
    let all = transactions(300);
    let coinbase_weight = 9_000;
    let full: u64 = all.iter().map(|transaction| transaction.weight).sum();
    for spare in [0, 1, 500, 5_000, 60_000] {
        let limit = full + 320 + 12 + coinbase_weight - spare;
        let body = Contents::fit(&template(all.clone(), limit), weighing(coinbase_weight));
        let kept: u64 = all[..body.kept.transactions].iter().map(|transaction| transaction.weight).sum();
        let weight_of = |kept: u64| kept + 320 + 12 + coinbase_weight;
        assert!(weight_of(kept) <= limit, "{spare} units too many");
        // It drops no transaction too many: one more would not fit.
        if let Some(next) = all.get(body.kept.transactions) {
            assert!(weight_of(kept + next.weight) > limit, "{spare} units too many");
        } else {
            assert_eq!(spare, 0);
        }
        let fees: Amount = all[..body.kept.transactions].iter().map(|transaction| transaction.fee).sum();
        assert_eq!(body.kept.coinbase_value, Amount::from_sat(5_000_000_000) + fees);
    }
}

#[test]
fn another_cost_keeps_the_hashes_of_the_same_transactions() {
    let all = transactions(20);
    let full: u64 = all.iter().map(|transaction| transaction.weight).sum();
    let block = template(all, full + 320 + 4 + 9_000);
    let body = Contents::fit(&block, weighing(9_000));
    assert_eq!(body.kept.transactions, 20);
    assert!(body.fits(&block, weighing(8_000)) && body.fits(&block, weighing(9_000)));
    assert!(!body.fits(&block, weighing(9_001)), "the last transaction has no room");
    assert!(!Contents::fit(&block, weighing(9_001)).fits(&block, weighing(9_000)), "there is room for it again");
}

#[test]
fn a_block_without_room_keeps_its_coinbase_alone() {
    let body = Contents::fit(&template(transactions(5), 100), weighing(1_000));
    assert_eq!((body.kept.transactions, body.kept.coinbase_value), (0, Amount::from_sat(5_000_000_000)));
    assert!(body.branch.is_empty());
}

/// bitcoind reserves 400 for the coinbase of a template. A thousand P2PKH outputs take 4,000.
#[test]
fn trimming_leaves_room_for_the_signature_operations_of_the_coinbase() {
    const LIMIT: u64 = 80_000;
    let p2pkh = ScriptBuf::new_p2pkh(&PubkeyHash::all_zeros());
    for outputs in [0, 1, 48, 100, 101, 1_000] {
        let cost = CoinbaseCost::of(std::iter::repeat_n(p2pkh.as_script(), outputs));
        assert_eq!(cost.sigops, 4 * outputs as u64);
        let mut all = transactions(199);
        all.iter_mut().for_each(|transaction| Arc::make_mut(transaction).sigops_cost = 400);
        let of = |kept: usize| all[..kept].iter().map(|transaction| transaction.sigops_cost).sum::<u64>();
        let body = Contents::fit(&template(all.clone(), 4_000_000), cost);
        assert!(of(body.kept.transactions) + cost.sigops <= LIMIT, "{outputs} outputs");
        // It drops no transaction too many, and the value excludes the fees of those that it dropped.
        assert!(
            body.kept.transactions == all.len() || of(body.kept.transactions + 1) + cost.sigops > LIMIT,
            "{outputs} outputs"
        );
        let fees: Amount = all[..body.kept.transactions].iter().map(|transaction| transaction.fee).sum();
        assert_eq!(body.kept.coinbase_value, Amount::from_sat(5_000_000_000) + fees);
    }
}

#[test]
fn the_cost_of_a_coinbase_is_that_of_its_payout_scripts() {
    let key = [2; 20];
    let scripts = [
        (ScriptBuf::new_p2pkh(&PubkeyHash::from_byte_array(key)), 4),
        (ScriptBuf::new_p2sh(&ScriptHash::from_byte_array(key)), 0),
        (ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(key)), 0),
        (ScriptBuf::new_p2wsh(&WScriptHash::from_byte_array([0xac; 32])), 0),
        // The key consists of opcodes that check signatures, but the script only pushes it.
        (ScriptBuf::from_bytes([&[0x51, 0x20], &[0xac; 32][..]].concat()), 0),
    ];
    for (script, sigops) in scripts {
        assert!(sharechain::encode::is_payout_script(&script));
        assert_eq!(CoinbaseCost::of([script.as_script()]).sigops, sigops, "{script}");
        let of_finder = CoinbaseCost::of_finder();
        assert!(CoinbaseCost::of([script.as_script()]).weight == of_finder.weight && sigops <= of_finder.sigops);
    }
}
