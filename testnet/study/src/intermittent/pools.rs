//! Pools with varying hashrate, and the worth of a hash in them.

use sharechain::ChainParams;

use super::hours::{HOURS, PATTERNS, coins, hour_of, is_sunny};
use crate::jobs::Size;
use crate::models::pay::miners::{Group, Miners};
use crate::models::pay::pay_run::{Moment, PayRun};
use crate::models::pay::pool::window_s;
use crate::models::pay::units::{BLOCK_INTERVAL_S, DAY_S, EXA, PETA};
use sim::rng::SimRng;

/// The solar part of a pool's hashrate at noon.
const SOLAR_PART: f64 = 0.3;

/// Number of miners of a pool, of equal size: so many that nearly every share of a link makes a row.
const MINERS: u32 = 1_000;

/// A pool.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    pub(super) name: String,
    pub(super) params: ChainParams,
    /// Hashes per second at noon.
    pub(super) hashrate: f64,
    /// The solar part of the hashrate at noon.
    pub(super) solar: f64,
    /// Whether the pool must meet the target.
    pub(super) is_in_question: bool,
}

/// The worth of hashes in one run of a pool.
#[derive(Clone, Debug)]
pub(super) struct Day {
    /// Pay per hash relative to its due, by hour of the day.
    pub(super) by_hour: [f64; HOURS],
    /// Mean over all time.
    pub(super) constant: f64,
    /// Mean over the times of each pattern.
    pub(super) habits: [f64; PATTERNS.len()],
}

/// Returns the pools that must meet the target, and larger ones that show where it is missed.
pub(super) fn all(size: Size) -> Vec<Pool> {
    let sizes: &[(&str, f64, bool)] = &[
        ("1 PH/s", PETA, true),
        ("100 PH/s", 100.0 * PETA, true),
        ("10 EH/s", 10.0 * EXA, false),
        ("100 EH/s", 100.0 * EXA, false),
    ];
    let pool = |(name, hashrate, is_in_question): &(&str, f64, bool), solar: f64| Pool {
        name: if solar > 0.0 { format!("{name}, 30% solar") } else { (*name).to_owned() },
        params: ChainParams::main(),
        hashrate: *hashrate,
        solar,
        is_in_question: *is_in_question,
    };
    // Steady pools of 1 and 100 PH/s do not differ here.
    let skipped = size.pick(0, 1);
    [0.0, SOLAR_PART].iter().flat_map(|solar| sizes.iter().skip(skipped).map(|of| pool(of, *solar))).collect()
}

impl Pool {
    /// Returns the length of its window in seconds, at the hashrate of the night.
    pub(super) fn window_s(&self) -> f64 {
        let each = self.hashrate * (1.0 - self.solar) / f64::from(MINERS);
        window_s(&Miners::new(&[Group::new(MINERS, each)]), &self.params)
    }

    /// Returns the mean age of a snapshot, in seconds.
    pub(super) fn lag_s(&self) -> f64 {
        f64::from(self.params.snapshot_bitcoin_depth) * BLOCK_INTERVAL_S
            + f64::from(self.params.snapshot_burial) * f64::from(self.params.link_interval_s)
    }

    /// Measures the hashes of `days` whole days.
    pub(super) fn measure(&self, days: u32, rng: &mut SimRng) -> Day {
        let hashrate = |at_s: f64| if is_sunny(at_s) { self.hashrate } else { self.hashrate * (1.0 - self.solar) };
        // The window is full, and the start forgotten, after the window's own length and a day.
        let from_s = ((self.window_s() / DAY_S).ceil() + 2.0) * DAY_S;
        let until_s = from_s + f64::from(days) * DAY_S;
        let run = PayRun { params: self.params.clone(), hashrate: &hashrate, miners: MINERS, from_s, until_s };
        let coins = coins(until_s + DAY_S, rng);
        let worths = run.simulate(rng);
        let mut by_hour = [Mean::default(); HOURS];
        let mut habits = [Mean::default(); PATTERNS.len()];
        let mut constant = Mean::default();
        for moment in &worths.moments {
            constant.add(moment);
            if let Some(hour) = by_hour.get_mut(hour_of(moment.at_s) % HOURS) {
                hour.add(moment);
            }
            let mining = PATTERNS.iter().zip(&mut habits).filter(|(habit, _)| habit.kind.mines(moment.at_s, &coins));
            mining.for_each(|(_, habit)| habit.add(moment));
        }
        Day { by_hour: by_hour.map(Mean::get), constant: constant.get(), habits: habits.map(Mean::get) }
    }
}

/// A mean over time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mean {
    sum: f64,
    span_s: f64,
}

impl Mean {
    pub(super) fn add(&mut self, moment: &Moment) {
        self.sum += moment.worth * moment.span_s;
        self.span_s += moment.span_s;
    }

    pub(super) fn get(self) -> f64 {
        self.sum / self.span_s
    }
}

impl Day {
    /// Returns a pattern's pay per hash, divided by that of a constant miner.
    pub(super) fn ratio(&self, habit: usize) -> f64 {
        self.habits.get(habit).copied().unwrap_or(f64::NAN) / self.constant
    }
}
