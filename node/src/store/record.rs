//! The checked binary form of records on disk.

use bitcoin::hashes::{Hash, sha256};
use node_core::journal::{Record, RecordKind};

/// A stored record with its sequence number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Sequence number: counts records of all kinds from 1, as they were written; 0 for records that
    /// have none: see [`Store::append`](super::Store::append).
    pub sequence: u64,
    /// The record.
    pub record: Record,
}

const CHECKSUM_BYTES: usize = 4;
const HEADER_BYTES: usize = CHECKSUM_BYTES + 1 + 32;

fn kind_of(byte: u8) -> Option<RecordKind> {
    const KINDS: [RecordKind; 8] = [
        RecordKind::Proof,
        RecordKind::List,
        RecordKind::Block,
        RecordKind::Refusal,
        RecordKind::Meta,
        RecordKind::Header,
        RecordKind::Base,
        RecordKind::Window,
    ];
    KINDS.into_iter().find(|kind| *kind as u8 == byte)
}

/// Encodes a value for the disk: checksum (4 bytes), kind (1), id (32), content.
pub(super) fn encode(record: &Record, sequence: u64) -> Vec<u8> {
    let mut value = Vec::with_capacity(HEADER_BYTES + record.bytes.len());
    value.extend_from_slice(&[0; CHECKSUM_BYTES]);
    value.push(record.kind as u8);
    value.extend_from_slice(&record.id);
    value.extend_from_slice(&record.bytes);
    let (head, body) = value.split_at_mut(CHECKSUM_BYTES);
    head.copy_from_slice(&checksum(sequence, body));
    value
}

/// Decodes a value. Returns `None` if the store did not write it under this sequence number.
pub(super) fn decode(sequence: u64, value: &[u8]) -> Option<Record> {
    let (sum, body) = value.split_first_chunk::<CHECKSUM_BYTES>()?;
    if *sum != checksum(sequence, body) {
        return None;
    }
    let (kind, rest) = body.split_first()?;
    let (id, bytes) = rest.split_first_chunk::<32>()?;
    Some(Record { kind: kind_of(*kind)?, id: *id, bytes: bytes.to_vec() })
}

/// First bytes of SHA-256 over the sequence number and everything after the checksum, so that a value under a wrong key
/// is detected as well.
fn checksum(sequence: u64, body: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let mut engine = sha256::Hash::engine();
    bitcoin::hashes::HashEngine::input(&mut engine, &sequence.to_be_bytes());
    bitcoin::hashes::HashEngine::input(&mut engine, body);
    let [a, b, c, d, ..] = sha256::Hash::from_engine(engine).to_byte_array();
    [a, b, c, d]
}
