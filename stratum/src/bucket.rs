//! Token bucket that limits the rate of lines from a miner.

use std::time::Instant;

use crate::limits;

/// Refills at [`limits::LINES_PER_SECOND`], up to [`limits::LINES_BURST`] tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    /// Creates a full bucket.
    pub(crate) fn new(now: Instant) -> Self {
        Self { tokens: limits::LINES_BURST, filled: now }
    }

    /// Takes one token. Returns `false` if the bucket is empty.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.filled).as_secs_f64() * limits::LINES_PER_SECOND;
        self.filled = now;
        self.tokens = (self.tokens + gained).min(limits::LINES_BURST);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}
