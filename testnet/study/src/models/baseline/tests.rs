use super::rules::{self, MONERO_P2POOL, P2POOL, P2POOL_V2, Rules};
use super::run::{self, Outcome};
use sim::scenario::{Constants, Fault, Miners, Nodes, Pool, Scenario};
use sim::time::Micros;
use sim::transport::LineKind;

/// Miners with these parts and strategies, each with a node `latency_ms` away from all others.
fn setup(miners: &[(f64, &str)], latency_ms: f64, hours: f64) -> Scenario {
    let names = (0..miners.len()).map(|at| format!("group {at}"));
    let node = |name: String| {
        let mut node = Nodes::usual(&name, 1);
        (node.lines, node.device_switch_s) = (vec![LineKind::Datacenter], 0.0);
        node
    };
    let group = |((part, strategy), node): (&(f64, &str), &Nodes)| {
        Miners::honest(&node.name, &node.name, *part).with(strategy, toml::Table::new())
    };
    let nodes: Vec<Nodes> = names.map(node).collect();
    Scenario {
        name: String::new(),
        duration_s: hours * 3_600.0,
        pool: Pool { distance_ms: Some(latency_ms), ..Pool::default() },
        constants: Constants::default(),
        miners: miners.iter().zip(&nodes).map(group).collect(),
        nodes,
        faults: Vec::new(),
    }
}

fn run(scenario: &Scenario, rules: Rules, seed: u64) -> Outcome {
    run::run(scenario, rules, seed, &(Micros::ZERO..Micros::NEVER)).unwrap()
}

const FIVE: [(f64, &str); 5] = [(0.2, "honest"); 5];

#[test]
fn without_latency_every_share_is_on_the_chain() {
    for rules in rules::ALL {
        let outcome = run(&setup(&FIVE, 0.0, 24.0), rules, 1);
        assert!(outcome.sum(|_| true).orphaned() < 1e-3, "{}: {outcome:?}", rules.name);
    }
}

#[test]
fn the_same_seed_gives_the_same_outcome_and_another_one_does_not() {
    let setup = setup(&FIVE, 500.0, 6.0);
    assert_eq!(run(&setup, MONERO_P2POOL, 7), run(&setup, MONERO_P2POOL, 7));
    assert_ne!(run(&setup, MONERO_P2POOL, 7), run(&setup, MONERO_P2POOL, 8));
}

#[test]
fn a_linear_chain_loses_what_is_found_while_a_share_travels() {
    // Of five equal miners, four can find a share in the second or so that another one travels.
    let outcome = run(&setup(&FIVE, 1000.0, 2000.0), P2POOL, 3);
    let expected = 0.8 * 1.1 / 30.0;
    let lost = outcome.sum(|_| true).orphaned();
    assert!((lost / expected - 1.0).abs() < 0.08, "{lost} instead of {expected}");
}

#[test]
fn uncles_keep_most_of_what_a_linear_chain_loses() {
    for rules in [P2POOL_V2, MONERO_P2POOL] {
        let outcome = run(&setup(&FIVE, 1000.0, 200.0), rules, 3);
        let uncles = outcome.sum(|_| true).uncles;
        assert!(uncles > 3_000, "{}: {uncles}", rules.name);
        assert!(outcome.sum(|_| true).orphaned() < 0.005, "{}: {outcome:?}", rules.name);
    }
}

#[test]
fn credit_is_what_is_on_the_chain_and_listed() {
    let outcome = run(&setup(&FIVE, 2000.0, 50.0), P2POOL_V2, 5);
    let sum = outcome.sum(|_| true);
    assert!((sum.credited - f64::from(sum.on_chain + sum.uncles)).abs() < 1e-6);
    assert_eq!(outcome.height, sum.on_chain);
}

#[test]
fn devices_that_switch_slowly_lose_on_a_linear_chain() {
    let mut setup = setup(&FIVE, 10.0, 2_000.0);
    setup.nodes[0].device_switch_s = 3.0;
    let outcome = run(&setup, P2POOL, 9);
    // Every share, including its own, makes it work on the old one for 3 s.
    let (slow, others) =
        (outcome.sum(|miner| miner.group == 0).orphaned(), outcome.sum(|miner| miner.group != 0).orphaned());
    assert!((slow / (1.0 - (-3.0_f64 / 30.0).exp()) - 1.0).abs() < 0.1, "{slow}");
    assert!(others < 0.002, "{others}");
}

#[test]
fn selfish_mining_pays_on_a_linear_chain_what_eyal_and_sirer_say() {
    let miners: Vec<_> = [(0.4, "selfish")].into_iter().chain([(0.1, "honest"); 6]).collect();
    let outcome = run(&setup(&miners, 10.0, 4000.0), P2POOL, 11);
    let alpha: f64 = 0.4;
    // The others saw their own share first, so none builds on the attacker's during a tie.
    let gain = alpha * (1.0 - alpha).powi(2) * 4.0 * alpha - alpha.powi(3);
    let expected = gain / (1.0 - alpha * (1.0 + (2.0 - alpha) * alpha));
    let (attacker, all) = (outcome.sum(|miner| miner.group == 0), outcome.sum(|_| true));
    let revenue = alpha * attacker.rate() / all.rate();
    assert!((revenue - expected).abs() < 0.006, "{revenue} instead of {expected}");
}

#[test]
fn a_partition_costs_the_smaller_side() {
    let mut setup = setup(&FIVE, 50.0, 3.0);
    setup.faults.push(Fault::Partition { at_s: 1_000.0, for_s: Some(1_800.0), parts: vec![0.4, 0.6] });
    let outcome = run(&setup, MONERO_P2POOL, 13);
    let mut lost: Vec<f64> = (0..5).map(|group| outcome.sum(|miner| miner.group == group).orphaned()).collect();
    lost.sort_by(f64::total_cmp);
    let (small, large) = ((lost[3] + lost[4]) / 2.0, lost[2]);
    assert!((small - 1_800.0 / 10_800.0).abs() < 0.04, "{small}");
    assert!(large < 0.01, "{large}");
}
