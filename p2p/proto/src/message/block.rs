//! The announcement of a Bitcoin block that the pool found (after
//! [BIP-0152](https://github.com/bitcoin/bips/blob/master/bip-0152.mediawiki)).
//!
//! It carries the block's proof, which has the header and stands for the coinbase: every node that knows the share-chain
//! builds the coinbase from it. The other transactions are named by short ids.

use bitcoin::Wtxid;
use bitcoin::bip152::ShortId;
use bitcoin::block::Header;
use sharechain::Proof;

use super::WireError;
use crate::limits::BLOCK_TRANSACTIONS_MAX;
use crate::wire::{Reader, put_count, put_proof};

/// Length of a short id, bytes.
pub const SHORT_ID_BYTES: usize = 6;

/// Short ids of one announcement: the first 6 bytes of SipHash-2-4 of a transaction's hash with its witness. The keys
/// are the first 16 bytes of `SHA256(header || nonce)`, so that ids cannot be made to collide before the block is
/// found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortIds((u64, u64));

impl ShortIds {
    /// The short ids of the announcement with this header and nonce.
    #[must_use]
    pub fn new(header: &Header, nonce: u64) -> Self {
        Self(ShortId::calculate_siphash_keys(header, nonce))
    }

    /// The short id of the transaction with this hash.
    #[must_use]
    pub fn of(&self, wtxid: &Wtxid) -> [u8; SHORT_ID_BYTES] {
        let mut bytes = [0; SHORT_ID_BYTES];
        bytes.copy_from_slice(ShortId::with_siphash_keys(wtxid, self.0).as_ref());
        bytes
    }
}

/// Announcement of a Bitcoin block of the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Proof of the share whose hash meets Bitcoin's own target.
    pub proof: Box<Proof>,
    /// Number that the short ids depend on.
    pub nonce: u64,
    /// Short ids of the block's transactions after the coinbase, in order.
    pub ids: Vec<[u8; SHORT_ID_BYTES]>,
}

impl Announcement {
    /// The announcement of a block with these transactions after its coinbase.
    #[must_use]
    pub fn new<'a>(proof: Proof, nonce: u64, transactions: impl IntoIterator<Item = &'a Wtxid>) -> Self {
        let short = ShortIds::new(&proof.header, nonce);
        let ids = transactions.into_iter().map(|wtxid| short.of(wtxid)).collect();
        Self { proof: Box::new(proof), nonce, ids }
    }

    /// The short ids that this announcement uses.
    #[must_use]
    pub fn short_ids(&self) -> ShortIds {
        ShortIds::new(&self.proof.header, self.nonce)
    }

    pub(super) fn encode_into(&self, out: &mut Vec<u8>) {
        put_proof(out, &self.proof);
        out.extend_from_slice(&self.nonce.to_le_bytes());
        put_count(out, self.ids.len());
        for id in &self.ids {
            out.extend_from_slice(id);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let proof = Box::new(reader.proof()?);
        let nonce = u64::from_le_bytes(reader.array()?);
        let count = reader.count(BLOCK_TRANSACTIONS_MAX)?;
        let ids = (0..count).map(|_| reader.array()).collect::<Result<_, _>>()?;
        Ok(Self { proof, nonce, ids })
    }
}

/// Appends ascending positions as bits: position `n` is bit `n % 8` of byte `n / 8`. Ends with the byte of the last
/// position.
pub(super) fn put_positions(out: &mut Vec<u8>, positions: &[u16]) {
    let mut bits = vec![0_u8; positions.last().map_or(0, |last| usize::from(*last) / 8 + 1)];
    for position in positions {
        if let Some(byte) = bits.get_mut(usize::from(*position) / 8) {
            *byte |= 1 << (position % 8);
        }
    }
    crate::wire::put_bytes(out, &bits);
}

/// Reads ascending positions.
pub(super) fn read_positions(reader: &mut Reader<'_>) -> Result<Vec<u16>, WireError> {
    let bits = reader.bytes(BLOCK_TRANSACTIONS_MAX.div_ceil(8))?;
    // One set of positions has one encoding.
    if bits.last() == Some(&0) {
        return Err(WireError::TrailingBytes);
    }
    let is_set =
        |position: &u16| bits.get(usize::from(*position) / 8).is_some_and(|byte| byte >> (position % 8) & 1 == 1);
    let end = u16::try_from(8 * bits.len()).unwrap_or(u16::MAX);
    Ok((0..end).filter(is_set).collect())
}
