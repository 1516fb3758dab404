//! The ends of the scale: mining alone, and central pools without fee. Exact, nothing is simulated.

use crate::models::pay::units::{BLOCK_WORK, DAY_S, MONTH_S, YEAR_S, to_f64};

/// Accepted shares of a miner in a minute in a central pool; common settings are between 6 and 20.
const SHARES_PER_MINUTE: f64 = 8.0;

/// A number of equal payments in a time, Poisson; pay is relative to its mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Even {
    /// Mean payments a second.
    rate: f64,
}

/// Bitcoin blocks in a year of a miner alone.
pub(super) fn solo_blocks_per_year(hashrate: f64) -> f64 {
    hashrate / to_f64(BLOCK_WORK) * YEAR_S
}

impl Even {
    /// Alone, or in a central pool with that hashrate which shares its blocks by exact accounts.
    pub(super) fn blocks_of(hashrate: f64) -> Self {
        Self { rate: hashrate / to_f64(BLOCK_WORK) }
    }

    /// Pay per share: every share is paid its expectation at once.
    pub(super) const fn per_share() -> Self {
        Self { rate: SHARES_PER_MINUTE / 60.0 }
    }

    /// Mean days between payments.
    pub(super) fn days_between(self) -> f64 {
        1.0 / (self.rate * DAY_S)
    }

    /// Coefficient of variation over so many seconds.
    pub(super) fn variation(self, seconds: f64) -> f64 {
        (self.rate * seconds).sqrt().recip()
    }

    /// The pay that a part (0 to 1) of times of so many seconds does not exceed, relative to the mean.
    pub(super) fn quantile(self, seconds: f64, part: f64) -> f64 {
        /// Mean from which on the normal distribution is near enough.
        const MANY: f64 = 500.0;
        let mean = self.rate * seconds;
        if mean > MANY {
            return 1.0 + normal_quantile(part) / mean.sqrt();
        }
        let (mut count, mut term) = (0.0, (-mean).exp());
        let mut sum = term;
        while sum < part {
            count += 1.0;
            term *= mean / count;
            sum += term;
        }
        count / mean
    }

    /// The chance of no pay in a year.
    pub(super) fn unpaid_year(self) -> f64 {
        (-self.rate * YEAR_S).exp()
    }

    /// As [`Self::variation`] over a month and over a year.
    pub(super) fn variations(self) -> (f64, f64) {
        (self.variation(MONTH_S), self.variation(YEAR_S))
    }
}

/// The quantiles of the normal distribution that tables show.
fn normal_quantile(part: f64) -> f64 {
    /// 95% of a normal distribution lie below this many standard deviations.
    const FIVE_PERCENT: f64 = 1.645;
    if part < 0.25 {
        -FIVE_PERCENT
    } else if part > 0.75 {
        FIVE_PERCENT
    } else {
        0.0
    }
}
