//! Records by the index: ids by their first bytes, since people shorten ids, and all Bitcoin headers.

use rocksdb::{Direction, IteratorMode};
use sharechain::ShareId;

use super::error::StoreError;
use super::layout::{self, INDEX, JOURNAL, LINKS};
use super::store::Store;
use node_core::journal::{Record, RecordKind};

impl Store {
    /// Ids of at most `limit` records of a kind that start with these bytes. Ids are shown in reverse, so these are the last
    /// bytes of what people see.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn find(&self, kind: RecordKind, start: &[u8], limit: usize) -> Result<Vec<ShareId>, StoreError> {
        let key = layout::index_prefix(kind, start);
        let mut found = self.ids_with(INDEX, &key, limit)?;
        // The index has no deep links.
        if kind == RecordKind::Proof && found.len() < limit {
            found.extend(self.ids_with(LINKS, start, limit - found.len())?);
        }
        Ok(found)
    }

    /// The Bitcoin headers of the journal, in the order in which they were written.
    ///
    /// # Errors
    /// The disk cannot be read, or a record is damaged.
    pub(super) fn bitcoin_headers(&self) -> Result<Vec<Record>, StoreError> {
        let prefix = layout::index_prefix(RecordKind::Header, &[]);
        let rows = self.db.iterator_cf(self.family(INDEX), IteratorMode::From(&prefix, Direction::Forward));
        let mut sequences = Vec::new();
        for row in rows {
            let (key, value) = row.map_err(|error| self.explain(error))?;
            if !key.starts_with(&prefix) {
                break;
            }
            sequences.extend(layout::sequence_of(&value));
        }
        sequences.sort_unstable();
        let headers = sequences.into_iter().map(|sequence| self.read(JOURNAL, sequence));
        headers.filter_map(|entry| entry.map(|entry| Some(entry?.record)).transpose()).collect()
    }

    fn ids_with(&self, family: &str, prefix: &[u8], limit: usize) -> Result<Vec<ShareId>, StoreError> {
        let rows = self.db.iterator_cf(self.family(family), IteratorMode::From(prefix, Direction::Forward));
        let mut found = Vec::new();
        for row in rows.take(limit) {
            let (key, _) = row.map_err(|error| self.explain(error))?;
            let Some(id) = key.last_chunk().filter(|_| key.starts_with(prefix)) else { break };
            found.push(ShareId(*id));
        }
        Ok(found)
    }
}
