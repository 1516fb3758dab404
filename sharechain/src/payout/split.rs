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
    /// `ranked` holds the largest dues in order. There are `dues` dues in total, with the total weight `sum`. The time is
    /// linear in `ranked.len()`: with fewer outputs, no more of them are proportional (see [`Pointer`]).
    pub(super) fn new(
        ranked: &[Claim<'_>],
        dues: usize,
        sum: u128,
        subsidy_sat: u64,
        params: &ChainParams,
    ) -> Result<Self, RuleError> {
        let worth = |split: &Self| split.is_worth(params.output_floor_sat, subsidy_sat);
        let mut outputs = ranked.len();
        if let Some(smallest) = ranked.last()
            && outputs == dues
        {
            let all = Self { exact: outputs, drawn: 0, tail: smallest.weight, total: sum };
            if outputs <= 1 || worth(&all) {
                return Ok(all);
            }
            outputs = outputs.saturating_sub(1);
        }
        let mut pointer = Pointer { ranked, exact: 0, rest: sum };
        pointer.rise(outputs).ok_or(RuleError::Overflow)?;
        loop {
            let split = pointer.split(outputs, sum).ok_or(RuleError::Overflow)?;
            if outputs <= 1 || worth(&split) {
                return Ok(split);
            }
            outputs = outputs.saturating_sub(1);
            pointer.fall(outputs).ok_or(RuleError::Overflow)?;
        }
    }

    /// `floor(subsidy * tail / total) >= floor`, without the division. Proportional outputs never pay less than the
    /// lottery.
    fn is_worth(&self, floor_sat: u64, subsidy_sat: u64) -> bool {
        let worth = U256::from(subsidy_sat).saturating_mul(U256::from(self.tail));
        worth >= U256::from(floor_sat).saturating_mul(U256::from(self.total))
    }
}

/// With fewer outputs than dues, the smallest number of proportional outputs such that an equal payment to all others,
/// `floor(rest / (outputs - exact))`, is at least the next due (SC-306).
///
/// If a number suffices, so does every larger one: each proportional output takes at least the next due from the rest.
/// If it suffices for some outputs, it suffices for fewer. So the number never rises while outputs are taken away.
#[derive(Clone, Copy, Debug)]
struct Pointer<'p, 'c> {
    ranked: &'p [Claim<'c>],
    /// The number of proportional outputs.
    exact: usize,
    /// The sum of all other dues.
    rest: u128,
}

impl Pointer<'_, '_> {
    /// Whether `exact` proportional outputs suffice when all other dues add up to `rest`. `None` out of range.
    fn suffices(&self, exact: usize, rest: u128, outputs: usize) -> Option<bool> {
        let payments = u128::try_from(outputs.checked_sub(exact)?).ok()?;
        // `floor(rest / payments) >= weight`, without the division.
        Some(rest >= self.ranked.get(exact)?.weight.checked_mul(payments)?)
    }

    /// Finds the number for these outputs from below. All outputs but one always suffice: the last payment is then the
    /// whole rest.
    fn rise(&mut self, outputs: usize) -> Option<()> {
        while !self.suffices(self.exact, self.rest, outputs)? {
            self.rest = self.rest.checked_sub(self.ranked.get(self.exact)?.weight)?;
            self.exact = self.exact.checked_add(1)?;
        }
        Some(())
    }

    /// Finds the number for fewer outputs than before.
    fn fall(&mut self, outputs: usize) -> Option<()> {
        while let Some(exact) = self.exact.checked_sub(1) {
            let rest = self.rest.checked_add(self.ranked.get(exact)?.weight)?;
            if !self.suffices(exact, rest, outputs)? {
                break;
            }
            (self.exact, self.rest) = (exact, rest);
        }
        Some(())
    }

    fn split(&self, outputs: usize, sum: u128) -> Option<Split> {
        let drawn = outputs.checked_sub(self.exact)?;
        let payments = u128::try_from(drawn).ok()?;
        let (tail, dropped) = (self.rest.checked_div(payments)?, self.rest.checked_rem(payments)?);
        Some(Split { exact: self.exact, drawn, tail, total: sum.checked_sub(dropped)? })
    }
}
