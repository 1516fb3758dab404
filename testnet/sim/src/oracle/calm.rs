//! When something goes wrong in a scenario, and when it is over for good: what is promised then is promised only after.

use crate::scenario::{Fault, Scenario};
use crate::time::Micros;

/// Before a fault: what is under way when it begins is its victim.
const BEFORE_S: f64 = 60.0;

/// After a fault: connections are dialled again within 30 s, and what was missed is fetched.
const AFTER_S: f64 = 180.0;

/// After a change of hash rate: targets need half an hour to follow a factor of 10 at a half-life of 20 minutes, and
/// until then links may come faster than they travel.
const AFTER_HASHRATE_S: f64 = 3_600.0;

/// After the start: nodes connect.
const START_S: f64 = 60.0;

/// The times at which something goes wrong.
#[derive(Clone, Debug)]
pub(super) struct Calm {
    /// Start and end, seconds.
    troubles: Vec<(f64, f64)>,
}

impl Calm {
    /// The troubles of a scenario.
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

    /// Whether nothing goes wrong from one moment to another.
    #[must_use]
    pub(super) fn between(&self, from: Micros, to: Micros) -> bool {
        let (from_s, to_s) = (from.as_secs_f64(), to.as_secs_f64());
        self.troubles.iter().all(|(begin_s, end_s)| to_s < *begin_s || from_s > *end_s)
    }
}

impl Scenario {
    /// When a partition without an end that began at `at_s` is healed, seconds; never, if not.
    fn healed_s(&self, at_s: f64) -> f64 {
        let heals = self.faults.iter().filter_map(|fault| match fault {
            Fault::Heal { at_s: heal_s } if *heal_s >= at_s => Some(*heal_s),
            _ => None,
        });
        heals.fold(f64::INFINITY, f64::min)
    }
}
