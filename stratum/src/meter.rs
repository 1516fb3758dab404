//! Estimates a connection's hashrate from its accepted shares.

use std::time::Instant;

use crate::limits;

#[cfg(test)]
mod tests;

/// Expected hashes per share of difficulty 1.
pub(crate) const HASHES_PER_DIFFICULTY: f64 = 4_294_967_296.0 * 65_536.0 / 65_535.0;

/// An exponentially decaying sum of difficulties. The estimate corrects for the age of the
/// connection, so it is unbiased from the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Meter {
    sum: f64,
    updated: Instant,
    started: Instant,
}

impl Meter {
    pub(crate) fn new(now: Instant) -> Self {
        Self { sum: 0.0, updated: now, started: now }
    }

    /// Adds an accepted share of a job with this difficulty.
    pub(crate) fn add(&mut self, difficulty: f64, now: Instant) {
        self.sum = self.decayed(now) + difficulty;
        self.updated = now;
    }

    /// Returns the estimate in hashes per second.
    pub(crate) fn hashes_per_second(&self, now: Instant) -> f64 {
        let tau = limits::HASHRATE_TAU.as_secs_f64();
        let age = now.saturating_duration_since(self.started).as_secs_f64();
        // A few seconds say nothing about a rate: one early share must not look like a farm.
        let covered = tau * (1.0 - (-age.max(5.0) / tau).exp());
        self.decayed(now) * HASHES_PER_DIFFICULTY / covered
    }

    fn decayed(&self, now: Instant) -> f64 {
        let age = now.saturating_duration_since(self.updated).as_secs_f64();
        self.sum * (-age / limits::HASHRATE_TAU.as_secs_f64()).exp()
    }
}
