//! What a window pays for work before a change: a pool that halves or doubles for good, and a halving of the subsidy.

use sharechain::ChainParams;

use super::course::{Counted, Course, Now, Pay, lag_s};
use crate::models::pay::units::{DAY_S, PETA};

/// Hashes per second before the change: so few that windows end by their proofs.
const HASHRATE_HS: f64 = PETA;

/// The part of the pool that a probe has.
const PROBE: f64 = 1e-3;

/// When the change comes, in seconds.
const CHANGE_S: f64 = 20.0 * DAY_S;

/// Length of a window, in seconds: 2^21 proofs at 3.2 a second.
pub(super) fn window_s() -> f64 {
    let params = ChainParams::main();
    let per_s = f64::from(params.shares_per_link) / f64::from(params.link_interval_s);
    #[expect(clippy::cast_precision_loss, reason = "two million")]
    let proofs = params.window_proofs as f64;
    proofs / per_s
}

/// A change.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) name: &'static str,
    /// Factor on the pool's hashrate.
    hashrate: f64,
    /// Factor on the value of blocks.
    value: f64,
    /// Whether weights follow the value, which the pool's rules do not do.
    by_value: bool,
    /// Pay per hash that protocol and threats state for the last hash, if they do.
    pub(super) last_stated: Option<f64>,
    /// The same for the mean of the last window.
    pub(super) window_stated: Option<f64>,
}

/// Returns the changes that the specification has figures for.
pub(super) fn all() -> [Change; 4] {
    let none = Change {
        name: "the pool halves",
        hashrate: 0.5,
        value: 1.0,
        by_value: false,
        last_stated: Some(0.69),
        window_stated: None,
    };
    let halving = Change {
        name: "the subsidy halves",
        hashrate: 1.0,
        value: 0.5,
        last_stated: None,
        window_stated: Some(0.75),
        ..none
    };
    [
        none,
        Change { name: "the pool doubles", hashrate: 2.0, last_stated: Some(1.39), ..none },
        halving,
        Change {
            name: "the subsidy halves, if weights followed the value",
            by_value: true,
            window_stated: Some(0.81),
            ..halving
        },
    ]
}

/// Pay per hash of the work before a change, over its due at the time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Before {
    /// The last hour.
    pub(super) hour: f64,
    /// The last day.
    pub(super) day: f64,
    /// The last window's length.
    pub(super) window: f64,
}

impl Change {
    /// Measures the work before the change.
    pub(super) fn measure(&self) -> Before {
        Before {
            hour: self.of_last(3_600.0).per_hash(),
            day: self.of_last(DAY_S).per_hash(),
            window: self.of_last(window_s()).per_hash(),
        }
    }

    /// Pays a probe that mines for the last seconds before the change.
    fn of_last(&self, seconds: f64) -> Pay {
        let params = ChainParams::main();
        let lag_s = lag_s(&params);
        let now = |at_s: f64| {
            let is_after = at_s >= CHANGE_S;
            let hashrate_hs = HASHRATE_HS * if is_after { self.hashrate } else { 1.0 };
            let value = if is_after { self.value } else { 1.0 };
            let is_probe = (CHANGE_S - seconds..CHANGE_S).contains(&at_s);
            let ends = [CHANGE_S - seconds, CHANGE_S].into_iter().find(|end_s| at_s < *end_s);
            let mine_hs = if is_probe { PROBE * hashrate_hs } else { 0.0 };
            Now {
                until_s: ends.unwrap_or(f64::INFINITY),
                mine_hs,
                others_hs: hashrate_hs - mine_hs,
                is_split: false,
                value,
                weight: if self.by_value { value } else { 1.0 },
            }
        };
        let mut course = Course::new(&params, Counted::Proofs, now);
        course.run_until(CHANGE_S + 2.0 * window_s(), lag_s)
    }
}
