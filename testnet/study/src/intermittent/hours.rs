//! When who mines. Times are seconds since a midnight.

use rand::Rng;

use crate::models::pay::units::DAY_S;
use sim::rng::SimRng;

/// Seconds of an hour.
pub(super) const HOUR_S: f64 = 3_600.0;

/// Hours of a day.
pub(super) const HOURS: usize = 24;

/// Hours of sun, from and until.
const SUN: (f64, f64) = (9.0, 15.0);

/// Hours of cheap power, over midnight.
const CHEAP: (f64, f64) = (23.0, 7.0);

/// A miner's habit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pattern {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// When a miner mines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// From 9 to 15 o'clock.
    Sun,
    /// From 23 to 7 o'clock.
    CheapPower,
    /// In hours that a coin decides.
    Random,
}

/// The habits in question.
pub(super) const PATTERNS: [Pattern; 3] = [
    Pattern { name: "Six hours of sun", kind: Kind::Sun },
    Pattern { name: "Eight hours of cheap power", kind: Kind::CheapPower },
    Pattern { name: "Random half of the hours", kind: Kind::Random },
];

/// The coins of all hours of a run.
pub(super) fn coins(until_s: f64, rng: &mut SimRng) -> Vec<bool> {
    (0..=hour_of(until_s)).map(|_| rng.random_bool(0.5)).collect()
}

impl Kind {
    /// Whether it mines at that time.
    pub(super) fn mines(self, at_s: f64, coins: &[bool]) -> bool {
        match self {
            Self::Sun => is_sunny(at_s),
            Self::CheapPower => hour_of_day(at_s) >= CHEAP.0 || hour_of_day(at_s) < CHEAP.1,
            Self::Random => coins.get(hour_of(at_s)).copied().unwrap_or(false),
        }
    }
}

/// Whether the sun shines on the pool's solar miners.
pub(super) fn is_sunny(at_s: f64) -> bool {
    (SUN.0..SUN.1).contains(&hour_of_day(at_s))
}

/// Hours since the last midnight.
pub(super) fn hour_of_day(at_s: f64) -> f64 {
    at_s.rem_euclid(DAY_S) / HOUR_S
}

/// Whole hours since the start.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "times are positive and months at most")]
pub(super) fn hour_of(at_s: f64) -> usize {
    (at_s / HOUR_S) as usize
}
