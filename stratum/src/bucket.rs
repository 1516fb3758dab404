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

    /// Tokens at this time, if none is taken until then.
    fn filled_by(&self, now: Instant) -> f64 {
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() * self.per_second;
        (self.tokens + gained).min(self.burst)
    }

    fn refill(&mut self, now: Instant) {
        (self.tokens, self.filled) = (self.filled_by(now), now);
    }

    /// Takes one token. Returns `false` if the bucket is empty.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        self.refill(now);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }

    /// Takes tokens, more than there are if need be. Returns how long it takes until none is owed.
    pub(crate) fn spend(&mut self, count: u32, now: Instant) -> Duration {
        self.refill(now);
        self.tokens -= f64::from(count);
        Duration::try_from_secs_f64(-self.tokens / self.per_second).unwrap_or_default()
    }

    /// Returns `true` if no token is missing.
    pub(crate) fn is_full(&self, now: Instant) -> bool {
        self.filled_by(now) >= self.burst
    }

    /// Returns a token that was taken.
    pub(crate) fn give_back(&mut self) {
        self.tokens = (self.tokens + 1.0).min(self.burst);
    }
}
