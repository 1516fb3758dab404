//! The oracles find planted bugs of their kinds soon, and report nothing where there is no bug.

use sim::oracle::{Oracle, Watched, watch};
use sim::plant::Plant;
use sim::scenario::Scenario;

/// Eight honest nodes far from each other. Some are slow, so that links race. After a partition, proofs arrive before
/// their parents. Bitcoin blocks are frequent.
const SCENARIO: &str = r#"
name = "planted"
duration_s = 1200

[pool]
bitcoin_part = 0.9
distance_ms = 700

[constants]
link_interval_s = 3

[[nodes]]
name = "near"
count = 5
lines = ["fibre"]

[[nodes]]
name = "far"
count = 3
lines = ["tor"]

[[miners]]
name = "near"
part = 0.6
on = "near"

[[miners]]
name = "far"
part = 0.4
on = "far"

[[faults]]
kind = "partition"
at_s = 700
for_s = 90
parts = [0.5, 0.5]
"#;

/// Seeds of worlds in which a bug must show. In some worlds, the planted node is lucky.
const SEEDS: std::ops::RangeInclusive<u64> = 1..=4;

fn run(seed: u64, plant: Option<Plant>) -> Watched {
    let scenario = Scenario::parse(SCENARIO).expect("the scenario is sound");
    watch(&scenario, seed, plant).expect("its strategies exist")
}

fn assert_found(plant: Plant, oracles: &[Oracle]) {
    let violation = SEEDS.into_iter().find_map(|seed| run(seed, Some(plant)).violation).expect("the bug is found");
    assert!(oracles.contains(&violation.oracle), "{plant:?}: {violation}");
}

#[test]
fn nothing_is_found_where_no_bug_is() {
    let Watched { violation, links, .. } = run(1, None);
    assert_eq!(violation, None);
    assert!(links > 60, "{links} links");
}

#[test]
fn a_second_credit_is_found() {
    assert_found(Plant::CreditTwice, &[Oracle::Credit]);
}

#[test]
fn a_lost_share_is_found() {
    assert_found(Plant::LostShare, &[Oracle::Lost]);
}

#[test]
fn the_window_of_another_branch_is_found() {
    assert_found(Plant::OldWindow, &[Oracle::State]);
}

#[test]
fn a_ban_for_what_cannot_be_judged_yet_is_found() {
    assert_found(Plant::HeldInvalid, &[Oracle::Valid]);
}

#[test]
fn growing_memory_is_found() {
    assert_found(Plant::Leak, &[Oracle::Memory]);
}

#[test]
fn a_lost_satoshi_is_found() {
    assert_found(Plant::LostSatoshi, &[Oracle::Money]);
}

#[test]
fn an_invented_share_is_found() {
    assert_found(Plant::InventedShare, &[Oracle::Invalid]);
}

#[test]
fn another_state_root_is_found() {
    assert_found(Plant::OtherState, &[Oracle::State]);
}

#[test]
fn a_settled_link_that_gives_way_is_found() {
    assert_found(Plant::SettledAtOnce, &[Oracle::Settled]);
}

#[test]
fn a_node_that_hears_nothing_is_found() {
    assert_found(Plant::Deaf, &[Oracle::Convergence, Oracle::Lost]);
}
