//! The miners' hours. Times are in seconds since a midnight.

use rand::Rng;

use crate::models::pay::units::DAY_S;
use sim::rng::SimRng;

/// Seconds per hour.
pub(super) const HOUR_S: f64 = 3_600.0;

/// Hours per day.
pub(super) const HOURS: usize = 24;

/// Start and end of sunshine, in hours.
const SUN: (f64, f64) = (9.0, 15.0);

/// Start and end of off-peak power, in hours, over midnight.
const CHEAP: (f64, f64) = (23.0, 7.0);

/// A miner's daily pattern.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// The hours in which a miner mines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// From 9:00 to 15:00.
    Sun,
    /// From 23:00 to 7:00.
    CheapPower,
    /// In hours chosen by coin tosses.
    Random,
}

/// The patterns to compare.
pub(super) const PATTERNS: [Pattern; 3] = [
    Pattern { name: "Six hours of sun", kind: Kind::Sun },
    Pattern { name: "Eight hours of cheap power", kind: Kind::CheapPower },
    Pattern { name: "Random half of the hours", kind: Kind::Random },
];

/// Tosses the coins for all hours of a run.
pub(super) fn coins(until_s: f64, rng: &mut SimRng) -> Vec<bool> {
    (0..=hour_of(until_s)).map(|_| rng.random_bool(0.5)).collect()
}

impl Kind {
    /// Returns whether the miner mines at this time.
    pub(super) fn mines(self, at_s: f64, coins: &[bool]) -> bool {
        match self {
            Self::Sun => is_sunny(at_s),
            Self::CheapPower => hour_of_day(at_s) >= CHEAP.0 || hour_of_day(at_s) < CHEAP.1,
            Self::Random => coins.get(hour_of(at_s)).copied().unwrap_or(false),
        }
    }
}

/// Returns whether the pool's solar miners mine.
pub(super) fn is_sunny(at_s: f64) -> bool {
    (SUN.0..SUN.1).contains(&hour_of_day(at_s))
}

/// Returns the hours since the last midnight.
pub(super) fn hour_of_day(at_s: f64) -> f64 {
    at_s.rem_euclid(DAY_S) / HOUR_S
}

/// Returns the whole hours since the start.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times are positive and months at most")]
pub(super) fn hour_of(at_s: f64) -> usize {
    (at_s / HOUR_S) as usize
}
