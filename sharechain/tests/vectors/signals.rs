//! Counts of signals.

use serde_json::{Value, json};
use sharechain::signals::{Signals, State};
use sharechain::{Height, Weight};

use crate::files::Case;

/// So many links in a row, and what each credits: bits and weights.
type Run = (u32, Vec<(u32, u128)>);

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
    let (height, signals) = count(&runs);
    let states = signals.states(height).map(|(bit, state)| match state {
        State::Counting { weight, of } => json!([bit, weight.0.to_string(), of.0.to_string()]),
        State::LockedIn { from } | State::Active { from } => json!([bit, from.0]),
    });
    assert_eq!(&Value::Array(states.collect()), case.get("states"));
}
