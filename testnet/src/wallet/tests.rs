use super::*;
use crate::premine;

fn premined_wallet() -> Wallet {
    let mut wallet = Wallet::new();
    for (height, block) in (1..).zip(premine::blocks().unwrap()) {
        wallet.connect(height, &block);
    }
    wallet
}

#[test]
fn only_mature_coinbases_are_spent() {
    let mut wallet = premined_wallet();
    // At height 120 the next block is 121, which may spend the coinbases of heights 1 to 21.
    let mature: Vec<_> = premine::blocks().unwrap()[..21].iter().map(|block| block.txdata[0].compute_txid()).collect();
    let mut from_coinbase = 0;
    let mut chained = 0;
    for _ in 0..20 {
        let spend = wallet.spend().expect("there are mature coins");
        let parent = spend.transaction.input[0].previous_output.txid;
        if mature.contains(&parent) { from_coinbase += 1 } else { chained += 1 }
    }
    assert!(from_coinbase >= 13, "{from_coinbase}");
    assert!(chained >= 5, "{chained}");
}

#[test]
fn coins_and_fees_add_up_and_no_coin_is_spent_twice() {
    let mut wallet = premined_wallet();
    let before: Amount = wallet.coins.values().map(|coin| coin.value).sum();
    let mut fees = Amount::ZERO;
    let mut spent = std::collections::BTreeSet::new();
    while let Some(spend) = wallet.spend() {
        fees += spend.fee;
        assert_eq!(spend.sigops, 1);
        let rate = spend.fee.to_sat() / spend.transaction.vsize() as u64;
        assert!((1..=12).contains(&rate), "{rate} sat/vB");
        for input in &spend.transaction.input {
            assert!(spent.insert(input.previous_output));
        }
        if spent.len() > 200 {
            break;
        }
    }
    let after: Amount = wallet.coins.values().map(|coin| coin.value).sum();
    assert_eq!(before, after + fees);
}

#[test]
fn a_parent_confirmed_without_its_child_is_not_spent_again() {
    let mut wallet = premined_wallet();
    let spends: Vec<Transaction> = (0..3).filter_map(|_| wallet.spend()).map(|spend| spend.transaction).collect();
    let child = &spends[2];
    let parent_id = child.input[0].previous_output.txid;
    let parent = spends.iter().find(|spend| spend.compute_txid() == parent_id).expect("every third spend is chained");

    let mut block = premine::blocks().unwrap().pop().unwrap();
    block.txdata = vec![parent.clone()];
    wallet.connect(121, &block);
    while let Some(spend) = wallet.spend() {
        for input in &spend.transaction.input {
            assert_ne!(input.previous_output, child.input[0].previous_output, "the child still waits in the pool");
        }
    }
}

/// Blocks with any part of the unconfirmed transactions, in order, like those of miners with templates of any age. The
/// remaining transactions must stay valid, and spend each coin once.
#[test]
fn what_waits_stays_valid_whatever_blocks_confirm() {
    let mut wallet = premined_wallet();
    let mut unspent: BTreeSet<OutPoint> = BTreeSet::new();
    for block in premine::blocks().unwrap() {
        unspent.insert(OutPoint { txid: block.txdata[0].compute_txid(), vout: 0 });
    }
    let mut waiting: Vec<Transaction> = Vec::new();
    let mut random = 1_u64;
    for height in 121..400 {
        for _ in 0..next(&mut random) % 13 {
            if waiting.len() < 12 {
                waiting.extend(wallet.spend().map(|spend| spend.transaction));
            }
        }
        assert_spendable(&waiting, unspent.clone());
        let count = next(&mut random) as usize % (waiting.len() + 1);
        let mut block = premine::blocks().unwrap().pop().unwrap();
        block.txdata = waiting.drain(..count).collect();
        for transaction in &block.txdata {
            apply(transaction, &mut unspent);
        }
        wallet.connect(height, &block);
        assert_spendable(&waiting, unspent.clone());
    }
}

fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

fn apply(transaction: &Transaction, unspent: &mut BTreeSet<OutPoint>) {
    for input in &transaction.input {
        assert!(unspent.remove(&input.previous_output), "{} is missing or spent", input.previous_output);
    }
    let txid = transaction.compute_txid();
    unspent.extend((0..transaction.output.len() as u32).map(|vout| OutPoint { txid, vout }));
}

fn assert_spendable(waiting: &[Transaction], mut unspent: BTreeSet<OutPoint>) {
    for transaction in waiting {
        apply(transaction, &mut unspent);
    }
}
