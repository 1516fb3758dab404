//! The one canonical encoding: integers little-endian and of fixed width, lengths explicit and bounded, nothing optional
//! in how a value is written. Whatever decodes, encodes to the same bytes again.

use bitcoin::ScriptBuf;
use bitcoin::block::Header;
use bitcoin::consensus::Encodable;
use bitcoin::consensus::encode::deserialize;

use crate::error::RuleError;
use crate::hash::Tag;
use crate::limits::{BRANCH_MAX, LIST_MAX, PREFIX_BYTES_MAX, PREFIX_BYTES_MIN, PROOF_BYTES_MAX, SCRIPT_BYTES_MAX};
use crate::share::{CoinbasePrefix, Proof, SHARE_VERSION, ShareHeader};
use crate::units::{ShareId, Timestamp};

const SHA256_BLOCK_BYTES: u32 = 64;

/// Reads bounded pieces off a slice.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], RuleError> {
        // SC-002: the encoding does not end before its last field.
        let (head, rest) = self.0.split_at_checked(count).ok_or(RuleError::Truncated)?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RuleError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(RuleError::Truncated)?;
        self.0 = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8, RuleError> {
        self.array().map(u8::from_le_bytes)
    }

    fn u16(&mut self) -> Result<u16, RuleError> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32, RuleError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, RuleError> {
        self.array().map(u64::from_le_bytes)
    }

    fn end(&self) -> Result<(), RuleError> {
        if self.0.is_empty() { Ok(()) } else { Err(RuleError::TrailingBytes) }
    }
}

/// True for the five forms a payout may have (SC-005): each is standard, spendable for certain and has no sigops to speak of.
#[must_use]
pub fn is_payout_script(script: &bitcoin::Script) -> bool {
    script.is_p2pkh() || script.is_p2sh() || script.is_p2wpkh() || script.is_p2wsh() || script.is_p2tr()
}

impl ShareHeader {
    /// Appends the canonical bytes to `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(&self.parent.0);
        out.extend_from_slice(&self.anchor.0);
        out.extend_from_slice(&self.shares_root);
        out.extend_from_slice(&self.shares_count.to_le_bytes());
        out.push(u8::try_from(self.payout.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(self.payout.as_bytes());
        out.extend_from_slice(&self.time.0.to_le_bytes());
        out.extend_from_slice(&self.bitcoin_height.to_le_bytes());
        out.extend_from_slice(&self.coinbase_value.to_le_bytes());
        out.extend_from_slice(&self.signals.to_le_bytes());
    }

    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(160);
        self.encode_into(&mut out);
        out
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RuleError> {
        // SC-004: the version is one that this implementation knows.
        let version = reader.u32()?;
        if version != SHARE_VERSION {
            return Err(RuleError::Version(version));
        }
        let parent = ShareId(reader.array()?);
        let anchor = ShareId(reader.array()?);
        let shares_root = reader.array()?;
        let shares_count = reader.u16()?;
        // SC-009: a list has at most 1,024 ids.
        if usize::from(shares_count) > LIST_MAX {
            return Err(RuleError::ListTooLong);
        }
        // SC-005: the payout script is exactly P2PKH, P2SH, P2WPKH, P2WSH or P2TR.
        let script_bytes = usize::from(reader.u8()?);
        if script_bytes > SCRIPT_BYTES_MAX {
            return Err(RuleError::PayoutScript);
        }
        let payout = ScriptBuf::from_bytes(reader.take(script_bytes)?.to_vec());
        if !is_payout_script(&payout) {
            return Err(RuleError::PayoutScript);
        }
        Ok(Self {
            version,
            parent,
            anchor,
            shares_root,
            shares_count,
            payout,
            time: Timestamp(reader.u32()?),
            bitcoin_height: reader.u32()?,
            coinbase_value: reader.u64()?,
            signals: reader.u32()?,
        })
    }
}

impl Proof {
    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(PROOF_BYTES_MAX);
        // Writing into memory does not fail.
        self.header.consensus_encode(&mut out).unwrap_or_default();
        self.share.encode_into(&mut out);
        out.extend_from_slice(&self.extranonce);
        match &self.witness_commitment {
            None => out.push(0),
            Some(hash) => {
                out.push(1);
                out.extend_from_slice(hash);
            }
        }
        out.push(u8::try_from(self.branch.len()).unwrap_or(u8::MAX));
        for hash in &self.branch {
            out.extend_from_slice(hash);
        }
        out.extend_from_slice(&self.prefix.midstate);
        out.extend_from_slice(&self.prefix.length.to_le_bytes());
        out.extend_from_slice(&self.prefix.tail);
        out
    }

