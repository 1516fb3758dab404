//! What a miner counts.

use std::sync::atomic::{AtomicU64, Ordering};

use super::journal::Journal;

/// What a miner has done so far; shared and only ever growing.
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
    /// Proofs that the server refused.
    pub rejected: u64,
    /// Connections that came up.
    pub connections: u64,
}

impl Counters {
    /// Counts, and writes a line about each proof that is sent.
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

/// Raises one counter.
pub(super) fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}
