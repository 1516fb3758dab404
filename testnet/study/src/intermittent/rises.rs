//! Pools whose hashrate changes for good, or for a day, and the miners who gain from it.

use sharechain::ChainParams;

use super::pools::Mean;
use crate::models::pay::pay_run::PayRun;
use crate::models::pay::units::{DAY_S, EXA, PETA};
use sim::rng::SimRng;

/// A pool that grows or shrinks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rise {
    pub(super) name: &'static str,
    hashrate: f64,
    factor: f64,
    /// Duration of the rise, in days.
    lasts_days: f64,
    /// Largest length of its window, in days.
    window_days: f64,
}

/// Pay per hash, relative to its due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pays {
    /// During the last six hours before the rise.
    pub(super) before: f64,
    /// During the surge, or on its first day if it lasts.
    pub(super) during: f64,
    /// From one window before the rise to its end. If the rise lasts, for the same time after it.
    pub(super) constant: f64,
}

/// Returns small pools, whose windows end by their number of proofs, and large ones, whose windows end by their weight.
pub(super) fn all() -> Vec<Rise> {
    let small = Rise { name: "1 PH/s, twice for good", hashrate: PETA, factor: 2.0, lasts_days: 1e6, window_days: 8.0 };
    vec![
        small,
        Rise { name: "1 PH/s, twice for a day", lasts_days: 1.0, ..small },
        Rise { name: "1 PH/s, tenfold for a day", lasts_days: 1.0, factor: 10.0, ..small },
        Rise { name: "10 EH/s, twice for good", hashrate: 10.0 * EXA, window_days: 6.0, ..small },
        Rise { name: "10 EH/s, twice for a day", hashrate: 10.0 * EXA, window_days: 6.0, lasts_days: 1.0, ..small },
        Rise { name: "1 PH/s, half for good", factor: 0.5, ..small },
    ]
}

impl Rise {
    /// Measures the pay for hashes before and during the surge.
    pub(super) fn measure(&self, rng: &mut SimRng) -> Pays {
        /// Seconds before the rise that are measured separately.
        const BEFORE_S: f64 = 6.0 * 3_600.0;
        let from_s = (self.window_days + 1.0) * DAY_S;
        let rise_s = from_s + (self.window_days + 1.0) * DAY_S;
        let until_s = rise_s + (self.window_days + 1.0) * DAY_S;
        let falls_s = rise_s + self.lasts_days * DAY_S;
        let is_high = |at_s: f64| (rise_s..falls_s).contains(&at_s);
        let hashrate = |at_s: f64| self.hashrate * if is_high(at_s) { self.factor } else { 1.0 };
        let run = PayRun { params: ChainParams::main(), hashrate: &hashrate, miners: 1_000, from_s, until_s };
        let (mut before, mut during, mut constant) = (Mean::default(), Mean::default(), Mean::default());
        for moment in &run.simulate(rng).moments {
            constant.add(moment);
            if (rise_s - BEFORE_S..rise_s).contains(&moment.at_s) {
                before.add(moment);
            }
            if (rise_s..rise_s + DAY_S).contains(&moment.at_s) {
                during.add(moment);
            }
        }
        Pays { before: before.get(), during: during.get(), constant: constant.get() }
    }
}
