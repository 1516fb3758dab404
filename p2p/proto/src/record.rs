//! Signed node records: a node's own statement where it can be dialed.
//!
//! A record is signed with the node's identity key, so others can neither alter nor forge it, nor renew it: a record's
//! age is the age of its signature, no matter who forwards it. See decision 0042.
//!
//! ```text
//! address.rs   an address in bytes and as a multiaddr, and its scope
//! base32.rs    names of onion services
//! ```

mod address;
mod base32;

use std::sync::Arc;

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

pub use address::{Address, Place, Scope, Transport};
pub use base32::ONION_BYTES;

use crate::limits::{RECORD_ADDRESSES_MAX, RECORD_BYTES_MAX, RECORD_CLOCK_S, RECORD_LIFE_S_MAX, USER_AGENT_BYTES_MAX};
use crate::message::WireError;
use crate::peer::PeerId;
use crate::wire::{Reader, put_bytes, put_count};

/// Version of the encoding, its first byte.
const VERSION: u8 = 1;

/// Prefix of the signed bytes, before the encoding up to the signature. No other message signed with this key starts
/// like this.
const DOMAIN: &[u8] = b"shoal node record\n";

/// A record as received: only its form is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Consensus id of the pool that the node belongs to.
    pub pool: [u8; 32],
    /// Identity of the node, whose key signs the record.
    pub peer: PeerId,
    /// When it was signed, seconds since 1970 by the node's clock. It also serves as the sequence number: of two
    /// records of a node, the later one counts.
    pub signed_at_s: u64,
    /// When it expires, seconds since 1970.
    pub expires_at_s: u64,
    /// Name and version of the node's program: printable ASCII.
    pub user_agent: String,
    /// Addresses, the best first, each once; 1 to [`RECORD_ADDRESSES_MAX`].
    pub addresses: Vec<Address>,
    /// Signature of all fields above.
    pub signature: [u8; 64],
}

/// Reason why a record does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The signature is not the node's.
    #[error("the signature is not that of the node's key")]
    Signature,
    /// It is for another pool.
    #[error("it belongs to another pool")]
    OtherPool,
    /// Its life is empty, or longer than allowed.
    #[error("it is valid for longer than {RECORD_LIFE_S_MAX} s, or not at all")]
    Life,
    /// It has expired, by more than the tolerated clock difference.
    #[error("it has expired")]
    Expired,
    /// It was signed in the future, by more than the tolerated clock difference.
    #[error("it was signed more than {RECORD_CLOCK_S} s in the future; is this node's clock right?")]
    Future,
}

impl RecordError {
    /// True if its sender should have known, regardless of clocks.
    #[must_use]
    pub const fn is_certain(self) -> bool {
        matches!(self, Self::Signature | Self::OtherPool | Self::Life)
    }
}

/// A record with a verified signature. Clones are cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked(Arc<Record>);

impl std::ops::Deref for Checked {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.0
    }
}

impl Record {
    /// Signs a record. Addresses beyond [`RECORD_ADDRESSES_MAX`] are left out. Returns `None` without any address.
    #[must_use]
    pub fn sign(
        key: &SigningKey,
        pool: [u8; 32],
        addresses: &[Address],
        user_agent: &str,
        (signed_at_s, life_s): (u64, u64),
    ) -> Option<Checked> {
        let mut kept = Vec::new();
        for address in addresses {
            if !kept.contains(address) && kept.len() < RECORD_ADDRESSES_MAX {
                kept.push(*address);
            }
        }
        let printable = user_agent.chars().filter(|c| c.is_ascii_graphic() || *c == ' ');
        let mut record = Self {
            pool,
            peer: PeerId(key.verifying_key().to_bytes()),
            signed_at_s,
            expires_at_s: signed_at_s.saturating_add(life_s.min(RECORD_LIFE_S_MAX)),
            user_agent: printable.take(USER_AGENT_BYTES_MAX).collect(),
            addresses: kept,
            signature: [0; 64],
        };
        record.signature = key.sign(&record.signed_bytes()).to_bytes();
        (!record.addresses.is_empty()).then(|| Checked(Arc::new(record)))
    }

