//! Average pay of an address: the amount per day, the interval, and the probability of any payout within a month or a
//! year.

use serde::Serialize;
use utoipa::ToSchema;

const DAY_S: f64 = 86_400.0;
const MONTH_S: f64 = 30.0 * DAY_S;
const YEAR_S: f64 = 365.0 * DAY_S;

/// Average pay of an address, while its part of the work, the pool's hashrate, and Bitcoin's difficulty stay the same.
/// Blocks come by chance, so a year may bring twice as much, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct Pay {
    /// Average pay per day, satoshi, with fractions.
    pub day_sat: f64,
    /// Probability that a Bitcoin block of the pool pays the address, 0 to 1: 1 for a proportional payout, and the chance
    /// in the lottery otherwise.
    pub block_probability: f64,
    /// Average amount of one payout, satoshi; none if no block can pay the address now.
    pub payout_sat: Option<f64>,
    /// Average time between payouts, seconds; none if no block can pay the address now.
    pub every_s: Option<f64>,
    /// Probability of at least one payout within 30 days, 0 to 1.
    pub month_probability: f64,
    /// Probability of at least one payout within 365 days, 0 to 1.
    pub year_probability: f64,
}

impl Pay {
    /// The pay from `due_sat`, the average payout in a block of the pool, and the probability that a block pays at all.
    /// The pool finds a block every `block_s` seconds on average.
    pub(super) fn new(block_s: f64, due_sat: f64, block_probability: f64) -> Self {
        let block_probability = block_probability.clamp(0.0, 1.0);
        // Blocks that pay the address come at random, as all blocks do.
        let payouts_s = block_probability / block_s;
        let at_least_one = |seconds: f64| -(-seconds * payouts_s).exp_m1();
        Self {
            day_sat: due_sat * DAY_S / block_s,
            block_probability,
            payout_sat: (payouts_s > 0.0).then_some(due_sat / block_probability),
            every_s: (payouts_s > 0.0).then_some(1.0 / payouts_s),
            month_probability: at_least_one(MONTH_S),
            year_probability: at_least_one(YEAR_S),
        }
    }
}

#[cfg(test)]
mod tests;
