//! Simulates five nodes for twenty minutes, with a partition of two minutes, and prints the results.
//!
//! Run it with `cargo run --release -p sim --example five_nodes`. The same seed gives the same output.

use sim::full::run;
use sim::scenario::Scenario;

const SEED: u64 = 1;

const SCENARIO: &str = r#"
name = "five nodes"
duration_s = 1200

[[nodes]]
name = "home"
count = 5

[[miners]]
name = "home"
part = 1.0

[[faults]]
kind = "partition"
at_s = 300
for_s = 120
parts = [0.4, 0.6]
"#;

fn main() {
    let scenario = Scenario::parse(SCENARIO).expect("it names only keys that there are");
    let summary = run(&scenario, SEED).expect("its miners have no strategy but honesty");
    print!("{summary}");
    assert!(summary.one_tip, "the partition is over: all nodes follow one branch");
    assert!(summary.links.main > 60, "links come every ten seconds on average");
    assert!(summary.ends.keys().all(|end| ["listed", "main link"].contains(&end.as_str())), "no work was lost");
    assert!(summary.bans.is_empty(), "a partition costs no peer anything");
}