    /// Checks everything that decides whether the record counts now.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn check(self, pool: &[u8; 32], now_s: u64) -> Result<Checked, RecordError> {
        if self.pool != *pool {
            return Err(RecordError::OtherPool);
        }
        let life_s = self.expires_at_s.saturating_sub(self.signed_at_s);
        if life_s == 0 || life_s > RECORD_LIFE_S_MAX {
            return Err(RecordError::Life);
        }
        if self.signed_at_s > now_s.saturating_add(RECORD_CLOCK_S) {
            return Err(RecordError::Future);
        }
        if self.is_expired(now_s) {
            return Err(RecordError::Expired);
        }
        // The signature comes last, since it takes longest.
        let key = VerifyingKey::from_bytes(&self.peer.0).map_err(|_| RecordError::Signature)?;
        let signature = Signature::from_bytes(&self.signature);
        key.verify_strict(&self.signed_bytes(), &signature).map_err(|_| RecordError::Signature)?;
        Ok(Checked(Arc::new(self)))
    }

    /// Accepts a record from this node's own disk, which holds only verified ones.
    pub(crate) fn trusted(self) -> Checked {
        Checked(Arc::new(self))
    }

    /// True if it has expired, by more than the tolerated clock difference.
    #[must_use]
    pub const fn is_expired(&self, now_s: u64) -> bool {
        self.expires_at_s.saturating_add(RECORD_CLOCK_S) < now_s
    }

    /// The narrowest scope of its addresses. `None` if a node cannot be dialed at one of them.
    #[must_use]
    pub fn scope(&self) -> Option<Scope> {
        self.addresses.iter().map(Address::scope).min().flatten()
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut out = DOMAIN.to_vec();
        self.encode_body(&mut out);
        out
    }

    fn encode_body(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        out.extend_from_slice(&self.pool);
        out.extend_from_slice(&self.peer.0);
        out.extend_from_slice(&self.signed_at_s.to_le_bytes());
        out.extend_from_slice(&self.expires_at_s.to_le_bytes());
        put_count(out, self.user_agent.len());
        out.extend_from_slice(self.user_agent.as_bytes());
        put_count(out, self.addresses.len());
        for address in &self.addresses {
            address.encode_into(out);
        }
    }

    /// Canonical encoding, at most [`RECORD_BYTES_MAX`] bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(RECORD_BYTES_MAX);
        self.encode_body(&mut out);
        out.extend_from_slice(&self.signature);
        out
    }

    /// Decodes a record that takes up all of `bytes`.
    ///
    /// # Errors
    /// [`WireError`] if `bytes` is not the canonical encoding of a record.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut reader = Reader(bytes);
        let record = Self::read(&mut reader)?;
        reader.end()?;
        Ok(record)
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        match reader.u8()? {
            VERSION => {}
            other => return Err(WireError::Kind(other)),
        }
        let (pool, peer) = (reader.array()?, PeerId(reader.array()?));
        let (signed_at_s, expires_at_s) = (reader.u64()?, reader.u64()?);
        let agent = reader.bytes(USER_AGENT_BYTES_MAX)?;
        if !agent.iter().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(WireError::UserAgent);
        }
        let user_agent = String::from_utf8_lossy(agent).into_owned();
        let count = reader.count(RECORD_ADDRESSES_MAX)?;
        let mut addresses = Vec::with_capacity(count);
        for _ in 0..count {
            let address = Address::read(reader)?;
            if addresses.contains(&address) {
                return Err(WireError::Address);
            }
            addresses.push(address);
        }
        if addresses.is_empty() {
            return Err(WireError::Address);
        }
        Ok(Self { pool, peer, signed_at_s, expires_at_s, user_agent, addresses, signature: reader.array()? })
    }
}

/// Appends records: a count, then each as bytes.
pub(crate) fn put_records<'a>(out: &mut Vec<u8>, records: impl ExactSizeIterator<Item = &'a Record>) {
    put_count(out, records.len());
    for record in records {
        put_bytes(out, &record.encode());
    }
}

/// Reads at most `max` records.
pub(crate) fn read_records(reader: &mut Reader<'_>, max: usize) -> Result<Vec<Record>, WireError> {
    let count = reader.count(max)?;
    (0..count).map(|_| Record::decode(reader.bytes(RECORD_BYTES_MAX)?)).collect()
}

#[cfg(test)]
pub(crate) mod tests;
