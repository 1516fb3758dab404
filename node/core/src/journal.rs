//! The records that the engine writes, and the storage that it needs.

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
    /// A small fact that is replaced when it changes, such as the last settled link.
    Meta = 5,
    /// A Bitcoin header that was given to the chain; replayed before all proofs.
    Header = 6,
    /// A base chunk: deep links with their credits. Its id is its number, in little-endian. A chunk replaces one with
    /// the same number.
    Base = 7,
    /// The window that a Bitcoin block of the pool pays by, or a part of it.
    Window = 8,
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

/// The records that a journal should forget.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Proofs, lists, and Bitcoin headers up to this sequence number, except `kept`.
    pub through: Option<u64>,
    /// Proofs among them that lookups still find; replays do not.
    pub kept: Vec<[u8; 32]>,
    /// Kept proofs that are no longer needed.
    pub proofs: Vec<[u8; 32]>,
    /// Base chunks that are no longer needed.
    pub bases: Vec<[u8; 32]>,
    /// The oldest windows of blocks, until the others take at most this many bytes.
    pub windows_bytes: Option<u64>,
}

/// Durable storage of the engine: a database, or a simulated disk.
pub trait Journal {
    /// Error of the storage.
    type Error: std::error::Error;

    /// Writes all records or none, in order. Once this returns they survive the end of the process.
    ///
    /// # Errors
    /// The disk rejects the write. The engine then stops.
    fn append(&self, batch: &[Record]) -> Result<(), Self::Error>;

    /// The content of the newest record with this kind and id.
    ///
    /// # Errors
    /// The disk cannot be read, or the record is damaged.
    fn get(&self, kind: RecordKind, id: &[u8; 32]) -> Result<Option<Vec<u8>>, Self::Error>;

    /// Proofs, lists and Bitcoin headers in the order in which they were written, from the newest record of this proof
    /// on. From the first one if there is no such proof.
    fn replay_from(&self, first: Option<&[u8; 32]>) -> impl Iterator<Item = Result<Record, Self::Error>> + '_;

    /// All Bitcoin headers in the order in which they were written: one or two for each block while its proofs are kept.
    ///
    /// # Errors
    /// The disk cannot be read, or a record is damaged.
    fn headers(&self) -> Result<Vec<Record>, Self::Error> {
        let is_header = |record: &Result<Record, _>| record.as_ref().map_or(true, |one| one.kind == RecordKind::Header);
        self.replay().filter(is_header).collect()
    }

    /// Base chunks, ascending by number.
    fn bases(&self) -> impl Iterator<Item = Result<Record, Self::Error>> + '_ {
        std::iter::empty()
    }

    /// The oldest proofs, lists and Bitcoin headers, with their sequence numbers. None if this journal forgets nothing.
    fn oldest(&self) -> impl Iterator<Item = Result<(u64, Record), Self::Error>> + '_ {
        std::iter::empty()
    }

    /// Forgets records, all or none.
    ///
    /// # Errors
    /// The disk rejects the write.
    fn forget(&self, _forgotten: &Forgotten) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Proofs, lists and Bitcoin headers in the order in which they were written.
    fn replay(&self) -> impl Iterator<Item = Result<Record, Self::Error>> + '_ {
        self.replay_from(None)
    }
}
