//! The canonical encoding. Integers are little-endian and have a fixed width. Lengths are explicit and bounded. Each
//! value has exactly one encoding, so decoded data always encodes to the same bytes.

use bitcoin::block::Header;
use bitcoin::consensus::Encodable;
use bitcoin::consensus::encode::deserialize;
use bitcoin::{Script, ScriptBuf, WitnessVersion};

use crate::coinbase::WITNESS_COMMITMENT;
use crate::error::RuleError;
use crate::hash::Tag;
use crate::limits::{
    BRANCH_MAX, LIST_MAX, NULL_DATA_BYTES_MAX, PREFIX_BYTES_MAX, PREFIX_BYTES_MIN, PROOF_BYTES_MAX, SCRIPT_BYTES_MAX,
};
use crate::share::{CoinbasePrefix, Proof, SHARE_VERSION, ShareHeader};
use crate::units::{ShareId, Timestamp};

const SHA256_BLOCK_BYTES: u32 = 64;

/// Reads fields from the front of a slice.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], RuleError> {
        // SC-002: The encoding does not end before its last field.
        let (head, rest) = self.0.split_at_checked(count).ok_or(RuleError::Truncated)?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], RuleError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(RuleError::Truncated)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, RuleError> {
        self.array().map(u8::from_le_bytes)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, RuleError> {
        self.array().map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, RuleError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, RuleError> {
        self.array().map(u64::from_le_bytes)
    }

    /// A length byte and a script of at most `longest` bytes that has a form that `is_allowed`.
    pub(crate) fn script(
        &mut self,
        longest: usize,
        is_allowed: impl FnOnce(&Script) -> bool,
        otherwise: RuleError,
    ) -> Result<ScriptBuf, RuleError> {
        self.borrowed_script(longest, is_allowed, otherwise).map(Into::into)
    }

    /// As [`Reader::script`], where it lies.
    pub(crate) fn borrowed_script(
        &mut self,
        longest: usize,
        is_allowed: impl FnOnce(&Script) -> bool,
        otherwise: RuleError,
    ) -> Result<&'a Script, RuleError> {
        let length = usize::from(self.u8()?);
        if length > longest {
            return Err(otherwise);
        }
        let script = Script::from_bytes(self.take(length)?);
        if is_allowed(script) { Ok(script) } else { Err(otherwise) }
    }

    pub(crate) fn end(&self) -> Result<(), RuleError> {
        if self.0.is_empty() { Ok(()) } else { Err(RuleError::TrailingBytes) }
    }
}

/// True for the payout scripts of SC-005. All are standard, and add few or no sigops to a block.
///
/// Witness versions from 2 on have no meaning yet: anyone may spend such an output until a soft fork gives it one.
/// [`is_spendable_by_owner`] tells.
#[must_use]
pub fn is_payout_script(script: &Script) -> bool {
    let later = script.witness_version().is_some_and(|version| version > WitnessVersion::V1) && script.len() == 34;
    later || is_spendable_by_owner(script)
}

/// True for the payout scripts that only their owner can spend by today's rules of Bitcoin: P2PKH, P2SH, P2WPKH, P2WSH
/// and P2TR.
#[must_use]
pub fn is_spendable_by_owner(script: &Script) -> bool {
    script.is_p2pkh() || script.is_p2sh() || script.is_p2wpkh() || script.is_p2wsh() || script.is_p2tr()
}

/// True for the null data scripts of SC-010. A single push has no sigops, and Bitcoin must not take it for the witness
/// commitment.
#[must_use]
fn is_null_data(script: &Script) -> bool {
    const OP_RETURN: u8 = 0x6a;
    const OP_PUSHDATA1: u8 = 0x4c;
    let bytes = script.as_bytes();
    let pushed = match bytes {
        [] => return true,
        [OP_RETURN, OP_PUSHDATA1, length @ 76..=80, pushed @ ..] | [OP_RETURN, length @ 1..=75, pushed @ ..] => {
            pushed.len() == usize::from(*length)
        }
        _ => false,
    };
    pushed && !bytes.starts_with(&WITNESS_COMMITMENT)
}

