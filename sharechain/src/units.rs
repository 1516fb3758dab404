//! Quantities as types, so that a height is never added to a time.
//!
//! All their arithmetic is checked or saturates on purpose. Where it saturates, the doc comment says why that is safe.

use core::fmt;

use bitcoin::BlockHash;
use bitcoin::hashes::Hash;

/// Unsigned 256-bit integer, for targets and sums of work.
pub type U256 = ruint::aliases::U256;

/// Id of a share or link: the double SHA-256 of its 80-byte Bitcoin header, in SHA-256 output order.
///
/// Ids are ordered by these bytes. The id of the genesis link is the consensus id of its network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShareId(pub [u8; 32]);

impl ShareId {
    /// The hash as a little-endian number, for comparison with a target.
    #[must_use]
    pub fn as_number(&self) -> U256 {
        U256::from_le_bytes(self.0)
    }

    /// The same hash as a Bitcoin block hash.
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

/// Formats the id as Bitcoin formats block hashes: hexadecimal, last byte first.
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

/// Number of links between a link and the share-chain's genesis. A share has its parent's height plus one.
///
/// ```
/// use sharechain::Height;
///
/// let tip = Height(100);
/// assert_eq!(tip.child(), Height(101));
/// assert_eq!(tip.below(60), Height(40));
/// assert_eq!(tip.below(101), Height(0), "nothing lies below genesis");
/// assert_eq!(tip.above(Height(40)), 60);
/// assert_eq!(tip.above(Height(200)), 0, "it is not above");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Height(pub u32);

impl Height {
    /// The height `depth` links below. Saturates at genesis: nothing is below it.
    #[must_use]
    pub const fn below(self, depth: u32) -> Self {
        Self(self.0.saturating_sub(depth))
    }

    /// Height of a child. Saturates: at one link per second, a `u32` lasts 136 years.
    #[must_use]
    pub const fn child(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Number of links from `other` up to this height; 0 if this height is not above `other`.
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

/// Unix time in seconds, as in a Bitcoin header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u32);

impl Timestamp {
    /// `self - earlier` in seconds; negative if `earlier` is later.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> i64 {
        i64::from(self.0).saturating_sub(i64::from(earlier.0))
    }

    /// The time `seconds` later. Saturates at the end of the 32-bit range, in 2106.
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

/// Work as an expected number of hashes.
///
/// ```
/// use sharechain::{U256, Work};
///
/// // One hash in 2^10 is at or below this target.
/// let share = Work::of_target(U256::MAX >> 10);
/// assert_eq!(share, Work(U256::from(1_024)));
/// assert_eq!(share.plus(share).to_hashes_saturating_u128(), 2_048);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Work(pub U256);

impl Work {
    /// Expected number of hashes to find one at or below `target`: `2^256 / (target + 1)`, rounded down.
    ///
    /// Uses the same integer steps as Bitcoin Core's `GetBlockProof`. Target 0, which every rule excludes, gives the
    /// maximum.
    #[must_use]
    pub fn of_target(target: U256) -> Self {
        let Some(divisor) = target.checked_add(U256::ONE) else {
            return Self(U256::ONE);
        };
        let whole = (!target).checked_div(divisor).unwrap_or(U256::ZERO);
        Self(whole.saturating_add(U256::ONE))
    }

    /// Sum. Saturates: 2^256 hashes are physically impossible.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Number of hashes, for display and metrics. Saturates at `u128::MAX`.
    #[must_use]
    pub fn to_hashes_saturating_u128(self) -> u128 {
        u128::try_from(self.0).unwrap_or(u128::MAX)
    }
}

/// Credit for work, measured in expected Bitcoin blocks. One unit is 2^-64 block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Weight(pub u128);

impl Weight {
    /// One expected Bitcoin block.
    pub const ONE_BLOCK: Self = Self(1 << 64);
    /// No weight.
    pub const ZERO: Self = Self(0);

    /// Sum. Saturates: windows hold a few tens of blocks, about 2^70 units.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Difference; zero if `other` is larger.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}
