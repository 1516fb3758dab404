//! A line that takes time for each byte.

use std::time::{Duration, Instant};

use super::options::Rate;
use crate::limits::LINK_QUEUE_BYTES_MAX;

/// One direction of a line: packets leave one after the other, at a rate. The queue is bounded in bytes; a packet that
/// finds no room is dropped, as in a home router.
#[derive(Debug, Clone, Copy)]
pub struct Pacer {
    rate: Option<Rate>,
    free_at: Instant,
}

impl Pacer {
    /// Creates an empty line.
    pub fn new(rate: Option<Rate>, now: Instant) -> Self {
        Self { rate, free_at: now }
    }

    /// Queues a packet that arrives at `at`, and returns when its last byte has left. `None` if the queue is full.
    pub fn take(&mut self, at: Instant, bytes: usize) -> Option<Instant> {
        let Some(Rate(rate)) = self.rate else { return Some(at) };
        let start = self.free_at.max(at);
        let waiting = start.duration_since(at).as_nanos() * u128::from(rate) / 1_000_000_000;
        if waiting + bytes as u128 > LINK_QUEUE_BYTES_MAX as u128 {
            return None;
        }
        let nanos = bytes as u128 * 1_000_000_000 / u128::from(rate.max(1));
        self.free_at = start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        Some(self.free_at)
    }
}

#[cfg(test)]
mod tests;
