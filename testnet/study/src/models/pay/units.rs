//! Bitcoin and the pool in numbers.

use bitcoin::pow::CompactTarget;
use sharechain::target::{bits_of_target, link_bonus, share_target, weight_of_share};
use sharechain::{ChainParams, U256, Weight, Work};

/// Hashes a second of all Bitcoin miners: a round figure, passed in September 2025, when the difficulty was 140 T.
pub const NETWORK_HASHRATE: f64 = 1e21;

/// Expected hashes of a Bitcoin block at that hashrate and one block in [`BLOCK_INTERVAL_S`].
pub const BLOCK_WORK: u128 = 600_000_000_000_000_000_000_000;

/// Mean seconds between two Bitcoin blocks.
pub const BLOCK_INTERVAL_S: f64 = 600.0;

/// Subsidy of a block between the heights 840,000 and 1,050,000, satoshi. Fees are left out: pay is compared with pay.
pub const SUBSIDY_SAT: u64 = 312_500_000;

/// Seconds of a day.
pub const DAY_S: f64 = 86_400.0;

/// Seconds of a month, a twelfth of [`YEAR_S`].
pub const MONTH_S: f64 = YEAR_S / 12.0;

/// Seconds of a year.
pub const YEAR_S: f64 = 365.25 * DAY_S;

/// A terahash, petahash and exahash, hashes.
pub const TERA: f64 = 1e12;
/// A petahash, hashes.
pub const PETA: f64 = 1e15;
/// An exahash, hashes.
pub const EXA: f64 = 1e18;

/// What Bitcoin's difficulty is in all models of pay.
#[must_use]
pub fn bits() -> CompactTarget {
    bits_of_target(target_of_work(BLOCK_WORK))
}

/// The target that takes so many hashes on average.
#[must_use]
pub fn target_of_work(hashes: u128) -> U256 {
    U256::MAX.checked_div(U256::from(hashes)).unwrap_or(U256::MAX)
}

/// Expected hashes of a target.
#[must_use]
pub fn work_of(target: U256) -> f64 {
    to_f64(Work::of_target(target).to_hashes_saturating_u128())
}

/// A weight in Bitcoin blocks.
#[must_use]
pub fn blocks(weight: Weight) -> f64 {
    to_f64(weight.0) / to_f64(Weight::ONE_BLOCK.0)
}

/// The weight of so many Bitcoin blocks; negative ones weigh nothing.
#[must_use]
pub fn weight_of_blocks(blocks: f64) -> Weight {
    Weight(to_u128(blocks * to_f64(Weight::ONE_BLOCK.0)))
}

/// The nearest number to reckon with: 53 bits of precision.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "models of pay are statistics: 53 bits are plenty")]
pub const fn to_f64(value: u128) -> f64 {
    value as f64
}

/// Rounded down, 0 for what is negative.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, as documented")]
pub const fn to_u128(value: f64) -> u128 {
    value as u128
}

/// What proofs are worth in a pool whose targets fit its constant hashrate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worth {
    /// Shares a second, links included.
    pub shares_per_s: f64,
    /// Expected hashes of a share.
    pub share_work: f64,
    /// What a share is credited with.
    pub share: Weight,
    /// What a link is credited with on top.
    pub bonus: Weight,
    /// The part of the shares that are links.
    pub link_part: f64,
}

impl Worth {
    /// Of a pool with this hashrate, hashes a second: a link in [`ChainParams::link_interval_s`], and shares
    /// [`ChainParams::shares_per_link`] times as often, unless the floor of the share target forbids it.
    #[must_use]
    pub fn of(hashrate: f64, params: &ChainParams) -> Self {
        let link = target_of_work(to_u128(hashrate * f64::from(params.link_interval_s)).max(1));
        let share = share_target(link, params);
        let link = link.min(share);
        Self {
            shares_per_s: hashrate / work_of(share),
            share_work: work_of(share),
            share: weight_of_share(share, bits(), params),
            bonus: link_bonus(link, bits(), params),
            link_part: work_of(share) / work_of(link),
        }
    }

    /// Blocks of weight that the pool is credited with in a second.
    #[must_use]
    pub fn blocks_per_s(&self) -> f64 {
        self.shares_per_s * (blocks(self.share) + self.link_part * blocks(self.bonus))
    }
}
