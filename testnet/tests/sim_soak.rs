//! Random scenarios of fixed seeds under the eyes of the oracles: what `make sim-soak` does for longer.

use testnet::sim::oracle::watch;
use testnet::sim::scenario::Scenario;

/// Seeds whose scenarios have partitions, crashes and strategies among them.
const SEEDS: [u64; 4] = [2, 3, 5, 6];

#[test]
fn nothing_forbidden_happens_in_random_scenarios() {
    for seed in SEEDS {
        let watched = watch(&Scenario::random(seed), seed, None).expect("random scenarios are sound");
        if let Some(violation) = watched.violation {
            panic!("{violation}\nsee it again: shoal-testnet soak --from-seed {seed} --runs 1");
        }
        assert!(watched.finds > 100, "seed {seed}: {} finds", watched.finds);
    }
}
