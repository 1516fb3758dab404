use super::rules::{self, MONERO_P2POOL, P2POOL, P2POOL_V2, Rules};
use super::run::{Cut, Miner, Outcome, Setup};
use super::strategy::Strategy;
use crate::sim::time::Micros;
use crate::sim::transport::Line;

/// Miners with these parts and strategies, each half of `latency_ms` away from everyone.
fn setup(rules: Rules, miners: &[(f64, &str)], latency_ms: u64, hours: u64) -> Setup {
    let line = Line { base: Micros(latency_ms * 500), up_bps: 1e9, down_bps: 1e9, loss: 0.0 };
    let miner = |&(part, name): &(f64, &str)| {
        let strategy = Strategy::named(name).unwrap();
        Miner { part, switch: Micros::ZERO, strategy, line }
    };
    let miners = miners.iter().map(miner).collect();
    Setup { rules, miners, duration: Micros::from_secs(hours * 3_600), cut: None }
}

fn run(setup: &Setup, seed: u64) -> Outcome {
    setup.run(|_, _| Micros::ZERO, seed)
}

const FIVE: [(f64, &str); 5] = [(0.2, "honest"); 5];

#[test]
fn without_latency_every_share_is_on_the_chain() {
    for rules in rules::ALL {
        let outcome = run(&setup(rules, &FIVE, 0, 24), 1);
        assert!(outcome.orphaned(|_| true) < 1e-3, "{}: {outcome:?}", rules.name);
    }
}

#[test]
fn the_same_seed_gives_the_same_outcome_and_another_one_does_not() {
    let setup = setup(MONERO_P2POOL, &FIVE, 500, 6);
    assert_eq!(run(&setup, 7), run(&setup, 7));
    assert_ne!(run(&setup, 7), run(&setup, 8));
}

#[test]
fn a_linear_chain_loses_what_is_found_while_a_share_travels() {
    // Of five equal miners, four can find a share in the second or so that another one travels.
    let outcome = run(&setup(P2POOL, &FIVE, 1_000, 2_000), 3);
    let expected = 0.8 * 1.1 / 30.0;
    let lost = outcome.orphaned(|_| true);
    assert!((lost / expected - 1.0).abs() < 0.08, "{lost} instead of {expected}");
}

#[test]
fn uncles_keep_most_of_what_a_linear_chain_loses() {
    for rules in [P2POOL_V2, MONERO_P2POOL] {
        let outcome = run(&setup(rules, &FIVE, 1_000, 200), 3);
        let uncles: u32 = outcome.tallies.iter().map(|tally| tally.uncles).sum();
        assert!(uncles > 3_000, "{}: {uncles}", rules.name);
        assert!(outcome.orphaned(|_| true) < 0.005, "{}: {outcome:?}", rules.name);
    }
}

#[test]
fn credit_is_what_is_on_the_chain_and_listed() {
    let outcome = run(&setup(P2POOL_V2, &FIVE, 2_000, 50), 5);
    let sum: f64 = outcome.tallies.iter().map(|tally| tally.credited).sum();
    let counted: u32 = outcome.tallies.iter().map(|tally| tally.on_chain + tally.uncles).sum();
    assert!((sum - f64::from(counted)).abs() < 1e-6);
    assert_eq!(outcome.height, outcome.tallies.iter().map(|tally| tally.on_chain).sum::<u32>());
}

#[test]
fn devices_that_switch_slowly_lose_on_a_linear_chain() {
    let mut setup = setup(P2POOL, &FIVE, 10, 2_000);
    setup.miners[0].switch = Micros::from_secs(3);
    let outcome = run(&setup, 9);
    // Every share makes it work on the old one for 3 s, its own included.
    let (slow, others) = (outcome.orphaned(|at| at == 0), outcome.orphaned(|at| at != 0));
    assert!((slow / (1.0 - (-3.0_f64 / 30.0).exp()) - 1.0).abs() < 0.1, "{slow}");
    assert!(others < 0.002, "{others}");
}

#[test]
fn selfish_mining_pays_on_a_linear_chain_what_eyal_and_sirer_say() {
    let miners: Vec<_> = [(0.4, "selfish")].into_iter().chain([(0.1, "honest"); 6]).collect();
    let outcome = run(&setup(P2POOL, &miners, 10, 4_000), 11);
    let alpha: f64 = 0.4;
    // Others saw their own share first, so none builds on the attacker's during a tie.
    let gain = alpha * (1.0 - alpha).powi(2) * 4.0 * alpha - alpha.powi(3);
    let expected = gain / (1.0 - alpha * (1.0 + (2.0 - alpha) * alpha));
    let revenue = outcome.advantage(|at| at == 0) * alpha;
    assert!((revenue - expected).abs() < 0.006, "{revenue} instead of {expected}");
}

#[test]
fn a_partition_costs_the_smaller_side() {
    let mut setup = setup(MONERO_P2POOL, &FIVE, 50, 3);
    setup.cut = Some(Cut { from: Micros::from_secs(1_000), to: Micros::from_secs(2_800), miners: 2 });
    let outcome = run(&setup, 13);
    let (small, large) = (outcome.orphaned(|at| at < 2), outcome.orphaned(|at| at >= 2));
    assert!((small - 1_800.0 / 10_800.0).abs() < 0.04, "{small}");
    assert!(large < 0.01, "{large}");
}
