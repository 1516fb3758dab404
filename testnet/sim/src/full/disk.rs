//! A simulated disk: the node's journal in memory. A crash may lose its unsynced end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use node_core::journal::{Journal, Record, RecordKind};
use rand::Rng;

use super::archive::{Archive, RecordIndex};
use crate::rng::SimRng;

#[cfg(test)]
mod tests;

/// An error of a disk that accepts no writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiskError {
    /// The disk is full.
    #[error("the simulated disk is full")]
    Full,
}

/// One node's disk.
#[derive(Debug)]
pub struct Disk {
    archive: Arc<Archive>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Proofs, lists and headers, in the order in which they were written.
    journal: Vec<RecordIndex>,
    /// One bit for each record of the archive: set if this disk can look the record up. Meta records are kept apart.
    has: Vec<u64>,
    /// Meta records.
    meta: BTreeMap<[u8; 32], Vec<u8>>,
    /// Base chunks by number.
    bases: BTreeMap<u32, Record>,
    /// Number of journal records that would survive a power failure.
    synced: usize,
    full: bool,
    written_bytes: u64,
}

impl State {
    fn has(&self, place: RecordIndex) -> bool {
        self.has.get(place.index() / 64).is_some_and(|bits| bits >> (place.index() % 64) & 1 == 1)
    }

    fn set(&mut self, place: RecordIndex, held: bool) {
        let (word, bit) = (place.index() / 64, 1 << (place.index() % 64));
        if self.has.len() <= word {
            self.has.resize(word + 1, 0);
        }
        if held {
            self.has[word] |= bit;
        } else {
            self.has[word] &= !bit;
        }
    }
}

impl Disk {
    /// Creates an empty disk.
    #[must_use]
    pub fn new(archive: Arc<Archive>) -> Self {
        Self { archive, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A world runs on one thread, so no change is left half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Simulates a power failure: a random part of the records since the last sync is lost, from the end. Returns the
    /// number of lost records.
    pub fn tear(&self, rng: &mut SimRng) -> usize {
        let mut state = self.state();
        let (synced, end) = (state.synced, state.journal.len());
        let left = rng.random_range(synced..=end);
        let torn = state.journal.split_off(left);
        for place in &torn {
            state.set(*place, false);
        }
        torn.len()
    }

    /// Makes the disk full, or ends that.
    pub fn set_full(&self, full: bool) {
        self.state().full = full;
    }

    /// Returns the number of proofs, lists and headers in the journal.
    #[must_use]
    pub fn journal_len(&self) -> usize {
        self.state().journal.len()
    }

    /// Returns the bytes written so far, with the overhead of each record.
    #[must_use]
    pub fn written_bytes(&self) -> u64 {
        self.state().written_bytes
    }
}

impl Journal for Disk {
    type Error = DiskError;

    fn append(&self, batch: &[Record]) -> Result<(), DiskError> {
        /// Checksum, kind, id, two copies of the sequence number, and the index key.
        const RECORD_AROUND_BYTES: u64 = 4 + 1 + 32 + 8 + 8 + 33;
        let mut state = self.state();
        if state.full {
            return Err(DiskError::Full);
        }
        let mut forced = false;
        for record in batch {
            state.written_bytes += RECORD_AROUND_BYTES + record.bytes.len() as u64;
            if record.kind == RecordKind::Meta {
                state.meta.insert(record.id, record.bytes.clone());
                forced = true;
                continue;
            }
            if record.kind == RecordKind::Base {
                let [a, b, c, d, ..] = record.id;
                state.bases.insert(u32::from_le_bytes([a, b, c, d]), record.clone());
                forced = true;
                continue;
            }
            let place = self.archive.intern(record);
            state.set(place, true);
            match record.kind {
                RecordKind::Proof | RecordKind::List | RecordKind::Header => state.journal.push(place),
                RecordKind::Block => forced = true,
                RecordKind::Refusal | RecordKind::Meta | RecordKind::Base | RecordKind::Window => {}
            }
        }
        if forced {
            state.synced = state.journal.len();
        }
        Ok(())
    }

    fn get(&self, kind: RecordKind, id: &[u8; 32]) -> Result<Option<Vec<u8>>, DiskError> {
        let state = self.state();
        if kind == RecordKind::Meta {
            return Ok(state.meta.get(id).cloned());
        }
        Ok(self.archive.find(kind, id, |place| state.has(place)))
    }

    fn replay_from(&self, first: Option<&[u8; 32]>) -> impl Iterator<Item = Result<Record, DiskError>> + '_ {
        let journal = self.state().journal.clone();
        let is_first = |place: &RecordIndex| {
            let record = self.archive.record(*place);
            record.kind == RecordKind::Proof && Some(&record.id) == first
        };
        let skipped = first.and_then(|_| journal.iter().rposition(is_first)).unwrap_or(0);
        journal.into_iter().skip(skipped).map(|place| Ok(self.archive.record(place)))
    }

    fn bases(&self) -> impl Iterator<Item = Result<Record, DiskError>> + '_ {
        self.state().bases.values().cloned().map(Ok).collect::<Vec<_>>().into_iter()
    }
}
