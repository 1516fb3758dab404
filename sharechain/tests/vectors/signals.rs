//! States of upgrades.

use serde_json::{Value, json};
use sharechain::Height;
use sharechain::signals::{PERIOD_LINKS, Signals, State};

use crate::files::Case;

/// Masks of the locked-in bits and of the active bits.
fn masks(signals: &Signals, height: Height) -> (u32, u32) {
    signals.states(height).fold((0, 0), |(locked_in, active), (bit, state)| match state {
        State::Counting { .. } => (locked_in, active),
        State::LockedIn { .. } => (locked_in | 1 << bit, active),
        State::Active { .. } => (locked_in, active | 1 << bit),
    })
}

/// Links according to `patterns`, and the masks at the end of each period.
pub(super) fn counted(patterns: &Value) -> (Signals, Vec<(u32, u32)>) {
    let number = |value: &Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    let (mut height, mut signals, mut periods) = (Height(0), Signals::default(), Vec::new());
    for pattern in patterns.as_array().unwrap() {
        for _ in 0..number(&pattern["times"]) {
            for run in pattern["links"].as_array().unwrap() {
                for _ in 0..number(&run[0]) {
                    height = height.child();
                    signals = signals.after(height, number(&run[1]));
                    if height.0.is_multiple_of(PERIOD_LINKS) {
                        periods.push(masks(&signals, height));
                    }
                }
            }
        }
    }
    (signals, periods)
}

pub(super) fn check(case: &mut Case) {
    case.text("name");
    let (signals, periods) = counted(case.get("patterns"));
    let states = periods.chunk_by(|a, b| a == b).map(|same| {
        let (locked_in, active) = same[0];
        json!({"periods": same.len(), "locked_in": locked_in, "active": active})
    });
    assert_eq!(&Value::Array(states.collect()), case.get("states"));
    assert_eq!(signals.commitment(), case.array("commitment"));
}
