//! Derives a script's payout from the window and the outputs of a block.

use super::{Finding, Paid, PayoutProof, ProofFault, Ticket};
use crate::params::ChainParams;
use crate::payout::{Lottery, share_of};
use crate::state::Shown;
use crate::units::{U256, Weight};

/// The window as a state root commits to it.
pub(super) struct Window {
    /// Sum of all weights.
    pub(super) sum: u128,
    /// Sum of the weights before each due that the proof shows.
    pub(super) starts: Vec<Weight>,
}

/// A proof whose window is known, with the division of its coinbase.
pub(super) struct Judge<'a> {
    proof: &'a PayoutProof,
    window: &'a Window,
    outputs: u128,
    exact: u128,
    has_most_outputs: bool,
    /// Sum of the proportional dues.
    exact_sum: u128,
    /// Weight of each drawn output. Without a lottery, the smallest due.
    tail: u128,
    /// Weight of all outputs.
    total: u128,
}

impl<'a> Judge<'a> {
    /// Checks the division of the coinbase, and every amount that follows from what the proof shows.
    pub(super) fn new(proof: &'a PayoutProof, window: &'a Window, params: &ChainParams) -> Result<Self, ProofFault> {
        let (dues, exact) = (u128::from(proof.dues), u128::from(proof.exact));
        let outputs = u128::try_from(proof.payouts.len()).map_err(|_| ProofFault::Split)?;
        // At most `outputs_max` outputs, and no more than dues (SC-305).
        let most = u128::try_from(params.outputs_max).unwrap_or(u128::MAX).max(1).min(dues);
        let is_all = outputs == dues && exact == dues;
        if !(1..=most).contains(&outputs) || !(is_all || outputs < dues && exact < outputs) {
            return Err(ProofFault::Split);
        }
        let (tail, total, exact_sum) = division(proof, window, outputs).ok_or(ProofFault::Split)?;
        let subsidy_sat = params.bitcoin.subsidy_sat(proof.share.bitcoin_height);
        if tail == 0 || !is_worth(outputs, tail, total, subsidy_sat, params) {
            return Err(ProofFault::Split);
        }
        let has_most_outputs = outputs == most;
        let judge = Self { proof, window, outputs, exact, has_most_outputs, exact_sum, tail, total };
        judge.check_last_exact()?;
        judge.check_drawn_amounts()?;
        Ok(judge)
    }

    /// The last proportional due is that of its output.
    fn check_last_exact(&self) -> Result<(), ProofFault> {
        let Some(last) = self.exact.checked_sub(1) else { return Ok(()) };
        let (shown, _) = shown_at(self.proof, self.window, last).ok_or(ProofFault::Shown)?;
        self.check_output(last, shown).map(|_| ())
    }

    /// All drawn outputs pay the same.
    fn check_drawn_amounts(&self) -> Result<(), ProofFault> {
        (self.exact..self.outputs).try_for_each(|index| self.check_amount(index, self.tail).map(|_| ()))
    }

    /// Checks that an output pays a due exactly.
    fn check_output(&self, index: u128, shown: &Shown) -> Result<Paid, ProofFault> {
        let paid = self.check_amount(index, shown.due.weight.0)?;
        self.check_script(paid.index, &shown.due.script)?;
        Ok(paid)
    }

    fn check_script(&self, index: usize, script: &bitcoin::Script) -> Result<(), ProofFault> {
        let payout = self.proof.payouts.get(index).ok_or(ProofFault::Split)?;
        if payout.script_pubkey.as_script() == script { Ok(()) } else { Err(ProofFault::Script(index)) }
    }

    /// Checks the amount of an output (SC-308). The first one also gets the rounding remainder, less than one satoshi
    /// per output. All amounts add up to the value, so it is right if the others are.
    fn check_amount(&self, index: u128, weight: u128) -> Result<Paid, ProofFault> {
        let index = usize::try_from(index).map_err(|_| ProofFault::Split)?;
        let value_sat = self.proof.payouts.get(index).ok_or(ProofFault::Split)?.value.to_sat();
        let due_sat = share_of(self.proof.share.coinbase_value, Weight(weight), Weight(self.total));
        let above = due_sat.and_then(|due| value_sat.checked_sub(due)).ok_or(ProofFault::Amount(index))?;
        let is_right = above == 0 || index == 0 && u128::from(above) < self.outputs;
        if is_right { Ok(Paid { index, value_sat }) } else { Err(ProofFault::Amount(index)) }
    }

    /// The script's payout, with the sum of the window and whether there are as many outputs as possible.
    pub(super) fn finding(&self, seed: &[u8; 32]) -> Result<(Weight, bool, Finding), ProofFault> {
        let own = self.proof.opening.leaves.iter().find(|shown| shown.due.script == self.proof.script);
        let finding = match own {
            Some(own) if u128::from(own.index) < self.exact => {
                self.check_shown(&[own.index])?;
                let output = self.check_output(own.index.into(), own)?;
                Finding::Exact { output, weight: own.due.weight }
            }
            Some(own) => {
                self.check_shown(&[own.index])?;
                self.in_lottery(own, seed)?
            }
            None => self.absent(seed)?,
        };
        Ok((Weight(self.window.sum), self.has_most_outputs, finding))
    }

    /// The proof shows these dues and the last proportional one, and no others.
    fn check_shown(&self, wanted: &[u32]) -> Result<(), ProofFault> {
        let last = self.exact.checked_sub(1).and_then(|last| u32::try_from(last).ok());
        let is_wanted = |shown: &Shown| wanted.contains(&shown.index) || Some(shown.index) == last;
        if self.proof.opening.leaves.iter().all(is_wanted) { Ok(()) } else { Err(ProofFault::Shown) }
    }

