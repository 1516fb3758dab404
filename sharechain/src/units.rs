//! Quantities as types, so that a height is never added to a time.
//!
//! All arithmetic on them is checked or saturating on purpose; where it saturates, the doc comment says why that is right.

use core::fmt;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;

/// An unsigned 256-bit integer: targets and sums of work.
pub type U256 = ruint::aliases::U256;

/// The id of a share or link: the double SHA-256 of its 80-byte Bitcoin header, in the byte order in which it is hashed.
///
/// Ordered by those bytes. The genesis of a share-chain has its consensus id in this place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShareId(pub [u8; 32]);

impl ShareId {
    /// The hash as a number, to be compared with a target.
    #[must_use]
    pub fn as_number(&self) -> U256 {
        U256::from_le_bytes(self.0)
    }

    /// The same hash under the name that Bitcoin has for it.
    #[must_use]
    pub fn block_hash(&self) -> BlockHash {
        BlockHash::from_byte_array(self.0)
    }
}

impl From<BlockHash> for ShareId {
    fn from(hash: BlockHash) -> Self {
        Self(hash.to_byte_array())
    }
}

impl core::str::FromStr for ShareId {
    type Err = bitcoin::hex::HexToArrayError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse::<BlockHash>().map(Self::from)
    }
}

/// Shown as Bitcoin shows block hashes: hexadecimal, last byte first.
impl fmt::Display for ShareId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.block_hash().fmt(f)
    }
}

impl fmt::Debug for ShareId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.block_hash().fmt(f)
    }
}

/// Number of links between a link and the genesis of the share-chain; a share has its parent's height plus one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Height(pub u32);

impl Height {
    /// The height `depth` links below, or genesis while there is none.
    #[must_use]
    pub const fn below(self, depth: u32) -> Self {
        Self(self.0.saturating_sub(depth))
    }

    /// The height of a child. Saturates: at one link a second a `u32` lasts for 136 years.
    #[must_use]
    pub const fn child(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// How many links this height is above `other`; 0 when it is not above.
    #[must_use]
    pub const fn above(self, other: Self) -> u32 {
        self.0.saturating_sub(other.0)
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Seconds since 1970, as in a Bitcoin header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u32);

impl Timestamp {
    /// `self - earlier` in seconds, negative when `earlier` is later.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> i64 {
        i64::from(self.0).saturating_sub(i64::from(earlier.0))
    }

    /// The time `seconds` later. Saturates at the end of the 32-bit range in 2106.
    #[must_use]
    pub const fn plus(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Expected number of hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Work(pub U256);

impl Work {
    /// Work that a hash at or below `target` shows on average: `2^256 / (target + 1)`, rounded down.
    ///
    /// The same integer steps as Bitcoin Core's `GetBlockProof`. Target 0, which no rule lets through, gives the maximum.
    #[must_use]
    pub fn of_target(target: U256) -> Self {
        let Some(divisor) = target.checked_add(U256::ONE) else {
            return Self(U256::ONE);
        };
        let whole = (!target).checked_div(divisor).unwrap_or(U256::ZERO);
        Self(whole.saturating_add(U256::ONE))
    }

    /// Sum. Saturates: 2^256 hashes are beyond physics.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The number of hashes, for people and metrics; saturates at `u128::MAX`.
    #[must_use]
    pub fn to_hashes_saturating_u128(self) -> u128 {
        u128::try_from(self.0).unwrap_or(u128::MAX)
    }
}

/// A score in expected Bitcoin blocks, in units of 2^-64 block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(pub u128);

impl Weight {
    /// One expected Bitcoin block.
    pub const ONE_BLOCK: Self = Self(1 << 64);
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Sum. Saturates: windows hold some tens of blocks, 2^70 of these units.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Difference, or zero when `other` is larger.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}
