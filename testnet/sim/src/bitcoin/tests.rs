use super::bitcoind::{Bitcoind, Health};
use super::*;
use crate::rng::stream;

fn bitcoin(seed: u64) -> Bitcoin {
    let main = ChainParams::main();
    let bitcoin = BitcoinParams { pow_limit_bits: 0x207f_ffff, start_height: ROOT_HEIGHT + 1, ..main.bitcoin.clone() };
    let params = ChainParams { bitcoin, ..main };
    let root = root(100.0, Timestamp(1_800_000_000), &params);
    Bitcoin::new(&params.bitcoin, &root, stream(seed, "bitcoin", 0))
}

#[test]
fn targets_take_as_many_hashes_as_asked_for() {
    for hashes in [1.0, 8.0, 16.0, 153_600.0, 1e12] {
        let Work(work) = Work::of_target(target_of_hashes(hashes));
        // Work is counted in whole hashes.
        assert!((f64::from(work) - hashes).abs() <= 1.0 + hashes * 1e-9, "{hashes}");
    }
}

#[test]
fn the_rest_of_the_world_builds_a_chain_that_every_bitcoind_follows() {
    let mut bitcoin = bitcoin(1);
    let mut bitcoind = Bitcoind::new(&bitcoin);
    for minute in 1..=5 {
        let hash = bitcoin.find(Timestamp(1_800_000_000 + 60 * minute)).unwrap();
        assert!(bitcoind.hear(hash, &bitcoin));
        assert_eq!(bitcoind.tip(), hash);
        assert_eq!(bitcoin.template(&hash).unwrap().height, ROOT_HEIGHT + minute + 1);
    }
    assert!((bitcoin.hashes_a_block() - 100.0).abs() < 1.0);
}

#[test]
fn a_bitcoind_keeps_what_it_saw_first_and_knows_the_competitor() {
    let mut bitcoin = bitcoin(2);
    let start = bitcoin.rest_tip();
    let mut bitcoind = Bitcoind::new(&bitcoin);
    let now = Timestamp(1_800_000_600);
    let one = bitcoin.mine_on(start, [1; 32], now, true).unwrap();
    let other = bitcoin.mine_on(start, [2; 32], now, true).unwrap();
    assert!(bitcoind.hear(other, &bitcoin));
    assert!(!bitcoind.hear(one, &bitcoin));
    assert_eq!(bitcoind.competing_tips(&bitcoin), [other, one]);
    assert!(!bitcoind.header(&one, &bitcoin).unwrap().active);
    assert!(bitcoind.header(&start, &bitcoin).unwrap().active);
    let above = bitcoin.mine_on(one, [3; 32], now, true).unwrap();
    assert!(bitcoind.hear(above, &bitcoin));
    assert!(bitcoind.header(&one, &bitcoin).unwrap().active);
}

#[test]
fn invalid_blocks_are_followed_only_by_a_bitcoind_that_is_unwell() {
    let mut bitcoin = bitcoin(3);
    let bad = bitcoin.mine_on(bitcoin.rest_tip(), [1; 32], Timestamp(1_800_000_600), false).unwrap();
    let mut well = Bitcoind::new(&bitcoin);
    let (mut credulous, mut stuck) = (well.clone(), well.clone());
    credulous.health = Health::Credulous;
    stuck.health = Health::Stuck;
    assert!(!well.hear(bad, &bitcoin));
    assert!(credulous.hear(bad, &bitcoin));
    let good = bitcoin.find(Timestamp(1_800_000_700)).unwrap();
    assert!(well.hear(good, &bitcoin));
    assert!(!stuck.hear(good, &bitcoin));
}
