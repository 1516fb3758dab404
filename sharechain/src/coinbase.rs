//! Builds the one valid coinbase of a share, byte for byte, and its hash state before the last output.
//!
//! ```text
//! version 2 │ 1 input: null outpoint, scriptSig, sequence │ count │ payouts │ null data? │ witness commitment? │ commitment │ locktime
//!           scriptSig = height, "/shoal/", extranonce             └───────────── prefix ends here ─────────────┘
//! ```

use std::sync::LazyLock;

use bitcoin::consensus::encode::{VarInt, serialize};
use bitcoin::hashes::{Hash, HashEngine, sha256, sha256d};
use bitcoin::{TxOut, Txid};

use crate::hash::Tag;
use crate::share::{CoinbasePrefix, EXTRANONCE_BYTES, ShareHeader};

#[cfg(test)]
mod tests;

/// Length of a SHA-256 block, bytes.
const SHA256_BLOCK_BYTES: usize = 64;

/// Bytes that every coinbase has in its scriptSig between the height and the extranonce.
const NAME: &[u8; 7] = b"/shoal/";

/// Transaction version.
const VERSION: [u8; 4] = [2, 0, 0, 0];

/// Sequence of the input: not final, so that the locktime applies, as
/// [BIP-0054](https://github.com/bitcoin/bips/blob/master/bip-0054.md) requires.
const SEQUENCE: [u8; 4] = 0xffff_fffe_u32.to_le_bytes();

/// Start of the witness commitment script: `OP_RETURN`, a push of 36 bytes, and the magic of
/// [BIP-0141](https://github.com/bitcoin/bips/blob/master/bip-0141.mediawiki).
pub(crate) const WITNESS_COMMITMENT: [u8; 6] = [0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed];

/// Start of the commitment script: `OP_RETURN` and a push of 32 bytes.
const COMMITMENT: [u8; 2] = [0x6a, 0x20];

/// Length of the last output, bytes: value, script length, `OP_RETURN`, push, hash.
const COMMITMENT_OUTPUT_BYTES: usize = 8 + 1 + 2 + 32;

/// Length of the coinbase after the prefix, bytes: the last output and the locktime.
pub(crate) const SUFFIX_BYTES: usize = COMMITMENT_OUTPUT_BYTES + 4;

/// Maximum length of everything but the payouts, bytes: fixed parts, a 6-byte height, the null data, the witness
/// commitment and the suffix.
const AROUND_BYTES_MAX: usize = 284;

/// Maximum length of a payout output, bytes: value, script length, and a P2TR or P2WSH script.
const PAYOUT_BYTES_MAX: usize = 43;

/// All inputs that determine the bytes of a coinbase.
#[derive(Clone, Copy, Debug)]
pub struct Coinbase<'a> {
    /// Share header that the coinbase commits to.
    pub share: &'a ShareHeader,
    /// Payout outputs that follow from the share-chain, in order (SC-308).
    pub payouts: &'a [TxOut],
    /// Bytes that miners roll.
    pub extranonce: &'a [u8; EXTRANONCE_BYTES],
    /// Hash in the witness commitment, if the block has one.
    pub witness_commitment: Option<&'a [u8; 32]>,
}

/// Coinbase serialized without witness, as miners get it and as the txid hashes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoinbaseBytes {
    bytes: Vec<u8>,
    extranonce_offset: usize,
    prefix_len: usize,
}

/// Bytes before the last output.
struct Prefix {
    bytes: Vec<u8>,
    extranonce_offset: usize,
}

impl Coinbase<'_> {
    /// Builds the coinbase for the network with this consensus id (SC-102 and SC-301).
    #[must_use]
    pub fn build(&self, consensus_id: &[u8; 32]) -> CoinbaseBytes {
        let Prefix { mut bytes, extranonce_offset } = self.build_prefix();
        let prefix_len = bytes.len();
        bytes.extend_from_slice(&suffix(consensus_id, self.share));
        CoinbaseBytes { bytes, extranonce_offset, prefix_len }
    }

    /// True if this coinbase, up to its last output, has the SHA-256 state `prefix`.
    ///
    /// The binding check completes that hash (SC-102). Together, the two checks show that the proof's coinbase is this
    /// one.
    #[must_use]
    pub fn matches_prefix(&self, prefix: &CoinbasePrefix) -> bool {
        let bytes = self.build_prefix().bytes;
        let (whole, tail) = split_blocks(&bytes);
        usize::try_from(prefix.length) == Ok(bytes.len()) && prefix.tail == tail && prefix.midstate == midstate(whole)
    }

    fn build_prefix(&self) -> Prefix {
        let room = self.payouts.len().saturating_mul(PAYOUT_BYTES_MAX).saturating_add(AROUND_BYTES_MAX);
        let mut out = Vec::with_capacity(room);
        out.extend_from_slice(&VERSION);
        let extranonce_offset = self.push_input(&mut out);
        let null_data = self.share.null_data.as_bytes();
        let others = 1_usize
            .saturating_add(usize::from(!null_data.is_empty()))
            .saturating_add(usize::from(self.witness_commitment.is_some()));
        push_compact_size(&mut out, self.payouts.len().saturating_add(others));
        for payout in self.payouts {
            push_output(&mut out, payout.value.to_sat(), &[payout.script_pubkey.as_bytes()]);
        }
        // Of several outputs that look like a witness commitment, Bitcoin takes the last.
        if !null_data.is_empty() {
            push_output(&mut out, 0, &[null_data]);
        }
        if let Some(hash) = self.witness_commitment {
            push_output(&mut out, 0, &[&WITNESS_COMMITMENT, hash]);
        }
        Prefix { bytes: out, extranonce_offset }
    }

    /// Appends the input. Returns the offset of its extranonce, bytes.
    fn push_input(&self, out: &mut Vec<u8>) -> usize {
        let height = HeightPush::new(self.share.bitcoin_height);
        let (name_push, nonce_push) = (NAME.len(), self.extranonce.len());
        let script_len = height.as_bytes().len().saturating_add(name_push).saturating_add(nonce_push).saturating_add(2);
        push_compact_size(out, 1);
        out.extend_from_slice(&[0; 32]);
        out.extend_from_slice(&u32::MAX.to_le_bytes());
        push_compact_size(out, script_len);
        out.extend_from_slice(height.as_bytes());
        // A push of fewer than 76 bytes is a length byte, then the bytes.
        push_compact_size(out, name_push);
        out.extend_from_slice(NAME);
        push_compact_size(out, nonce_push);
        let extranonce_offset = out.len();
        out.extend_from_slice(self.extranonce);
        out.extend_from_slice(&SEQUENCE);
        extranonce_offset
    }
}

