//! Token bucket: limits the rate of lines, and of invalid requests, from a miner, and what an address may cost.

use std::time::{Duration, Instant};

/// Holds up to `burst` tokens, and refills at a steady rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    per_second: f64,
    burst: f64,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    /// Creates a full bucket.
    pub(crate) fn new(burst: f64, per_second: f64, now: Instant) -> Self {
        Self { per_second, burst, tokens: burst, filled: now }
    }

    /// Takes one token. Returns `false` if the bucket is empty.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() * self.per_second;
        self.filled = now;
        self.tokens = (self.tokens + gained).min(self.burst);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }

    /// Takes tokens, more than there are if need be. Returns how long it takes until none is owed.
    pub(crate) fn spend(&mut self, count: u32, now: Instant) -> Duration {
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() * self.per_second;
        self.filled = now;
        self.tokens = (self.tokens + gained).min(self.burst) - f64::from(count);
        Duration::try_from_secs_f64(-self.tokens / self.per_second).unwrap_or_default()
    }

    /// Returns `true` if no token is missing.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() * self.per_second;
        self.tokens + gained >= self.burst
    }

    /// Returns a token that was taken.
    pub(crate) fn give_back(&mut self) {
        self.tokens = (self.tokens + 1.0).min(self.burst);
    }
}
