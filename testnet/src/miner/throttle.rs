//! Computes the length of a slice of hashing and the rest after it. Pure: time is an argument.

use std::time::{Duration, Instant};

use crate::limits::{MINER_CATCH_UP_MAX, MINER_PERIOD, MINER_SLICE_HASHES_MAX};

/// A schedule of equal slices that keeps a hashrate over time, regardless of the duration of single slices.
#[derive(Debug)]
pub(super) struct Throttle {
    slice_hashes: u32,
    period: Duration,
    /// When the next slice is due.
    due: Instant,
}

impl Throttle {
    /// Creates a schedule for `hashrate` hashes per second that starts now.
    pub(super) fn new(hashrate: f64, now: Instant) -> Self {
        let hashrate = hashrate.max(1.0);
        let wanted = (hashrate * MINER_PERIOD.as_secs_f64()).clamp(1.0, MINER_SLICE_HASHES_MAX);
        let slice_hashes = wanted as u32;
        let period = Duration::from_secs_f64(f64::from(slice_hashes) / hashrate);
        Self { slice_hashes, period, due: now + period }
    }

    /// Returns the hashes of one slice.
    pub(super) fn slice_hashes(&self) -> u32 {
        self.slice_hashes
    }

    /// Returns how long to rest after a slice that ended now.
    pub(super) fn pause(&mut self, now: Instant) -> Duration {
        let pause = self.due.saturating_duration_since(now);
        let behind = now.saturating_duration_since(self.due);
        self.due = if behind > MINER_CATCH_UP_MAX { now } else { self.due };
        self.due += self.period;
        pause
    }

    /// Restarts the schedule and drops any backlog.
    pub(super) fn restart(&mut self, now: Instant) {
        self.due = now + self.period;
    }
}

#[cfg(test)]
mod tests;
