//! A bound on the lines a miner may send, as a token bucket.

use std::time::Instant;

use crate::limits;

/// Fills at [`limits::LINES_PER_SECOND`] up to [`limits::LINES_BURST`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    pub(crate) fn new(now: Instant) -> Self {
        Self { tokens: limits::LINES_BURST, filled: now }
    }

    /// Takes one token; `false` says that there is none.
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
