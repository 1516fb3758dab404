//! The book as bytes for the disk: version, content, and a checksum, so that a half-written or damaged file is
//! detected.

use bitcoin::hashes::{Hash, sha256};

use super::Book;
use super::entry::{Entry, Table};
use super::places::{group_bytes, group_of};
use crate::limits::{ANCHORS, BOOK_BYTES_MAX, NEW_BUCKETS, NEW_PLACES, RECORD_BYTES_MAX, TRIED_BUCKETS, TRIED_PLACES};
use crate::message::WireError;
use crate::peer::PeerId;
use crate::record::{Address, Record};
use crate::wire::{Reader, put_bytes, put_count};

/// First bytes of the file, with the version of its format.
const START: &[u8; 16] = b"shoal book\n\0\0\0\0\x01";

/// Reason why bytes are not a book.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// It does not start like a book of a known version.
    #[error("it is not an address book, or has another version")]
    Version,
    /// The checksum does not match.
    #[error("its checksum is wrong")]
    Checksum,
    /// It is the book of another pool.
    #[error("it belongs to another pool")]
    OtherPool,
    /// The checksum matches, but the content does not follow the format.
    #[error("its content does not follow the format")]
    Content,
    /// It is larger than a book can be.
    #[error("it has more than {BOOK_BYTES_MAX} bytes")]
    TooLarge,
}

impl From<WireError> for BookError {
    fn from(_: WireError) -> Self {
        Self::Content
    }
}

impl Book {
    /// The book for the disk, at most [`BOOK_BYTES_MAX`] bytes.
    #[must_use]
    pub fn encode(&self, pool: &[u8; 32]) -> Vec<u8> {
        let mut out = START.to_vec();
        out.extend_from_slice(pool);
        out.extend_from_slice(self.places.key());
        put_count(&mut out, self.anchors.len());
        for anchor in &self.anchors {
            out.extend_from_slice(&anchor.0);
        }
        put_count(&mut out, self.entries.len());
        for entry in self.entries.values() {
            put_bytes(&mut out, &entry.record.encode());
            out.extend_from_slice(&group_bytes(entry.source));
            out.push(u8::from(entry.table == Table::Tried));
            entry.at.encode_into(&mut out);
            out.push(u8::from(entry.reached == Some(entry.at)));
            out.extend_from_slice(&entry.attempts.to_le_bytes());
            out.extend_from_slice(&entry.last_try_s.to_le_bytes());
            out.extend_from_slice(&entry.last_success_s.to_le_bytes());
        }
        let checksum = sha256::Hash::hash(&out);
        out.extend_from_slice(checksum.as_byte_array());
        out
    }

    /// Reads a book from the disk. `draws` is random and new at each start.
    ///
    /// # Errors
    /// [`BookError`].
    pub fn decode(bytes: &[u8], pool: &[u8; 32], draws: [u8; 16]) -> Result<Self, BookError> {
        if bytes.len() > BOOK_BYTES_MAX {
            return Err(BookError::TooLarge);
        }
        if !bytes.starts_with(START) {
            return Err(BookError::Version);
        }
        let (content, checksum) = bytes.split_last_chunk::<32>().ok_or(BookError::Checksum)?;
        if sha256::Hash::hash(content).as_byte_array() != checksum {
            return Err(BookError::Checksum);
        }
        let mut reader = Reader(content.strip_prefix(START).unwrap_or_default());
        if reader.array::<32>()? != *pool {
            return Err(BookError::OtherPool);
        }
        let mut book = Self::new(reader.array()?, draws);
        for _ in 0..reader.count(ANCHORS)? {
            book.anchors.push(PeerId(reader.array()?));
        }
        let count = reader.count(NEW_BUCKETS * NEW_PLACES + TRIED_BUCKETS * TRIED_PLACES)?;
        for _ in 0..count {
            book.put_back(&mut reader)?;
        }
        reader.end()?;
        Ok(book)
    }

    /// Reads an entry, and restores its place.
    fn put_back(&mut self, reader: &mut Reader<'_>) -> Result<(), BookError> {
        let record = Record::decode(reader.bytes(RECORD_BYTES_MAX)?)?.trusted();
        let source = group_of(reader.array()?).ok_or(BookError::Content)?;
        let is_tried = reader.flag()?;
        let at = Address::read(reader)?;
        let reached = reader.flag()?.then_some(at);
        let (table, place) = if is_tried {
            (Table::Tried, self.places.tried_place(&at))
        } else {
            (Table::New, self.places.new_place(&at, source))
        };
        let entry = Entry {
            record,
            at,
            source,
            table,
            place,
            reached,
            attempts: reader.u32()?,
            last_try_s: reader.u64()?,
            last_success_s: reader.u64()?,
        };
        let peer = entry.record.peer;
        if self.at((table, place)).is_some() || self.entries.contains_key(&peer) {
            return Err(BookError::Content);
        }
        self.put((table, place), peer, at.netgroup());
        self.tried_count += usize::from(is_tried);
        self.entries.insert(peer, entry);
        Ok(())
    }
}