    /// SC-307: the points that decide, and whether one lies in the due's interval.
    fn in_lottery(&self, own: &Shown, seed: &[u8; 32]) -> Result<Finding, ProofFault> {
        let weight = own.due.weight;
        let (_, start) = shown_at(self.proof, self.window, own.index.into()).ok_or(ProofFault::Shown)?;
        let start = start.checked_sub(self.exact_sum).ok_or(ProofFault::Shown)?;
        let end = start.checked_add(weight.0).ok_or(ProofFault::Shown)?;
        let points = self.outputs.saturating_sub(self.exact);
        let first_point = Lottery::of(seed).first_point(self.tail).ok_or(ProofFault::Split)?;
        let count = usize::try_from(points).map_err(|_| ProofFault::Split)?;
        let ticket = Ticket { start, end, first_point, step: self.tail, points: count };
        // The first point that is not before the interval.
        let number = start.saturating_sub(first_point).div_ceil(self.tail);
        let point = self.tail.checked_mul(number).and_then(|far| far.checked_add(first_point));
        if number >= points || point.is_none_or(|point| point >= end) {
            self.check_unpaid()?;
            return Ok(Finding::NotDrawn { weight, ticket });
        }
        let output = self.check_amount(self.exact.saturating_add(number), self.tail)?;
        self.check_script(output.index, &own.due.script)?;
        Ok(Finding::Drawn { output, weight, ticket })
    }

    /// The window has no due of the script: it is not among the proportional ones, which the outputs show, and not at
    /// its place in the order of the lottery.
    fn absent(&self, seed: &[u8; 32]) -> Result<Finding, ProofFault> {
        self.check_unpaid()?;
        let is_drawn = |shown: &&Shown| u128::from(shown.index) >= self.exact;
        let beside: Vec<&Shown> = self.proof.opening.leaves.iter().filter(is_drawn).collect();
        let lottery = Lottery::of(seed);
        let place = lottery.place(&self.proof.script);
        let is_before = |shown: &Shown| lottery.place(&shown.due.script) < place;
        let is_right = match beside.as_slice() {
            [] => self.exact == u128::from(self.proof.dues),
            [one] => {
                let is_first = u128::from(one.index) == self.exact;
                let is_last = Some(one.index) == self.proof.dues.checked_sub(1);
                if is_before(one) { is_last } else { is_first }
            }
            [left, right] => left.index.checked_add(1) == Some(right.index) && is_before(left) && !is_before(right),
            _ => false,
        };
        let last = self.exact.checked_sub(1).map(|_| 1_usize).unwrap_or(0);
        let is_all = self.proof.opening.leaves.len() == beside.len().saturating_add(last);
        if is_right && is_all { Ok(Finding::Absent) } else { Err(ProofFault::Shown) }
    }

    fn check_unpaid(&self) -> Result<(), ProofFault> {
        let is_paid = self.proof.payouts.iter().any(|payout| payout.script_pubkey == self.proof.script);
        if is_paid { Err(ProofFault::Unexpected) } else { Ok(()) }
    }
}

/// The due that a proof shows at a place, and the sum of all before it.
fn shown_at<'a>(proof: &'a PayoutProof, window: &Window, index: u128) -> Option<(&'a Shown, u128)> {
    let shown = proof.opening.leaves.iter().zip(&window.starts).find(|(shown, _)| u128::from(shown.index) == index);
    shown.map(|(shown, start)| (shown, start.0))
}

/// SC-306: weight of a drawn output, of all outputs, and of all proportional dues. `None` if the number of proportional
/// dues cannot be the one that follows from the window.
fn division(proof: &PayoutProof, window: &Window, outputs: u128) -> Option<(u128, u128, u128)> {
    let exact = u128::from(proof.exact);
    let last = match exact.checked_sub(1) {
        Some(last) => Some(shown_at(proof, window, last)?),
        None => None,
    };
    let (last_weight, exact_sum) = match last {
        Some((shown, start)) => (shown.due.weight.0, start.checked_add(shown.due.weight.0)?),
        None => (0, 0),
    };
    let rest = window.sum.checked_sub(exact_sum)?;
    let Some(drawn) = outputs.checked_sub(exact).filter(|drawn| *drawn > 0) else {
        return (rest == 0).then_some((last_weight, window.sum, exact_sum));
    };
    // With one proportional output fewer, the others would be smaller than the due that lost its output.
    let is_fewest = exact == 0 || U256::from(rest) < U256::from(last_weight).checked_mul(U256::from(drawn))?;
    let tail = rest.checked_div(drawn)?;
    let fits = |shown: &Shown| u128::from(shown.index) < exact || shown.due.weight.0 <= tail;
    let total = window.sum.checked_sub(rest.checked_rem(drawn)?)?;
    (is_fewest && proof.opening.leaves.iter().all(fits)).then_some((tail, total, exact_sum))
}

/// True if `outputs` payments of `tail` out of `total` are worth enough each (SC-305).
fn is_worth(outputs: u128, tail: u128, total: u128, subsidy_sat: u64, params: &ChainParams) -> bool {
    let worth = U256::from(subsidy_sat).saturating_mul(U256::from(tail));
    outputs == 1 || worth >= U256::from(params.output_floor_sat).saturating_mul(U256::from(total))
}
