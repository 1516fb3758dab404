//! Random scenarios of fixed seeds under the eyes of the oracles: what `make sim-soak` does for longer.

use sim::oracle::watch;
use sim::scenario::Scenario;

/// Seeds whose scenarios have partitions, crashes and strategies among them.
const SEEDS: [u64; 4] = [2, 3, 5, 6];

/// Seeds that found something once: asking for the same again and again, a line whose queue outlived its fault, a race that
/// nobody lost.
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
