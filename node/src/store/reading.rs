//! The engine's progress in reading a store since it was opened.

use std::sync::atomic::{AtomicU64, Ordering};

use super::record::Entry;

/// Bytes, and sequence numbers of the first and the newest record of the journal that were read; 0 before.
#[derive(Debug, Default)]
pub(super) struct Reading {
    bytes: AtomicU64,
    first: AtomicU64,
    newest: AtomicU64,
}

impl Reading {
    pub(super) fn note(&self, entry: &Entry) {
        self.bytes.fetch_add(u64::try_from(entry.record.bytes.len()).unwrap_or(u64::MAX), Ordering::Relaxed);
        if entry.sequence > 0 {
            let _ = self.first.compare_exchange(0, entry.sequence, Ordering::Relaxed, Ordering::Relaxed);
            self.newest.store(entry.sequence, Ordering::Relaxed);
        }
    }

    /// Bytes, and the part of the journal, whose next record gets the sequence number `next`: 0 to 1.
    pub(super) fn so_far(&self, next: u64) -> (u64, f64) {
        let [bytes, first, newest] = [&self.bytes, &self.first, &self.newest].map(|n| n.load(Ordering::Relaxed));
        let all = next.saturating_sub(first).max(1);
        (bytes, if first == 0 { 0.0 } else { (newest.saturating_sub(first) as f64 / all as f64).min(1.0) })
    }
}
