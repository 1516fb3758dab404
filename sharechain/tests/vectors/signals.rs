//! Counts of signals.

use serde_json::{Value, json};
use sharechain::signals::{PERIOD_LINKS, Signals, State};
use sharechain::{Height, Weight};

use crate::files::Case;

/// So many links in a row, and what each credits: bits and weights.
type Run = (u32, Vec<(u32, u128)>);

pub(super) fn make() -> Vec<Value> {
    let most = |bits, weight: u128| vec![(bits, 9 * weight), (0, weight)];
    let runs: [Vec<Run>; 7] = [
        vec![(1, vec![(0b101, 7), (4, 5), (0, 1)])],
        vec![(PERIOD_LINKS, most(1, 1_000))],
        vec![(PERIOD_LINKS, vec![(1, 8_999), (0, 1_001)])],
        vec![(PERIOD_LINKS - 1, most(1, 1_000)), (1, vec![(0, 1)])],
        vec![(PERIOD_LINKS, most(1 << 31, 1 << 60)), (PERIOD_LINKS, most(2, 3)), (5, vec![(u32::MAX, 2)])],
        vec![(PERIOD_LINKS, most(1, 1)), (PERIOD_LINKS, most(1, 1))],
        vec![(PERIOD_LINKS, vec![(u32::MAX, 0)])],
    ];
    runs.iter().map(|runs| case(runs)).collect()
}

fn case(runs: &[Run]) -> Value {
    let (height, signals) = count(runs);
    let mut states: Vec<Value> = Vec::new();
    for (bit, state) in signals.states(height) {
        states.push(match state {
            State::Counting { weight, of } => json!([bit, weight.0.to_string(), of.0.to_string()]),
            State::LockedIn { from } | State::Active { from } => json!([bit, from.0]),
        });
    }
    let runs: Vec<Value> = runs
        .iter()
        .map(|(links, credited)| {
            let credited: Vec<Value> =
                credited.iter().map(|(bits, weight)| json!([bits, weight.to_string()])).collect();
            json!({ "links": links, "credited": credited })
        })
        .collect();
    json!({ "runs": runs, "states": states })
}

fn count(runs: &[Run]) -> (Height, Signals) {
    let mut height = Height(0);
    let mut signals = Signals::default();
    for (links, credited) in runs {
        for _ in 0..*links {
            height = height.child();
            signals = signals.after(height, credited.iter().map(|(bits, weight)| (*bits, Weight(*weight))));
        }
    }
    (height, signals)
}

pub(super) fn check(case: &mut Case) {
    let read = |run: &Value| -> Run {
        let credited = run["credited"].as_array().unwrap().iter().map(|credit| {
            let bits = u32::try_from(credit[0].as_u64().unwrap()).unwrap();
            (bits, credit[1].as_str().unwrap().parse().unwrap())
        });
        (u32::try_from(run["links"].as_u64().unwrap()).unwrap(), credited.collect())
    };
    let runs: Vec<Run> = case.get("runs").as_array().unwrap().iter().map(read).collect();
    assert_eq!(&self::case(&runs)["states"], case.get("states"));
}
