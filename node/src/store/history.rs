//! Rows that can be rebuilt from the records. Keys and values are opaque here; keys sort by their bytes.

use rocksdb::{Direction, IteratorMode, WriteBatch};

use super::error::StoreError;
use super::layout::HISTORY;
use super::store::Store;

/// A key and its value.
pub type Row = (Vec<u8>, Vec<u8>);

impl Store {
    /// Writes all rows and removes those with the keys `gone`, atomically.
    ///
    /// # Errors
    /// The disk rejects the write.
    pub fn write_history(&self, rows: &[Row], gone: &[Vec<u8>]) -> Result<(), StoreError> {
        let mut changes = WriteBatch::default();
        for (key, value) in rows {
            changes.put_cf(self.family(HISTORY), key, value);
        }
        for key in gone {
            changes.delete_cf(self.family(HISTORY), key);
        }
        self.db.write(changes).map_err(|error| self.explain(error))
    }

    /// The value of a row.
    ///
    /// # Errors
    /// The disk cannot be read.
    pub fn history(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.db.get_cf(self.family(HISTORY), key).map_err(|error| self.explain(error))
    }

    /// Rows whose keys start with `prefix`, from the key `from` down.
    pub fn history_down<'a>(
        &'a self,
        prefix: &'a [u8],
        from: &[u8],
    ) -> impl Iterator<Item = Result<Row, StoreError>> + use<'a> {
        self.history_rows(prefix, IteratorMode::From(from, Direction::Reverse))
    }

    /// Rows whose keys start with `prefix`, from the key `from` up.
    pub fn history_up<'a>(
        &'a self,
        prefix: &'a [u8],
        from: &[u8],
    ) -> impl Iterator<Item = Result<Row, StoreError>> + use<'a> {
        self.history_rows(prefix, IteratorMode::From(from, Direction::Forward))
    }

    /// Removes all rows whose keys start with this byte.
    ///
    /// # Errors
    /// The disk rejects the write.
    pub fn clear_history(&self, first: u8) -> Result<(), StoreError> {
        let changed = self.db.delete_range_cf(self.family(HISTORY), [first], [first.saturating_add(1)]);
        changed.map_err(|error| self.explain(error))
    }

    fn history_rows<'a>(
        &'a self,
        prefix: &'a [u8],
        mode: IteratorMode<'_>,
    ) -> impl Iterator<Item = Result<Row, StoreError>> + use<'a> {
        let rows = self.db.iterator_cf(self.family(HISTORY), mode);
        rows.map(|row| row.map(|(key, value)| (key.into_vec(), value.into_vec())).map_err(|error| self.explain(error)))
            .take_while(move |row| row.as_ref().map_or(true, |(key, _)| key.starts_with(prefix)))
    }
}