impl CoinbaseBytes {
    /// Serialization without witness.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Id of the transaction.
    #[must_use]
    pub fn txid(&self) -> Txid {
        sha256d::Hash::hash(&self.bytes).into()
    }

    /// State of SHA-256 before the last output, as a proof has it.
    #[must_use]
    pub fn prefix(&self) -> CoinbasePrefix {
        let bytes = self.bytes.get(..self.prefix_len).unwrap_or_default();
        let (whole, tail) = split_blocks(bytes);
        CoinbasePrefix {
            midstate: midstate(whole),
            length: u32::try_from(self.prefix_len).unwrap_or(u32::MAX),
            tail: tail.to_vec(),
        }
    }

    /// Bytes before the extranonce, from there up to the last output, and from the last output on: `coinb1` of Stratum, and
    /// the two parts of `coinb2`. All coinbases with the same payouts have the same middle part.
    #[must_use]
    pub fn split_for_stratum(&self) -> (&[u8], &[u8], &[u8]) {
        let (prefix, end) = self.bytes.split_at_checked(self.prefix_len).unwrap_or_default();
        let (before, rest) = prefix.split_at_checked(self.extranonce_offset).unwrap_or_default();
        (before, rest.split_at_checked(EXTRANONCE_BYTES).unwrap_or_default().1, end)
    }
}

/// Returns the hash in the last output: the tagged hash of the consensus id and the encoded share header.
#[must_use]
pub fn commitment(consensus_id: &[u8; 32], share: &ShareHeader) -> [u8; 32] {
    static ENGINE: LazyLock<sha256::HashEngine> = LazyLock::new(|| Tag::Commitment.engine());
    let mut engine = ENGINE.clone();
    engine.input(consensus_id);
    engine.input(&share.encode());
    sha256::Hash::from_engine(engine).to_byte_array()
}

/// Returns the bytes after the prefix: the commitment output and the locktime, which is the height of the previous
/// block.
pub(crate) fn suffix(consensus_id: &[u8; 32], share: &ShareHeader) -> Vec<u8> {
    let mut out = Vec::with_capacity(SUFFIX_BYTES);
    push_output(&mut out, 0, &[&COMMITMENT, &commitment(consensus_id, share)]);
    out.extend_from_slice(&share.bitcoin_height.saturating_sub(1).to_le_bytes());
    out
}

/// Appends an output whose script is the concatenation of `parts`.
fn push_output(out: &mut Vec<u8>, value_sat: u64, parts: &[&[u8]]) {
    out.extend_from_slice(&value_sat.to_le_bytes());
    push_compact_size(out, parts.iter().fold(0, |sum, part| part.len().saturating_add(sum)));
    for part in parts {
        out.extend_from_slice(part);
    }
}

/// Appends a compact size: one, three, five or nine bytes.
fn push_compact_size(out: &mut Vec<u8>, size: usize) {
    match u8::try_from(size) {
        Ok(small) if small < 0xfd => out.push(small),
        _ => out.extend_from_slice(&serialize(&VarInt::from(size))),
    }
}

/// Push of a height at the start of the scriptSig, as
/// [BIP-0034](https://github.com/bitcoin/bips/blob/master/bip-0034.mediawiki) requires. Bitcoin Core accepts only one form: the one that `CScript() << height` writes.
struct HeightPush {
    bytes: [u8; 6],
    len: usize,
}

impl HeightPush {
    fn new(height: u32) -> Self {
        const OP_1_MINUS_1: u8 = 0x50;
        let [a, b, c, d] = height.to_le_bytes();
        let (len, bytes) = match height {
            0 => (1, [0; 6]),
            1..=16 => (1, [OP_1_MINUS_1.saturating_add(a), 0, 0, 0, 0, 0]),
            // Little-endian, in as few bytes as possible while the highest bit, the sign, is clear.
            17..=0x7f => (2, [1, a, 0, 0, 0, 0]),
            0x80..=0x7fff => (3, [2, a, b, 0, 0, 0]),
            0x8000..=0x7f_ffff => (4, [3, a, b, c, 0, 0]),
            0x80_0000..=0x7fff_ffff => (5, [4, a, b, c, d, 0]),
            0x8000_0000..=u32::MAX => (6, [5, a, b, c, d, 0]),
        };
        Self { bytes, len }
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// Splits bytes into the whole SHA-256 blocks and the rest.
fn split_blocks(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (blocks, tail) = bytes.as_chunks::<SHA256_BLOCK_BYTES>();
    (blocks.as_flattened(), tail)
}

/// State of SHA-256 after these whole blocks.
fn midstate(whole_blocks: &[u8]) -> [u8; 32] {
    let mut engine = sha256::Hash::engine();
    engine.input(whole_blocks);
    engine.midstate().to_byte_array()
}
