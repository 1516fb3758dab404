//! Units and conversions.

use bitcoin::pow::CompactTarget;
use sharechain::target::{bits_of_target, link_bonus, share_target, weight_of_share};
use sharechain::{ChainParams, U256, Weight, Work};

/// Hashes per second of all Bitcoin miners: a round figure, passed in September 2025 at a difficulty of 140 T.
pub const NETWORK_HASHRATE: f64 = 1e21;

/// Expected hashes per Bitcoin block at that hashrate, with one block per [`BLOCK_INTERVAL_S`].
pub const BLOCK_WORK: u128 = 600_000_000_000_000_000_000_000;

/// Mean seconds between Bitcoin blocks.
pub const BLOCK_INTERVAL_S: f64 = 600.0;

/// Subsidy of a block between the heights 840,000 and 1,050,000, in satoshi. Fees are left out, because the models
/// compare pay with pay.
pub const SUBSIDY_SAT: u64 = 312_500_000;

/// Seconds per day.
pub const DAY_S: f64 = 86_400.0;

/// Seconds per month, a twelfth of [`YEAR_S`].
pub const MONTH_S: f64 = YEAR_S / 12.0;

/// Seconds per year.
pub const YEAR_S: f64 = 365.25 * DAY_S;

/// Hashes in a terahash.
pub const TERA: f64 = 1e12;
/// Hashes in a petahash.
pub const PETA: f64 = 1e15;
/// Hashes in an exahash.
pub const EXA: f64 = 1e18;

/// Returns Bitcoin's difficulty in all models of pay, as nBits.
#[must_use]
pub fn bits() -> CompactTarget {
    bits_of_target(target_of_work(BLOCK_WORK))
}

/// Returns the target that takes this many hashes on average.
#[must_use]
pub fn target_of_work(hashes: u128) -> U256 {
    U256::MAX.checked_div(U256::from(hashes)).unwrap_or(U256::MAX)
}

/// Returns the expected hashes of a target.
#[must_use]
pub fn work_of(target: U256) -> f64 {
    to_f64(Work::of_target(target).to_hashes_saturating_u128())
}

/// Converts a weight to expected Bitcoin blocks.
#[must_use]
pub fn blocks(weight: Weight) -> f64 {
    to_f64(weight.0) / to_f64(Weight::ONE_BLOCK.0)
}

/// Converts expected Bitcoin blocks to a weight. Negative ones give zero.
#[must_use]
pub fn weight_of_blocks(blocks: f64) -> Weight {
    Weight(to_u128(blocks * to_f64(Weight::ONE_BLOCK.0)))
}

/// Converts to the nearest float, with 53 bits of precision.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "models of pay are statistics: 53 bits are plenty")]
pub const fn to_f64(value: u128) -> f64 {
    value as f64
}

/// Rounds down. Negative values give 0.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, as documented")]
pub const fn to_u128(value: f64) -> u128 {
    value as u128
}

/// The worth of proofs in a pool whose targets fit its constant hashrate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Worth {
    /// Shares per second, including links.
    pub shares_per_s: f64,
    /// Expected hashes per share.
    pub share_work: f64,
    /// Credit of a share.
    pub share: Weight,
    /// Extra credit of a link.
    pub bonus: Weight,
    /// The part of shares that are links.
    pub link_part: f64,
}

impl Worth {
    /// Computes the worth at this hashrate, in hashes per second: one link per [`ChainParams::link_interval_s`], and
    /// [`ChainParams::shares_per_link`] times as many shares, unless the floor of the share target forbids it.
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

    /// Returns the weight that the pool is credited with per second, in expected Bitcoin blocks.
    #[must_use]
    pub fn blocks_per_s(&self) -> f64 {
        self.shares_per_s * (blocks(self.share) + self.link_part * blocks(self.bonus))
    }
}
