//! What the engine needs of a store.

use super::error::StoreError;
use super::record::{Record, RecordKind};
use super::store::Store;

/// Where the engine keeps what it must not forget: [`Store`], or a simulated disk.
pub trait Journal {
    /// What can go wrong.
    type Error: std::error::Error;

    /// Writes all records or none, in their order; see [`Store::append`].
    ///
    /// # Errors
    /// The disk does not take them. The engine then stops.
    fn append(&self, batch: &[Record]) -> Result<(), Self::Error>;

    /// The content of the newest record with this kind and id.
    ///
    /// # Errors
    /// The disk cannot be read, or the record is damaged.
    fn get(&self, kind: RecordKind, id: &[u8; 32]) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Proofs, lists and Bitcoin headers in the order they were written.
    fn replay(&self) -> impl Iterator<Item = Result<Record, Self::Error>> + '_;
}

impl Journal for Store {
    type Error = StoreError;

    fn append(&self, batch: &[Record]) -> Result<(), StoreError> {
        Self::append(self, batch).map(|_| ())
    }

    fn get(&self, kind: RecordKind, id: &[u8; 32]) -> Result<Option<Vec<u8>>, StoreError> {
        Self::get(self, kind, id)
    }

    fn replay(&self) -> impl Iterator<Item = Result<Record, StoreError>> + '_ {
        self.journal(0).map(|entry| entry.map(|entry| entry.record))
    }
}
