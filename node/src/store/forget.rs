//! Removes records that are no longer needed.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use node_core::journal::{Forgotten, Record, RecordKind};
use rocksdb::{IteratorMode, WriteBatch};

use super::error::StoreError;
use super::layout::{self, BASES, INDEX, JOURNAL, LINKS, META, WINDOWS, WINDOWS_KEY};
use super::record;
use super::store::Store;

impl Store {
    /// Forgets records, all or none.
    ///
    /// # Errors
    /// The disk cannot be read or rejects the write.
    pub fn forget(&self, forgotten: &Forgotten) -> Result<(), StoreError> {
        let mut changes = WriteBatch::default();
        if let Some(through) = forgotten.through {
            self.forget_journal(through, &forgotten.kept, &mut changes)?;
        }
        for id in &forgotten.proofs {
            changes.delete_cf(self.family(LINKS), id);
        }
        for id in &forgotten.bases {
            changes.delete_cf(self.family(BASES), layout::base_key(id));
        }
        self.db.write(changes).map_err(|error| self.explain(error))?;
        if let Some(through) = forgotten.through {
            self.journal_from.store(through.saturating_add(1), Ordering::Relaxed);
        }
        forgotten.windows_bytes.map_or(Ok(()), |most| self.forget_windows(most))
    }

    /// Forgets the oldest windows until the others have at most `most` bytes.
    fn forget_windows(&self, most: u64) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = writer.windows_bytes;
        let mut changes = WriteBatch::default();
        for item in self.db.iterator_cf(self.family(WINDOWS), IteratorMode::Start) {
            if bytes <= most {
                break;
            }
            let (key, value) = item.map_err(|error| self.explain(error))?;
            let sequence = layout::sequence_of(&key).unwrap_or(u64::MAX);
            bytes = bytes.saturating_sub(value.len() as u64);
            changes.delete_cf(self.family(WINDOWS), &key);
            if let Some(record) = record::decode(sequence, &value) {
                changes.delete_cf(self.family(INDEX), layout::index_key(record.kind, &record.id));
            }
        }
        if bytes == writer.windows_bytes {
            return Ok(());
        }
        self.put_windows_bytes(bytes, &mut changes);
        self.db.write(changes).map_err(|error| self.explain(error))?;
        writer.windows_bytes = bytes;
        Ok(())
    }

    /// Adds the size of all windows to `changes`.
    pub(super) fn put_windows_bytes(&self, bytes: u64, changes: &mut WriteBatch) {
        changes.put_cf(self.family(META), WINDOWS_KEY, bytes.to_be_bytes());
    }

    /// Bytes of all windows, as last written.
    pub(super) fn stored_windows_bytes(&self) -> Result<u64, StoreError> {
        let bytes = self.db.get_cf(self.family(META), WINDOWS_KEY).map_err(|error| self.explain(error))?;
        Ok(bytes.and_then(|bytes| layout::sequence_of(&bytes)).unwrap_or(0))
    }

    /// Keeps the proof of a deep link, beside the journal.
    ///
    /// # Errors
    /// The disk rejects the write.
    pub(super) fn keep_proof(&self, proof: &Record) -> Result<(), StoreError> {
        let written = self.db.put_cf(self.family(LINKS), proof.id, record::encode(proof, 0));
        written.map_err(|error| self.explain(error))
    }

    /// Removes records of the journal, and their entries in the index unless those name a newer record. A proof that is
    /// kept moves to a family of its own.
    fn forget_journal(&self, through: u64, kept: &[[u8; 32]], changes: &mut WriteBatch) -> Result<(), StoreError> {
        for entry in self.journal(self.journal_from.load(Ordering::Relaxed)) {
            let entry = entry?;
            if entry.sequence > through {
                break;
            }
            let Record { kind, id, .. } = &entry.record;
            changes.delete_cf(self.family(JOURNAL), entry.sequence.to_be_bytes());
            let key = layout::index_key(*kind, id);
            if self.indexed(&key)? == Some(entry.sequence) {
                changes.delete_cf(self.family(INDEX), key);
            }
            if *kind == RecordKind::Proof && kept.contains(id) {
                changes.put_cf(self.family(LINKS), id, record::encode(&entry.record, 0));
            }
        }
        Ok(())
    }
}
