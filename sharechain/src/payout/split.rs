//! How many outputs there are, how many of them are exact, and how much the others pay.

use super::claim::Claim;
use crate::error::RuleError;
use crate::params::ChainParams;
use crate::units::U256;

/// The parts of a coinbase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Split {
    /// Outputs that pay the largest dues exactly.
    pub(super) exact: usize,
    /// Outputs that the others draw for.
    pub(super) drawn: usize,
    /// Weight that each drawn output pays, at least that of any due in the draw. Without a draw, the smallest due.
    pub(super) tail: u128,
    /// Weight of all outputs; below the sum of all dues by less than `drawn` units.
    pub(super) total: u128,
}

impl Split {
    /// SC-305: the most outputs, from `ranked.len()` down, of which the smallest is worth at least
    /// [`ChainParams::output_floor_sat`] of the subsidy; or a single one.
    ///
    /// `ranked` are the largest dues in order; there are `dues` in all, which come to `sum`.
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

    /// SC-306: with fewer outputs than dues, the smallest number of exact ones with which an even payment to all others,
    /// `floor(rest / (outputs - exact))`, is at least the next due.
    ///
    /// One exact output less than all is always enough: the one payment left is then the whole rest.
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

    /// `floor(subsidy * tail / total) >= floor`, without the division. The exact dues are all above the tail payment.
    fn is_worth(&self, floor_sat: u64, subsidy_sat: u64) -> bool {
        let worth = U256::from(subsidy_sat).saturating_mul(U256::from(self.tail));
        worth >= U256::from(floor_sat).saturating_mul(U256::from(self.total))
    }
}
