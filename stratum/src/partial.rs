//! Notices a message whose rest does not arrive.

use std::time::{Duration, Instant};

/// Since when a connection's read buffer has had the beginning of a message, without the rest. It is checked with the other
/// deadlines, so it is late by at most two ticks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Partial {
    since: Option<Instant>,
}

impl Partial {
    /// Handles that a whole message has come.
    pub(crate) fn complete(&mut self) {
        self.since = None;
    }

    /// Returns whether the rest has not arrived within `limit`. `is_partial` says whether there is a beginning.
    pub(crate) fn is_late(&mut self, is_partial: bool, limit: Duration, now: Instant) -> bool {
        if !is_partial {
            self.since = None;
            return false;
        }
        let since = *self.since.get_or_insert(now);
        now.saturating_duration_since(since) >= limit
    }
}
