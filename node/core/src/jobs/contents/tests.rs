use bitcoin::hashes::{Hash, HashEngine, sha256d};
use bitcoin::{Amount, merkle_tree};

use super::Contents;
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

#[test]
fn merkle_branch_and_witness_commitment_are_those_of_the_bitcoin_crate() {
    for count in 0..=40 {
        let body = Contents::fit(&template(transactions(count), 4_000_000), 1_000);
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
        let body = Contents::fit(&template(all.clone(), limit), coinbase_weight);
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
    let body = Contents::fit(&template(transactions(5), 100), 1_000);
    assert_eq!((body.kept, body.coinbase_value), (0, Amount::from_sat(5_000_000_000)));
    assert!(body.branch.is_empty());
}
