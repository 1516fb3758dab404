//! The times of faults in a scenario, and the times after them. Some invariants hold only in calm times.

use crate::scenario::{Fault, Scenario};
use crate::time::Micros;

/// Seconds before a fault in which a proof may still be affected by it.
const BEFORE_S: f64 = 60.0;

/// Seconds after a fault: connections are redialed within 30 s, and nodes fetch the data they missed.
const AFTER_S: f64 = 180.0;

/// Seconds after a change of hashrate. At a half-life of 20 minutes, targets need half an hour to follow a factor of
/// 10. Until then, links may come faster than they travel.
const AFTER_HASHRATE_S: f64 = 3_600.0;

/// Seconds after the start, while nodes connect.
const START_S: f64 = 60.0;

/// The times of faults.
#[derive(Clone, Debug)]
pub(super) struct Calm {
    /// Start and end of each fault, in seconds.
    troubles: Vec<(f64, f64)>,
}

impl Calm {
    /// Returns the faults of a scenario.
    #[must_use]
    pub(super) fn of(scenario: &Scenario) -> Self {
        let faults = scenario.faults.iter().map(|fault| {
            let after_s = if matches!(fault, Fault::Hashrate { .. }) { AFTER_HASHRATE_S } else { AFTER_S };
            let end_s = match fault {
                Fault::Partition { for_s: None, at_s, .. } => scenario.healed_s(*at_s),
                _ => fault.end_s(),
            };
            (fault.at_s() - BEFORE_S, end_s + after_s)
        });
        let joins = scenario.nodes.iter().map(|group| {
            let end_s = group.join_at_s + group.join_within_s;
            (group.join_at_s, end_s + START_S)
        });
        Self { troubles: faults.chain(joins).collect() }
    }

    /// Returns whether no fault is active between two moments.
    #[must_use]
    pub(super) fn between(&self, from: Micros, to: Micros) -> bool {
        let (from_s, to_s) = (from.as_secs_f64(), to.as_secs_f64());
        self.troubles.iter().all(|(begin_s, end_s)| to_s < *begin_s || from_s > *end_s)
    }
}

impl Scenario {
    /// Returns when a partition without an end that began at `at_s` heals, in seconds. Infinite if it does not.
    fn healed_s(&self, at_s: f64) -> f64 {
        let heals = self.faults.iter().filter_map(|fault| match fault {
            Fault::Heal { at_s: heal_s } if *heal_s >= at_s => Some(*heal_s),
            _ => None,
        });
        heals.fold(f64::INFINITY, f64::min)
    }
}
