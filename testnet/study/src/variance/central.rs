//! The two extremes: solo mining, and central pools without fees. Exact, without simulation.

use crate::models::pay::units::{BLOCK_WORK, DAY_S, MONTH_S, YEAR_S, to_f64};

/// Accepted shares per minute of a miner in a central pool. Common settings are between 6 and 20.
const SHARES_PER_MINUTE: f64 = 8.0;

/// Equal payments at Poisson times. Pay is relative to its mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Even {
    /// Mean payments per second.
    rate: f64,
}

/// Returns the Bitcoin blocks per year of a solo miner.
pub(super) fn solo_blocks_per_year(hashrate: f64) -> f64 {
    hashrate / to_f64(BLOCK_WORK) * YEAR_S
}

impl Even {
    /// Creates the payments of a solo miner, or of a central pool with this hashrate that splits its blocks exactly.
    pub(super) fn blocks_of(hashrate: f64) -> Self {
        Self { rate: hashrate / to_f64(BLOCK_WORK) }
    }

    /// Creates pay per share: every share is paid its expectation at once.
    pub(super) const fn per_share() -> Self {
        Self { rate: SHARES_PER_MINUTE / 60.0 }
    }

    /// Returns the mean days between payments.
    pub(super) fn days_between(self) -> f64 {
        1.0 / (self.rate * DAY_S)
    }

    /// Returns the coefficient of variation over this many seconds.
    pub(super) fn variation(self, seconds: f64) -> f64 {
        (self.rate * seconds).sqrt().recip()
    }

    /// Returns the pay that a part (0 to 1) of times of this length does not exceed, relative to the mean.
    pub(super) fn quantile(self, seconds: f64, part: f64) -> f64 {
        /// Mean from which the normal distribution is close enough.
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

    /// Returns the probability of a year without pay.
    pub(super) fn unpaid_year(self) -> f64 {
        (-self.rate * YEAR_S).exp()
    }

    /// Returns [`Self::variation`] over a month and over a year.
    pub(super) fn variations(self) -> (f64, f64) {
        (self.variation(MONTH_S), self.variation(YEAR_S))
    }
}

/// Returns the quantiles of the normal distribution that tables show.
fn normal_quantile(part: f64) -> f64 {
    /// 95% of a normal distribution are below this many standard deviations.
    const FIVE_PERCENT: f64 = 1.645;
    if part < 0.25 {
        -FIVE_PERCENT
    } else if part > 0.75 {
        FIVE_PERCENT
    } else {
        0.0
    }
}
