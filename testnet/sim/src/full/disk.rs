//! A simulated disk: the node's journal in memory, which forgets its end when the machine crashes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use node_core::journal::{Journal, Record, RecordKind};
use rand::Rng;

use super::archive::{Archive, RecordIndex};
use crate::rng::SimRng;

#[cfg(test)]
mod tests;

/// Why a disk takes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiskError {
    /// It is full.
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
    /// Proofs, lists and headers in the order they were written.
    journal: Vec<RecordIndex>,
    /// Everything that can be looked up, small facts excepted: a bit for each place of the archive.
    has: Vec<u64>,
    /// Small facts.
    meta: BTreeMap<[u8; 32], Vec<u8>>,
    /// How much of the journal would survive a power cut.
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
    /// An empty disk.
    #[must_use]
    pub fn new(archive: Arc<Archive>) -> Self {
        Self { archive, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A world runs on one thread, so that nothing is left half-done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The machine loses power: a random part of what was written since the last forced write is gone, from the end.
    /// Returns how many records.
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

    /// From now on the disk takes nothing, or does again.
    pub fn set_full(&self, full: bool) {
        self.state().full = full;
    }

    /// Proofs, lists and headers in the journal.
    #[must_use]
    pub fn journal_len(&self) -> usize {
        self.state().journal.len()
    }

    /// Bytes written so far, with what a record has around its content.
    #[must_use]
    pub fn written_bytes(&self) -> u64 {
        self.state().written_bytes
    }
}

impl Journal for Disk {
    type Error = DiskError;

    fn append(&self, batch: &[Record]) -> Result<(), DiskError> {
        /// Checksum, kind, id, sequence number twice, and the key of the index.
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
            let place = self.archive.intern(record);
            state.set(place, true);
            match record.kind {
                RecordKind::Proof | RecordKind::List | RecordKind::Header => state.journal.push(place),
                RecordKind::Block => forced = true,
                RecordKind::Refusal | RecordKind::Meta => {}
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

    fn replay(&self) -> impl Iterator<Item = Result<Record, DiskError>> + '_ {
        let journal = self.state().journal.clone();
        journal.into_iter().map(|place| Ok(self.archive.record(place)))
    }
}
