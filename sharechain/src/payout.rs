//! From weights to outputs: whoever earned much is paid exactly, the tail by a draw that nobody can steer.
//!
//! A coinbase holds few outputs and a pool many miners. The largest dues are paid to the satoshi; all others enter a draw
//! in which the chance of each is its due divided by the payment, so that the expectation of every payment is the due.
//! Nothing is owed from one block to the next.
//!
//! The selection depends on weights, seed and subsidy alone. With the value of a coinbase in it, a miner could leave out
//! a transaction to draw again.

mod claim;
mod draw;
mod split;
#[cfg(test)]
mod tests;

use bitcoin::{Amount, Script, ScriptBuf, TxOut};

use crate::error::RuleError;
use crate::params::ChainParams;
use crate::units::{U256, Weight};
use claim::Claim;
use split::Split;

/// A script and what it is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Who is paid.
    pub script: ScriptBuf,
    /// How much, relative to the other dues.
    pub weight: Weight,
}

/// Who is paid by a coinbase, and in what proportion: one output each, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    entries: Vec<Due>,
    exact: usize,
    total: Weight,
}

/// Selects who is paid, from `dues` in any order, each script once; those of weight 0 do not count.
///
/// The result is `None` when nobody is due anything: then SC-304 pays the finder alone.
///
/// The first outputs are the exact part, largest due first, ties by script; then follow the drawn ones as they were
/// drawn. What a drawn script may expect falls short of its due by less than one unit of weight for each output, the
/// remainder of the division that makes tail payments whole: 48 units are 2^-58 of a block.
///
/// # Errors
/// [`RuleError::Overflow`] when the weights leave the range of 128 bits; a window's are far below.
pub fn select<'a>(
    dues: impl IntoIterator<Item = (&'a Script, Weight)>,
    seed: &[u8; 32],
    subsidy_sat: u64,
    params: &ChainParams,
) -> Result<Option<Selection>, RuleError> {
    let mut claims: Vec<Claim<'_>> = dues
        .into_iter()
        .filter(|(_, weight)| *weight > Weight::ZERO)
        .map(|(script, weight)| Claim { script, weight: weight.0 })
        .collect();
    if claims.is_empty() {
        return Ok(None);
    }
    let sum = claims.iter().try_fold(0_u128, |sum, claim| sum.checked_add(claim.weight)).ok_or(RuleError::Overflow)?;

    // SC-305: at most `outputs_max` outputs, and no more than there are scripts.
    let outputs_max = params.outputs_max.clamp(1, claims.len());
    let dues = claims.len();
    let ranked = rank_first(&mut claims, outputs_max);
    let split = Split::new(ranked, dues, sum, subsidy_sat, params)?;

    // SC-306: the largest dues are paid exactly.
    let (exact, rest) = claims.split_at_checked(split.exact).ok_or(RuleError::Overflow)?;
    let mut entries = Vec::with_capacity(outputs_max);
    entries.extend(exact.iter().map(|claim| Due { script: claim.script.into(), weight: Weight(claim.weight) }));
    // SC-307: the others draw for even payments.
    let drawn = draw::draw(rest, seed, split.tail, split.drawn)?;
    entries.extend(drawn.into_iter().map(|script| Due { script: script.into(), weight: Weight(split.tail) }));
    Ok(Some(Selection { entries, exact: split.exact, total: Weight(split.total) }))
}

/// Brings the `count` claims of the highest rank to the front, in order, and returns them; the others stay unordered.
fn rank_first<'c, 'a>(claims: &'c mut [Claim<'a>], count: usize) -> &'c [Claim<'a>] {
    if let Some(last) = count.checked_sub(1)
        && count < claims.len()
    {
        claims.select_nth_unstable_by(last, Claim::rank);
    }
    let first = claims.get_mut(..count).unwrap_or_default();
    first.sort_unstable_by(Claim::rank);
    first
}

impl Selection {
    /// SC-304: until [`ChainParams::listed_before_payouts`] shares were listed, and whenever the window is empty, the
    /// finder is paid alone.
    #[must_use]
    pub fn finder_alone(script: ScriptBuf) -> Self {
        Self { entries: vec![Due { script, weight: Weight(1) }], exact: 1, total: Weight(1) }
    }

    /// Who is paid, in the order of the outputs. Never empty.
    #[must_use]
    pub fn entries(&self) -> &[Due] {
        &self.entries
    }

    /// How many of the entries, the first ones, are paid exactly; the others were drawn.
    #[must_use]
    pub const fn exact(&self) -> usize {
        self.exact
    }

    /// The sum of the entries' weights.
    #[must_use]
    pub const fn total(&self) -> Weight {
        self.total
    }

    /// SC-308: each entry gets `value_sat * weight / total`, rounded down, and the first what is left over; together
    /// exactly `value_sat`.
    ///
    /// # Errors
    /// [`RuleError::Overflow`] never, as an entry's weight is at most the total and the total above 0.
    pub fn amounts(&self, value_sat: u64) -> Result<Vec<TxOut>, RuleError> {
        let mut outputs = Vec::with_capacity(self.entries.len());
        let mut left_sat = value_sat;
        for due in &self.entries {
            let amount_sat = share_of(value_sat, due.weight, self.total).ok_or(RuleError::Overflow)?;
            left_sat = left_sat.checked_sub(amount_sat).ok_or(RuleError::Overflow)?;
            outputs.push(TxOut { value: Amount::from_sat(amount_sat), script_pubkey: due.script.clone() });
        }
        let first = outputs.first_mut().ok_or(RuleError::Overflow)?;
        first.value = first.value.checked_add(Amount::from_sat(left_sat)).ok_or(RuleError::Overflow)?;
        Ok(outputs)
    }
}

/// `value_sat * weight / total`, rounded down, in 256 bits.
fn share_of(value_sat: u64, weight: Weight, total: Weight) -> Option<u64> {
    let product = U256::from(value_sat).checked_mul(U256::from(weight.0))?;
    u64::try_from(product.checked_div(U256::from(total.0))?).ok()
}
