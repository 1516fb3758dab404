//! Text form of single values. Hashes and ids are in SHA-256 output order, as in the specification. Bitcoin's tools
//! show them in reverse.

use std::fmt;
use std::str::FromStr;

use bitcoin::BlockHash;
use bitcoin::block::Header;
use bitcoin::consensus::encode::{deserialize, serialize};
use bitcoin::hex::{DisplayHex, FromHex};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sharechain::{ShareId, U256};

use crate::{LINE_BYTES_MAX, PROOF_BYTES_MAX};

/// Error in a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The text has other characters than 0-9 and a-f, or an odd number of them.
    #[error("is not lowercase hexadecimal")]
    NotHex,
    /// The value has too few or too many bytes.
    #[error("has {found} bytes, expected {least} to {most}")]
    Length {
        /// Number of bytes found.
        found: usize,
        /// Minimum number of bytes.
        least: usize,
        /// Maximum number of bytes.
        most: usize,
    },
    /// The text has a sign, leading zeros or other characters.
    #[error("is not a decimal string without leading zeros")]
    NotDecimal,
    /// The number is out of range.
    #[error("has more than 128 bits")]
    TooLarge,
    /// The text is not a verdict.
    #[error("is not a verdict that this line may have")]
    NotAVerdict,
}

/// Parses lowercase hexadecimal of `least` to `most` bytes.
fn unhex(text: &str, least: usize, most: usize) -> Result<Vec<u8>, ValueError> {
    let lower = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let bytes = if lower { Vec::from_hex(text).ok() } else { None };
    let bytes = bytes.ok_or(ValueError::NotHex)?;
    let found = bytes.len();
    if (least..=most).contains(&found) { Ok(bytes) } else { Err(ValueError::Length { found, least, most }) }
}

fn unhex_array<const N: usize>(text: &str) -> Result<[u8; N], ValueError> {
    let bytes = unhex(text, N, N)?;
    bytes.try_into().map_err(|bytes: Vec<u8>| ValueError::Length { found: bytes.len(), least: N, most: N })
}

/// Serializes a type with `Display` and `FromStr` as its text.
macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}
pub(crate) use as_text;

/// Deserializes an optional key: it may be left out, but it must not be `null`.
pub(crate) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A hash or an id, 32 bytes in SHA-256 output order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id(pub [u8; 32]);

impl Id {
    /// The id of a proof.
    #[must_use]
    pub const fn share(self) -> ShareId {
        ShareId(self.0)
    }

    /// The hash of a Bitcoin block.
    #[must_use]
    pub fn block(self) -> BlockHash {
        self.share().block_hash()
    }
}

impl From<ShareId> for Id {
    fn from(id: ShareId) -> Self {
        Self(id.0)
    }
}

impl From<BlockHash> for Id {
    fn from(hash: BlockHash) -> Self {
        ShareId::from(hash).into()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0.as_hex())
    }
}

impl FromStr for Id {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        unhex_array(text).map(Self)
    }
}

/// A Bitcoin header: 80 bytes in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawHeader(pub Header);

impl fmt::Display for RawHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", serialize(&self.0).as_hex())
    }
}

impl FromStr for RawHeader {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        const LENGTH: usize = Header::SIZE;
        let bytes = unhex(text, LENGTH, LENGTH)?;
        // Any 80 bytes decode as a header.
        let header = deserialize(&bytes).map_err(|_| ValueError::NotHex)?;
        Ok(Self(header))
    }
}

/// An encoded proof in hexadecimal. The bytes need not decode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawProof(pub Vec<u8>);

impl fmt::Display for RawProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0.as_hex())
    }
}

impl FromStr for RawProof {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        unhex(text, 0, PROOF_BYTES_MAX).map(Self)
    }
}

/// Encoded data of a share-chain's base in hexadecimal. The bytes need not decode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawBytes(pub Vec<u8>);

impl fmt::Display for RawBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0.as_hex())
    }
}

impl FromStr for RawBytes {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        unhex(text, 0, LINE_BYTES_MAX / 2).map(Self)
    }
}

/// A payout script in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RawScript(pub Vec<u8>);

impl fmt::Display for RawScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0.as_hex())
    }
}

impl FromStr for RawScript {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        /// Lengths of P2WPKH, the shortest payout script, and of P2TR and P2WSH, the longest.
        const SHORTEST: usize = 22;
        const LONGEST: usize = 34;
        unhex(text, SHORTEST, LONGEST).map(Self)
    }
}

/// Challenge script of a signet in hexadecimal, at most 255 bytes: the consensus id has one byte for its length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge(pub(crate) Vec<u8>);

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0.as_hex())
    }
}

impl FromStr for Challenge {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        unhex(text, 0, usize::from(u8::MAX)).map(Self)
    }
}

/// An integer of 128 bits, which JSON parsers may not support: a string of decimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal(pub u128);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Decimal {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || (text.len() > 1 && text.starts_with('0')) {
            return Err(ValueError::NotDecimal);
        }
        text.parse().map(Self).map_err(|_| ValueError::TooLarge)
    }
}

/// A target or work: 64 hexadecimal digits, most significant first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(pub U256);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0.to_be_bytes::<32>().as_hex())
    }
}

impl FromStr for Number {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        unhex_array(text).map(|bytes| Self(U256::from_be_bytes::<32>(bytes)))
    }
}

as_text!(Id, RawHeader, RawProof, RawBytes, RawScript, Challenge, Decimal, Number);
