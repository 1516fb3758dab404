//! Number of outputs, how many of them are proportional, and the payment of the others.

use super::claim::Claim;
use crate::error::RuleError;
use crate::params::ChainParams;
use crate::units::U256;

/// Division of a coinbase into proportional and lottery outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Split {
    /// Number of outputs that pay the largest dues proportionally.
    pub(super) exact: usize,
    /// Number of outputs that the lottery assigns.
    pub(super) drawn: usize,
    /// Weight of each lottery output, at least that of any due in the lottery. Without a lottery, the smallest due.
    pub(super) tail: u128,
    /// Total weight of all outputs. It is below the sum of all dues by less than `drawn` units.
    pub(super) total: u128,
}

impl Split {
    /// Finds the largest number of outputs, at most `ranked.len()`, whose smallest output is worth at least
    /// [`ChainParams::output_floor_sat`] of the subsidy; or one output (SC-305).
    ///
    /// `ranked` holds the largest dues in order. There are `dues` dues in total, with the total weight `sum`.
    pub(super) fn new(
        ranked: &[Claim<'_>],
        dues: usize,
        sum: u128,
        subsidy_sat: u64,
        params: &ChainParams,
    ) -> Result<Self, RuleError> {
        let mut outputs = ranked.len();
        loop {
            let split = match ranked.last() {
                Some(smallest) if outputs == dues => {
                    Self { exact: outputs, drawn: 0, tail: smallest.weight, total: sum }
                }
                _ => Self::of_outputs(outputs, ranked, sum).ok_or(RuleError::Overflow)?,
            };
            if outputs <= 1 || split.is_worth(params.output_floor_sat, subsidy_sat) {
                return Ok(split);
            }
            outputs = outputs.saturating_sub(1);
        }
    }

    /// With fewer outputs than dues, finds the smallest number of proportional outputs such that an equal payment to
    /// all others, `floor(rest / (outputs - exact))`, is at least the next due (SC-306).
    ///
    /// All outputs but one always suffice: the last payment is then the whole rest.
    fn of_outputs(outputs: usize, ranked: &[Claim<'_>], sum: u128) -> Option<Self> {
        let mut rest = sum;
        for (exact, next) in ranked.iter().enumerate().take(outputs) {
            let drawn = outputs.checked_sub(exact)?;
            let payments = u128::try_from(drawn).ok()?;
            // `floor(rest / payments) >= weight`, without the division.
            if rest >= next.weight.checked_mul(payments)? {
                let tail = rest.checked_div(payments)?;
                let dropped = rest.checked_rem(payments)?;
                return Some(Self { exact, drawn, tail, total: sum.checked_sub(dropped)? });
            }
            rest = rest.checked_sub(next.weight)?;
        }
        None
    }

    /// `floor(subsidy * tail / total) >= floor`, without the division. Proportional outputs never pay less than the
    /// lottery.
    fn is_worth(&self, floor_sat: u64, subsidy_sat: u64) -> bool {
        let worth = U256::from(subsidy_sat).saturating_mul(U256::from(self.tail));
        worth >= U256::from(floor_sat).saturating_mul(U256::from(self.total))
    }
}
