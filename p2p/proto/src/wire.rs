//! Reads and writes bounded fields. Integers are little-endian and have a fixed width. A length precedes everything of
//! variable size. A length alone never causes an allocation: the bytes must be present.

use bitcoin::BlockHash;
use bitcoin::block::Header;
use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::hashes::Hash;
use sharechain::{Proof, ShareId, encode};

use crate::message::WireError;

/// Reads fields from the front of a slice.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(WireError::Truncated)?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(WireError::Truncated)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, WireError> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, WireError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn flag(&mut self) -> Result<bool, WireError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(WireError::Flag(other)),
        }
    }

    /// Reads a length of at most `max`.
    pub(crate) fn count(&mut self, max: usize) -> Result<usize, WireError> {
        let count = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        if count > max { Err(WireError::TooMany { count, max }) } else { Ok(count) }
    }

    /// Reads a length of at most `max`, and then as many bytes.
    pub(crate) fn bytes(&mut self, max: usize) -> Result<&'a [u8], WireError> {
        let count = self.count(max)?;
        self.take(count)
    }

    pub(crate) fn ids(&mut self, max: usize) -> Result<Vec<ShareId>, WireError> {
        let count = self.count(max)?;
        (0..count).map(|_| self.array().map(ShareId)).collect()
    }

    pub(crate) fn block_hashes(&mut self, max: usize) -> Result<Vec<BlockHash>, WireError> {
        let count = self.count(max)?;
        (0..count).map(|_| self.array().map(BlockHash::from_byte_array)).collect()
    }

    pub(crate) fn headers(&mut self, max: usize) -> Result<Vec<Header>, WireError> {
        let count = self.count(max)?;
        (0..count).map(|_| deserialize(self.take(Header::SIZE)?).map_err(|_| WireError::Truncated)).collect()
    }

    pub(crate) fn proof(&mut self) -> Result<Proof, WireError> {
        Ok(Proof::decode(self.bytes(sharechain::limits::PROOF_BYTES_MAX)?)?)
    }

    pub(crate) fn list(&mut self) -> Result<Vec<ShareId>, WireError> {
        Ok(encode::decode_list(self.bytes(crate::limits::LIST_BYTES_MAX)?)?)
    }

    pub(crate) fn end(&self) -> Result<(), WireError> {
        if self.0.is_empty() { Ok(()) } else { Err(WireError::TrailingBytes) }
    }
}

/// Appends a length. All written data is bounded far below 2^32.
pub(crate) fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

/// Appends a length, then the bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_count(out, bytes.len());
    out.extend_from_slice(bytes);
}

pub(crate) fn put_ids(out: &mut Vec<u8>, ids: &[ShareId]) {
    put_count(out, ids.len());
    for id in ids {
        out.extend_from_slice(&id.0);
    }
}

pub(crate) fn put_block_hashes(out: &mut Vec<u8>, hashes: &[BlockHash]) {
    put_count(out, hashes.len());
    for hash in hashes {
        out.extend_from_slice(hash.as_byte_array());
    }
}

pub(crate) fn put_headers(out: &mut Vec<u8>, headers: &[Header]) {
    put_count(out, headers.len());
    for header in headers {
        out.extend_from_slice(&serialize(header));
    }
}

pub(crate) fn put_proof(out: &mut Vec<u8>, proof: &Proof) {
    put_bytes(out, &proof.encode());
}

pub(crate) fn put_list(out: &mut Vec<u8>, list: &[ShareId]) {
    put_bytes(out, &encode::encode_list(list));
}