impl ShareHeader {
    /// Appends the canonical encoding to `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.version.to_le_bytes());
        out.extend_from_slice(&self.parent.0);
        out.extend_from_slice(&self.anchor.0);
        out.extend_from_slice(&self.shares_root);
        out.extend_from_slice(&self.shares_count.to_le_bytes());
        out.extend_from_slice(&self.state_root);
        out.push(u8::try_from(self.payout.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(self.payout.as_bytes());
        out.extend_from_slice(&self.time.0.to_le_bytes());
        out.extend_from_slice(&self.bitcoin_height.to_le_bytes());
        out.extend_from_slice(&self.coinbase_value.to_le_bytes());
        out.extend_from_slice(&self.signals.to_le_bytes());
        out.push(u8::try_from(self.null_data.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(self.null_data.as_bytes());
    }

    /// Canonical encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(192);
        self.encode_into(&mut out);
        out
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, RuleError> {
        // SC-004: the version is one that this implementation knows.
        let version = reader.u32()?;
        if version != SHARE_VERSION {
            return Err(RuleError::Version(version));
        }
        let parent = ShareId(reader.array()?);
        let anchor = ShareId(reader.array()?);
        let shares_root = reader.array()?;
        let shares_count = reader.u16()?;
        // SC-009: A list has at most 1,024 ids.
        if usize::from(shares_count) > LIST_MAX {
            return Err(RuleError::ListTooLong);
        }
        let state_root = reader.array()?;
        // SC-005: The payout script is exactly P2PKH, P2SH, P2WPKH, P2WSH or P2TR, or of a witness version from 2 to 16
        // with 32 bytes.
        let payout = reader.script(SCRIPT_BYTES_MAX, is_payout_script, RuleError::PayoutScript)?;
        let time = Timestamp(reader.u32()?);
        let bitcoin_height = reader.u32()?;
        let coinbase_value = reader.u64()?;
        let signals = reader.u32()?;
        // SC-010: The null data script is empty, or OP_RETURN and one push of 1 to 80 bytes with the shortest length
        // prefix that is not a witness commitment.
        let null_data = reader.script(NULL_DATA_BYTES_MAX, is_null_data, RuleError::NullData)?;
        Ok(Self {
            version,
            parent,
            anchor,
            shares_root,
            shares_count,
            state_root,
            payout,
            time,
            bitcoin_height,
            coinbase_value,
            signals,
            null_data,
        })
    }
}

impl Proof {
    /// Canonical encoding.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(PROOF_BYTES_MAX);
        // Writing to memory never fails.
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

    /// Decodes a proof that takes up all of `bytes`.
    ///
    /// # Errors
    /// The first broken rule of SC-001 to SC-010, if `bytes` is not the canonical encoding of a proof.
    pub fn decode(bytes: &[u8]) -> Result<Self, RuleError> {
        // SC-001: An encoded proof has at most 960 bytes.
        if bytes.len() > PROOF_BYTES_MAX {
            return Err(RuleError::TooLong);
        }
        let mut reader = Reader(bytes);
        let header: Header = deserialize(reader.take(Header::SIZE)?).map_err(|_| RuleError::Truncated)?;
        let share = ShareHeader::read(&mut reader)?;
        let extranonce = reader.array()?;
        // SC-006: The flag before the witness commitment is 0 or 1.
        let witness_commitment = match reader.u8()? {
            0 => None,
            1 => Some(reader.array()?),
            _ => return Err(RuleError::WitnessFlag),
        };
        // SC-007: The merkle branch has at most 14 hashes.
        let branch_len = usize::from(reader.u8()?);
        if branch_len > BRANCH_MAX {
            return Err(RuleError::BranchTooLong);
        }
        let branch = (0..branch_len).map(|_| reader.array()).collect::<Result<_, _>>()?;
        let prefix = read_prefix(&mut reader)?;
        // SC-003: Nothing follows the last field.
        reader.end()?;
        Ok(Self { header, share, extranonce, witness_commitment, branch, prefix })
    }
}

fn read_prefix(reader: &mut Reader<'_>) -> Result<CoinbasePrefix, RuleError> {
    let midstate = reader.array()?;
    let length = reader.u32()?;
    // SC-008: The coinbase before its last output has 100 to 65,535 bytes. The lower bound also ensures that the whole
    // coinbase is longer than 64 bytes, the length of an inner node of the merkle tree.
    if !(PREFIX_BYTES_MIN..=PREFIX_BYTES_MAX).contains(&length) {
        return Err(RuleError::PrefixLength(length));
    }
    let tail_bytes = usize::try_from(length % SHA256_BLOCK_BYTES).map_err(|_| RuleError::PrefixLength(length))?;
    let tail = reader.take(tail_bytes)?.to_vec();
    Ok(CoinbasePrefix { midstate, length, tail })
}

/// Canonical encoding of a link's list: a two-byte count, then 32 bytes per id.
///
/// ```
/// use sharechain::encode::{decode_list, encode_list};
/// use sharechain::{RuleError, ShareId};
///
/// let list = vec![ShareId([1; 32]), ShareId([2; 32])];
/// let bytes = encode_list(&list);
/// assert_eq!(bytes.len(), 2 + 2 * 32);
/// assert_eq!(decode_list(&bytes), Ok(list));
///
/// // A list has one encoding: neither less nor more is one.
/// assert_eq!(decode_list(&bytes[..65]), Err(RuleError::Truncated));
/// assert_eq!(decode_list(&[bytes.as_slice(), &[0]].concat()), Err(RuleError::TrailingBytes));
/// ```
#[must_use]
pub fn encode_list(list: &[ShareId]) -> Vec<u8> {
    let mut out = Vec::with_capacity(list.len().saturating_mul(32).saturating_add(2));
    out.extend_from_slice(&u16::try_from(list.len()).unwrap_or(u16::MAX).to_le_bytes());
    for id in list {
        out.extend_from_slice(&id.0);
    }
    out
}

/// Decodes a list that takes up all of `bytes`.
///
/// # Errors
/// SC-002, SC-003 or SC-009, whichever is broken first.
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

/// Root of a list, which the share header commits to: the tagged hash of the list's encoding.
#[must_use]
pub fn shares_root(list: &[ShareId]) -> [u8; 32] {
    Tag::SharesRoot.hash(&[&encode_list(list)])
}
