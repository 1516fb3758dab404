//! Kinds, records, and their checked binary form.

use bitcoin::hashes::{Hash, sha256};

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

/// What is read: a record and the number it got when it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Counts records of all kinds, from 1, in the order they were written; 0 for
    /// [`RecordKind::Meta`], which has no order.
    pub sequence: u64,
    /// The record.
    pub record: Record,
}

const CHECKSUM_BYTES: usize = 4;
const HEADER_BYTES: usize = CHECKSUM_BYTES + 1 + 32;

impl RecordKind {
    fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Proof),
            2 => Some(Self::List),
            3 => Some(Self::Block),
            4 => Some(Self::Refusal),
            5 => Some(Self::Meta),
            6 => Some(Self::Header),
            _ => None,
        }
    }
}

impl Record {
    /// Value on disk: checksum (4 bytes), kind (1), id (32), content.
    pub(super) fn encode(&self, sequence: u64) -> Vec<u8> {
        let mut value = Vec::with_capacity(HEADER_BYTES + self.bytes.len());
        value.extend_from_slice(&[0; CHECKSUM_BYTES]);
        value.push(self.kind as u8);
        value.extend_from_slice(&self.id);
        value.extend_from_slice(&self.bytes);
        let (head, body) = value.split_at_mut(CHECKSUM_BYTES);
        head.copy_from_slice(&checksum(sequence, body));
        value
    }

    /// Reads a value back; `None` if it is not what was written under this sequence number.
    pub(super) fn decode(sequence: u64, value: &[u8]) -> Option<Self> {
        let (sum, body) = value.split_first_chunk::<CHECKSUM_BYTES>()?;
        if *sum != checksum(sequence, body) {
            return None;
        }
        let (kind, rest) = body.split_first()?;
        let (id, bytes) = rest.split_first_chunk::<32>()?;
        Some(Self { kind: RecordKind::from_byte(*kind)?, id: *id, bytes: bytes.to_vec() })
    }
}

/// First bytes of SHA-256 over the sequence number and everything behind the checksum, so that a
/// value under a wrong key is noticed as well.
fn checksum(sequence: u64, body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut engine = sha256::Hash::engine();
    bitcoin::hashes::HashEngine::input(&mut engine, &sequence.to_be_bytes());
    bitcoin::hashes::HashEngine::input(&mut engine, body);
    let [a, b, c, d, ..] = sha256::Hash::from_engine(engine).to_byte_array();
    [a, b, c, d]
}
