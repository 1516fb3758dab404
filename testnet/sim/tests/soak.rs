//! Random scenarios of fixed seeds, checked by the oracles. `make sim-soak` does the same for longer.

use sim::oracle::watch;
use sim::scenario::Scenario;

/// Seeds whose scenarios include partitions, crashes and strategies.
const SEEDS: [u64; 4] = [2, 3, 5, 6];

/// Seeds that once found a bug: endless repeated requests, a line whose queue outlived its fault, a race without a
/// loser.
const FOUND: [u64; 7] = [1, 4, 14, 15, 18, 19, 72];

#[test]
fn nothing_forbidden_happens_in_random_scenarios() {
    SEEDS.into_iter().for_each(holds);
}

#[test]
fn what_was_found_once_does_not_come_back() {
    FOUND.into_iter().for_each(holds);
}

fn holds(seed: u64) {
    let watched = watch(&Scenario::random(seed), seed, None).expect("random scenarios are sound");
    if let Some(violation) = watched.violation {
        panic!("{violation}\nsee it again: shoal-sim soak --from-seed {seed} --runs 1");
    }
    assert!(watched.finds > 100, "seed {seed}: {} finds", watched.finds);
}
