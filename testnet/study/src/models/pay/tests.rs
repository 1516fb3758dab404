use sharechain::payout::select;
use sharechain::window::Row;
use sharechain::{ChainParams, Height, Weight};

use super::ledger::Ledger;
use super::miners::{Group, Miners, script};
use super::pool::{Pool, window_s};
use super::units::{BLOCK_WORK, DAY_S, EXA, PETA, TERA, Worth, blocks, to_f64};
use sim::rng::stream;

#[test]
fn work_is_credited_at_its_worth_whatever_the_pool() {
    let params = ChainParams::main();
    for hashrate in [TERA, PETA, 10.0 * EXA] {
        let worth = Worth::of(hashrate, &params);
        let fair = hashrate / to_f64(BLOCK_WORK);
        // Links earn an extra thirty-second.
        assert!((worth.blocks_per_s() / fair - 65.0 / 64.0).abs() < 1e-3, "{hashrate}: {worth:?}");
    }
    // The floor of 2^42 hashes binds below 14 TH/s.
    assert!((Worth::of(TERA, &params).shares_per_s - 0.227).abs() < 0.001);
    assert!((Worth::of(PETA, &params).shares_per_s - 3.2).abs() < 0.001);
}

#[test]
fn windows_end_at_their_weight_in_large_pools_and_at_their_proofs_in_small_ones() {
    let params = ChainParams::main();
    let large = Miners::new(&[Group::new(1_000, 10.0 * PETA)]);
    // Eight blocks at 1.44 per day, plus a sixty-fourth of credit.
    assert!((window_s(&large, &params) / DAY_S - 8.0 / 1.44 * 64.0 / 65.0).abs() < 0.04);
    let small = Miners::new(&[Group::new(1_000, TERA)]);
    let days = to_f64(1 << 21) / 3.2 / DAY_S;
    assert!((window_s(&small, &params) / DAY_S - days).abs() < 0.3);
}

#[test]
fn a_ledger_keeps_what_its_window_needs() {
    let params = ChainParams { window_weight: Weight(30), ..ChainParams::main() };
    let mut ledger = Ledger::new(params);
    for _ in 0..100 {
        ledger.push(vec![Row { script: script(0), weight: Weight(7), shares: 1 }]);
    }
    for snapshot in [50, 60, 100] {
        let window = ledger.settle(Height(snapshot));
        assert_eq!((window.oldest().0, window.newest().0, window.total().0), (snapshot - 4, snapshot, 35));
    }
    assert_eq!(ledger.tip(), Height(100));
}

#[test]
fn full_windows_hold_what_miners_worked() {
    let params = ChainParams::main();
    let miners = Miners::new(&[Group::new(100, PETA), Group::new(2, 50.0 * PETA)]);
    let mut pool = Pool::new(&miners, &params);
    let mut rng = stream(1, "test", 0);
    let found = pool.next_block(f64::INFINITY, &mut rng).unwrap();
    let total = blocks(pool.window().total());
    let weight = window_s(&miners, &params) * Worth::of(miners.hashrate(), &params).blocks_per_s();
    assert!((total / weight - 1.0).abs() < 0.01, "{total} of {weight}");
    let large = blocks(pool.window().sum(script(100)).weight) / total;
    assert!((large - 0.25).abs() < 0.01, "{large}");
    assert!(found.selection.entries().len() == params.outputs_max);
    assert!(select(pool.window().dues(miners.scripts()), &[0; 32], 1, &params).unwrap().is_some());
}
