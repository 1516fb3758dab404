//! Removes what is no longer needed.

use std::sync::atomic::Ordering;

use node_core::journal::{Forgotten, Record, RecordKind};
use rocksdb::WriteBatch;

use super::error::StoreError;
use super::layout::{self, BASES, INDEX, JOURNAL, LINKS};
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
        Ok(())
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
