//! The counters of a miner.

use std::sync::atomic::{AtomicU64, Ordering};

use super::journal::Journal;

/// The counters of a miner. They are shared and only grow.
#[derive(Debug, Default)]
pub struct Counters {
    pub(super) hashes: AtomicU64,
    pub(super) jobs: AtomicU64,
    pub(super) accepted: AtomicU64,
    pub(super) rejected: AtomicU64,
    pub(super) connections: AtomicU64,
    pub(super) journal: Option<Journal>,
}

/// A reading of [`Counters`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Hashes computed.
    pub hashes: u64,
    /// Jobs received.
    pub jobs: u64,
    /// Proofs that the server accepted.
    pub accepted: u64,
    /// Proofs that the server rejected.
    pub rejected: u64,
    /// Successful connections.
    pub connections: u64,
}

impl Counters {
    /// Creates counters that also write a line about each sent proof to a journal.
    pub fn with_journal(journal: Journal) -> Self {
        Self { journal: Some(journal), ..Self::default() }
    }

    /// Reads all counters.
    pub fn read(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            hashes: read(&self.hashes),
            jobs: read(&self.jobs),
            accepted: read(&self.accepted),
            rejected: read(&self.rejected),
            connections: read(&self.connections),
        }
    }
}

/// Adds to one counter.
pub(super) fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}
