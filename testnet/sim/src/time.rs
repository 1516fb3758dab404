//! Virtual time.

use std::fmt;
use std::ops::{Add, Sub};

/// Microseconds since the start of a simulation, or as a time span.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Micros(pub u64);

impl Micros {
    /// A span of zero.
    pub const ZERO: Self = Self(0);
    /// A time after the end of any simulation.
    pub const NEVER: Self = Self(u64::MAX);

    /// Creates a span of whole milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Creates a span of whole seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// Creates a span of seconds with a fraction. Negative values and NaN give zero.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, which is what is wanted"
    )]
    pub fn from_secs_f64(secs: f64) -> Self {
        Self((secs * 1e6) as u64)
    }

    /// Returns the span in seconds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "simulations end long before 2^53 us, 285 years")]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Returns the whole seconds.
    #[must_use]
    pub const fn whole_secs(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Returns the whole milliseconds.
    #[must_use]
    pub const fn whole_millis(self) -> u64 {
        self.0 / 1_000
    }

    /// Returns the span from `earlier` to this time, or zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }
}

impl Add for Micros {
    type Output = Self;

    /// Saturates: [`Micros::NEVER`] stays never.
    fn add(self, span: Self) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub for Micros {
    type Output = Self;

    /// Saturates at zero.
    fn sub(self, span: Self) -> Self {
        self.since(span)
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secs, rest) = (self.whole_secs(), self.0 % 1_000_000);
        write!(f, "{:02}:{:02}:{:02}.{rest:06}", secs / 3_600, secs / 60 % 60, secs % 60)
    }
}
