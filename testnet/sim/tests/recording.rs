//! Recorded networks of honest and hostile miners, replayed by the program's rules and by the model, which was written
//! from the specification alone. Both find what the recorder found, and both reject the same alterations by the same
//! rule.
//!
//! `RECORDING_SEEDS=100` checks a hundred random networks instead of a few.

mod recorded;

use recorded::{Recorded, altered, found_by_model, found_by_program, shuffled};
use recording::Line;
use sim::scenario::Scenario;

const SCENARIO: &str = include_str!("../../scenarios/cut.toml");

/// Default number of random networks.
const SEEDS: u64 = 3;

/// Longest random network in simulated seconds. The model takes a second for some hundred proofs.
const SECONDS_MAX: f64 = 900.0;

fn recorded() -> Recorded {
    Recorded::new(&Scenario::parse(SCENARIO).expect("the scenario is sound"), 7)
}

#[test]
fn model_and_program_agree_on_a_network_that_was_cut_in_two() {
    let recorded = recorded();
    let text = recorded.text(&recorded.lines);
    let program = found_by_program(&text);
    assert_eq!(program.differences, []);
    assert!(program.links > program.height + 10, "{program:?}: too few links lost a race to show reorganisations");
    assert!(recorded.claimed_outputs() > 1, "payouts are shared");
    assert_eq!(found_by_model(&text), program);
}

#[test]
fn the_order_of_arrival_changes_nothing() {
    let recorded = recorded();
    let in_order = found_by_program(&recorded.text(&recorded.lines));
    let mut reversed = recorded.lines.clone();
    let claims = reversed.iter().position(|line| matches!(line, Line::Claim(_))).expect("there are claims");
    reversed[..claims].reverse();
    for lines in [reversed, shuffled(&recorded.lines, claims, 1), shuffled(&recorded.lines, claims, 2)] {
        let text = recorded.text(&lines);
        let program = found_by_program(&text);
        assert_eq!(program, in_order);
        assert_eq!(found_by_model(&text), in_order);
    }
}

#[test]
fn a_payout_moved_by_a_satoshi_is_refused_by_both() {
    let recorded = recorded();
    let (lines, expected) = altered(&recorded);
    assert!(expected.len() > 40, "{} altered proofs", expected.len());
    let text = recorded.text(&lines);
    let program = found_by_program(&text);
    assert_eq!(program.differences, expected);
    assert_eq!(found_by_model(&text), program);
}

#[test]
fn model_and_program_agree_on_random_networks() {
    let seeds = std::env::var("RECORDING_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS);
    for seed in 1..=seeds {
        let mut scenario = Scenario::random(seed);
        scenario.duration_s = scenario.duration_s.min(SECONDS_MAX);
        let recorded = Recorded::new(&scenario, seed);
        let text = recorded.text(&recorded.lines);
        let program = found_by_program(&text);
        assert_eq!(program.differences, [], "seed {seed}");
        assert_eq!(found_by_model(&text), program, "seed {seed}");
    }
}
