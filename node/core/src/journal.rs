//! What the engine writes, and what it needs of a database.

/// What a record is about; the number is on disk and never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RecordKind {
    /// A proof: a share or a link.
    Proof = 1,
    /// The list of shares of a link.
    List = 2,
    /// A Bitcoin block the pool found.
    Block = 3,
    /// Why a share was refused. Only the newest are kept.
    Refusal = 4,
    /// A small fact that is replaced when it changes, such as the last final link.
    Meta = 5,
    /// A Bitcoin header that the chain was told of; replayed in its place among proofs.
    Header = 6,
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it is about.
    pub kind: RecordKind,
    /// Its name; with the kind it is looked up by.
    pub id: [u8; 32],
    /// Its content, opaque here.
    pub bytes: Vec<u8>,
}

/// Where the engine keeps what it must not forget: a database, or a simulated disk.
pub trait Journal {
    /// What can go wrong.
    type Error: std::error::Error;

    /// Writes all records or none, in their order. They survive the end of the process once this returns.
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
