//! Cadences: what a miner does, over and over; and what it earns by that.

use sharechain::ChainParams;

use super::course::{Counted, Course, Now, lag_s};
use crate::models::pay::units::{BLOCK_WORK, DAY_S, to_f64};

/// Half-life of the retarget in version 1, in seconds.
const HALF_LIFE_BEFORE_S: u32 = 1_200;

/// Least time that is measured, in seconds.
const MEASURED_S: f64 = 4.0 * DAY_S;

/// Acts of a cadence that its description tells.
const TOLD: usize = 4;

/// What a miner does for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// It mines elsewhere.
    Away,
    /// It mines here, and all shares pay one script.
    Whole,
    /// It mines here, and each share pays a script of its own.
    Split,
}

/// Acts that repeat.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cadence {
    /// Each act with its seconds.
    pub(super) acts: Vec<(Act, f64)>,
}

/// A pool, and the part of it that the miner has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Case {
    /// Hashes per second of the pool, the miner included.
    pub(super) hashrate_hs: f64,
    /// The miner's part, 0 to 1.
    pub(super) part: f64,
    /// What windows count.
    pub(super) counted: Counted,
}

impl Cadence {
    /// Creates a cadence of two acts.
    pub(super) fn of_two(one: (Act, f64), other: (Act, f64)) -> Self {
        Self { acts: vec![one, other] }
    }

    pub(super) fn period_s(&self) -> f64 {
        self.acts.iter().map(|(_, seconds)| seconds).sum()
    }

    /// Returns the part of its time that a miner does this.
    pub(super) fn part(&self, act: Act) -> f64 {
        let of = self.acts.iter().filter(|(other, _)| *other == act).map(|(_, seconds)| seconds);
        of.sum::<f64>() / self.period_s()
    }

    /// Returns what a miner does at this time, and until when.
    pub(super) fn at(&self, at_s: f64) -> (Act, f64) {
        let period_s = self.period_s();
        let mut end_s = (at_s / period_s).floor() * period_s;
        let mut last = Act::Away;
        for (act, seconds) in &self.acts {
            (end_s, last) = (end_s + seconds, *act);
            if at_s < end_s {
                break;
            }
        }
        // Sums of floats: never stand still.
        (last, end_s.max(at_s + 1e-3))
    }

    /// Returns the same acts, each for `factor` times as long.
    pub(super) fn stretched(&self, factor: f64) -> Self {
        Self { acts: self.acts.iter().map(|(act, seconds)| (*act, seconds * factor)).collect() }
    }

    /// Returns whether the miner ever mines here.
    pub(super) fn mines(&self) -> bool {
        self.acts.iter().any(|(act, _)| *act != Act::Away)
    }

    /// Returns the acts, with neighbors that are the same joined.
    pub(super) fn joined(&self) -> Vec<(Act, f64)> {
        let mut joined: Vec<(Act, f64)> = Vec::new();
        for (act, seconds) in &self.acts {
            match joined.last_mut() {
                Some((last, sum)) if last == act => *sum += seconds,
                _ => joined.push((*act, *seconds)),
            }
        }
        joined
    }

    /// Describes the cadence: its acts, in days or hours.
    pub(super) fn text(&self) -> String {
        let of = |(act, seconds): &(Act, f64)| {
            let name = match act {
                Act::Away => "away",
                Act::Whole => "one script",
                Act::Split => "fresh scripts",
            };
            let days = seconds / DAY_S;
            if days < 1.0 { format!("{name} {:.1} h", 24.0 * days) } else { format!("{name} {days:.1} d") }
        };
        let joined = self.joined();
        let mut texts: Vec<String> = joined.iter().take(TOLD).map(of).collect();
        if joined.len() > TOLD {
            texts.push(format!("and {} more acts", joined.len() - TOLD));
        }
        texts.join(", ")
    }
}

impl Case {
    /// Returns the constants: today's, or with version 1's half-life.
    pub(super) fn params(&self) -> ChainParams {
        match self.counted {
            Counted::Proofs => ChainParams::main(),
            Counted::Rows { .. } => ChainParams { retarget_half_life_s: HALF_LIFE_BEFORE_S, ..ChainParams::main() },
        }
    }

    /// Returns what the miner gains per hash over its due, as a part of it.
    pub(super) fn gain(&self, cadence: &Cadence) -> f64 {
        let params = self.params();
        let lag_s = lag_s(&params);
        let now = |at_s: f64| {
            let (act, until_s) = cadence.at(at_s);
            Now {
                until_s,
                mine_hs: if act == Act::Away { 0.0 } else { self.hashrate_hs * self.part },
                others_hs: self.hashrate_hs * (1.0 - self.part),
                is_split: act == Act::Split,
                value: 1.0,
                weight: 1.0,
            }
        };
        let mut course = Course::new(&params, self.counted, now);
        // The first window has the targets of a pool that just began. Another day forgets them.
        let filled_s = course.fill(lag_s) + DAY_S;
        let period_s = cadence.period_s();
        let from_s = (filled_s / period_s).ceil() * period_s;
        let before = course.run_until(from_s, lag_s);
        let measured_s = (MEASURED_S / period_s).ceil() * period_s;
        let paid = course.run_until(from_s + measured_s, lag_s).paid - before.paid;
        // What it found in these periods, exactly.
        let mines_s = measured_s * (1.0 - cadence.part(Act::Away));
        paid / (mines_s * self.hashrate_hs * self.part / to_f64(BLOCK_WORK)) - 1.0
    }
}
