//! The records that the engine writes, and what it needs of a database.

/// Kind of a record. The number is stored on disk and never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RecordKind {
    /// A proof: a share or a link.
    Proof = 1,
    /// The list of shares of a link.
    List = 2,
    /// A Bitcoin block that the pool found.
    Block = 3,
    /// Why a share was rejected. Only the newest are kept.
    Refusal = 4,
    /// A small fact that is replaced when it changes, such as the last final link.
    Meta = 5,
    /// A Bitcoin header that was given to the chain; replayed at its place among the proofs.
    Header = 6,
}

/// One record of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Kind of the record.
    pub kind: RecordKind,
    /// Its id; kind and id together are the lookup key.
    pub id: [u8; 32],
    /// Its content, opaque here.
    pub bytes: Vec<u8>,
}

/// Durable storage of the engine: a database, or a simulated disk.
pub trait Journal {
    /// Error of the storage.
    type Error: std::error::Error;

    /// Writes all records or none, in sequence. Once this returns they survive the end of the process.
    ///
    /// # Errors
    /// The disk rejects the write. The engine then stops.
    fn append(&self, batch: &[Record]) -> Result<(), Self::Error>;

    /// The content of the newest record with this kind and id.
    ///
    /// # Errors
    /// The disk cannot be read, or the record is damaged.
    fn get(&self, kind: RecordKind, id: &[u8; 32]) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Proofs, lists and Bitcoin headers in the sequence in which they were written.
    fn replay(&self) -> impl Iterator<Item = Result<Record, Self::Error>> + '_;
}