    /// Reads a proof that fills `bytes` exactly.
    ///
    /// # Errors
    /// SC-001 to SC-009 for bytes that are not the canonical encoding of any proof.
    pub fn decode(bytes: &[u8]) -> Result<Self, RuleError> {
        // SC-001: an encoded proof is not longer than its longest fields together.
        if bytes.len() > PROOF_BYTES_MAX {
            return Err(RuleError::TooLong);
        }
        let mut reader = Reader(bytes);
        let header: Header = deserialize(reader.take(Header::SIZE)?).map_err(|_| RuleError::Truncated)?;
        let share = ShareHeader::read(&mut reader)?;
        let extranonce = reader.array()?;
        // SC-006: the flag before the witness commitment is 0 or 1.
        let witness_commitment = match reader.u8()? {
            0 => None,
            1 => Some(reader.array()?),
            _ => return Err(RuleError::WitnessFlag),
        };
        // SC-007: a merkle branch has at most 14 hashes.
        let branch_len = usize::from(reader.u8()?);
        if branch_len > BRANCH_MAX {
            return Err(RuleError::BranchTooLong);
        }
        let branch = (0..branch_len).map(|_| reader.array()).collect::<Result<_, _>>()?;
        let prefix = read_prefix(&mut reader)?;
        // SC-003: nothing follows.
        reader.end()?;
        Ok(Self { header, share, extranonce, witness_commitment, branch, prefix })
    }
}

fn read_prefix(reader: &mut Reader<'_>) -> Result<CoinbasePrefix, RuleError> {
    let midstate = reader.array()?;
    let length = reader.u32()?;
    // SC-008: the coinbase before its last output is as long as such a coinbase can be. The lower bound also keeps the
    // whole coinbase from being 64 bytes, the length of an inner node of the merkle tree.
    if !(PREFIX_BYTES_MIN..=PREFIX_BYTES_MAX).contains(&length) {
        return Err(RuleError::PrefixLength(length));
    }
    let tail_bytes = usize::try_from(length % SHA256_BLOCK_BYTES).map_err(|_| RuleError::PrefixLength(length))?;
    let tail = reader.take(tail_bytes)?.to_vec();
    Ok(CoinbasePrefix { midstate, length, tail })
}

/// The canonical bytes of a link's list: a count of two bytes, then the ids.
#[must_use]
pub fn encode_list(list: &[ShareId]) -> Vec<u8> {
    let mut out = Vec::with_capacity(list.len().saturating_mul(32).saturating_add(2));
    out.extend_from_slice(&u16::try_from(list.len()).unwrap_or(u16::MAX).to_le_bytes());
    for id in list {
        out.extend_from_slice(&id.0);
    }
    out
}

/// Reads a list that fills `bytes` exactly.
///
/// # Errors
/// SC-002, SC-003 or SC-009.
pub fn decode_list(bytes: &[u8]) -> Result<Vec<ShareId>, RuleError> {
    let mut reader = Reader(bytes);
    let count = usize::from(reader.u16()?);
    if count > LIST_MAX {
        return Err(RuleError::ListTooLong);
    }
    let list = (0..count).map(|_| reader.array().map(ShareId)).collect::<Result<_, _>>()?;
    reader.end()?;
    Ok(list)
}

/// What a share header commits to instead of the list itself: the tagged hash of the ids in their order.
#[must_use]
pub fn shares_root(list: &[ShareId]) -> [u8; 32] {
    Tag::SharesRoot.hash(&[&encode_list(list)])
}
