//! Payouts: turns weights into outputs. Large dues are paid proportionally; all other dues enter a lottery that no
//! miner can influence.
//!
//! A coinbase has few outputs and a pool has many miners. Each of the largest dues gets an output of its own weight.
//! All others enter a lottery for equal payments. The chance of each is its due divided by the payment, so the expected
//! payment equals the due. Nothing is owed from one block to the next.
//!
//! The selection depends only on weights, seed and subsidy. If it depended on the value of the coinbase, a miner could
//! leave out a transaction to run the lottery again.

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
pub(crate) use draw::Lottery;
use split::Split;

/// A script and the weight that it is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Payout script.
    pub script: ScriptBuf,
    /// Weight of the payment, relative to the other dues.
    pub weight: Weight,
}

/// Outputs of a coinbase and their proportions: one output per entry, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    entries: Vec<Due>,
    exact: usize,
    total: Weight,
}

/// Selects the outputs of a coinbase from `dues`. The dues come in any order and name each script at most once. Dues of
/// weight 0 do not count.
///
/// Returns `None` if no script has a due. SC-304 then pays only the finder.
///
/// The proportional outputs come first, largest due first, ties in order of script. The lottery outputs follow in the
/// order of the lottery. Because lottery payments are rounded down, a script's expected payment is below its due by
/// less than one unit of weight per output: 48 units are 2^-58 block.
///
/// # Errors
/// [`RuleError::Overflow`] if the sum of the weights exceeds 128 bits. A window's sum is far below.
///
/// # Example
/// ```
/// use sharechain::payout::select;
/// use sharechain::{ChainParams, Weight};
/// use testkit::miner;
///
/// let (alice, bob) = (miner(1), miner(2));
/// let dues = [(alice.as_script(), Weight(3)), (bob.as_script(), Weight(1))];
/// let (seed, subsidy_sat) = ([0; 32], 312_500_000);
///
/// // Room for both: each is paid in proportion.
/// let both = select(dues, &seed, subsidy_sat, &ChainParams::main())?.ok_or("no script is due anything")?;
/// let amounts_sat: Vec<u64> = both.amounts(1_000)?.iter().map(|output| output.value.to_sat()).collect();
/// assert_eq!((both.exact(), amounts_sat), (2, vec![750, 250]));
///
/// // Room for one: the seed draws who gets everything, Alice in three of four cases.
/// let params = ChainParams { outputs_max: 1, ..ChainParams::main() };
/// let one = select(dues, &seed, subsidy_sat, &params)?.ok_or("no script is due anything")?;
/// assert_eq!((one.exact(), one.entries().len()), (0, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn select<'a>(
    dues: impl IntoIterator<Item = (&'a Script, Weight)>,
    seed: &[u8; 32],
    subsidy_sat: u64,
    params: &ChainParams,
) -> Result<Option<Selection>, RuleError> {
    let mut claims = claims_of(dues);
    if claims.is_empty() {
        return Ok(None);
    }
    let sum = claims.iter().try_fold(0_u128, |sum, claim| sum.checked_add(claim.weight)).ok_or(RuleError::Overflow)?;

    // SC-305: There are at most `outputs_max` outputs, and no more outputs than scripts with weight.
    let outputs_max = params.outputs_max.clamp(1, claims.len());
    let dues = claims.len();
    let ranked = rank_first(&mut claims, outputs_max);
    let split = Split::new(ranked, dues, sum, subsidy_sat, params)?;

    // SC-306: The largest dues are paid proportionally: each of these outputs has the weight of its due.
    let (exact, rest) = claims.split_at_checked(split.exact).ok_or(RuleError::Overflow)?;
    let mut entries = Vec::with_capacity(outputs_max);
    entries.extend(exact.iter().map(|claim| Due { script: claim.script.into(), weight: Weight(claim.weight) }));
    // SC-307: All other dues enter a lottery for equal payments.
    let drawn = draw::draw(rest, seed, split.tail, split.drawn)?;
    entries.extend(drawn.into_iter().map(|script| Due { script: script.into(), weight: Weight(split.tail) }));
    Ok(Some(Selection { entries, exact: split.exact, total: Weight(split.total) }))
}

/// The dues above 0 in the order of a coinbase with `exact` proportional outputs: the largest dues in their order, then
/// all others in the order of the lottery, whether drawn or not (SC-408).
pub fn in_coinbase_order<'a>(
    dues: impl IntoIterator<Item = (&'a Script, Weight)>,
    exact: usize,
    seed: &[u8; 32],
) -> impl Iterator<Item = (&'a Script, Weight)> {
    let mut claims = claims_of(dues);
    let exact = exact.min(claims.len());
    rank_first(&mut claims, exact);
    draw::sort(claims.get_mut(exact..).unwrap_or_default(), seed);
    claims.into_iter().map(|claim| (claim.script, Weight(claim.weight)))
}

fn claims_of<'a>(dues: impl IntoIterator<Item = (&'a Script, Weight)>) -> Vec<Claim<'a>> {
    let some = dues.into_iter().filter(|(_, weight)| *weight > Weight::ZERO);
    // A window knows how many scripts it has at most.
    let mut claims = Vec::with_capacity(some.size_hint().1.unwrap_or(0));
    claims.extend(some.map(|(script, weight)| Claim { script, weight: weight.0 }));
    claims
}

/// Moves the `count` highest-ranked claims to the front, in order, and returns them. The others stay unordered.
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
    /// Selection that pays only the finder (SC-304): until [`ChainParams::listed_before_payouts`] proofs are credited
    /// up to the snapshot, and whenever the window is empty.
    #[must_use]
    pub fn finder_alone(script: ScriptBuf) -> Self {
        Self { entries: vec![Due { script, weight: Weight(1) }], exact: 1, total: Weight(1) }
    }

    /// Entries in the order of the outputs. Never empty.
    #[must_use]
    pub fn entries(&self) -> &[Due] {
        &self.entries
    }

    /// Number of proportional entries, which come first. The lottery selected the others.
    #[must_use]
    pub const fn exact(&self) -> usize {
        self.exact
    }

    /// Sum of the entries' weights.
    #[must_use]
    pub const fn total(&self) -> Weight {
        self.total
    }

    /// Returns the payout outputs of a coinbase of `value_sat` satoshi (SC-308). Each entry gets
    /// `floor(value_sat * weight / total)`; the first entry also gets the remainder. They add up to exactly `value_sat`.
    ///
    /// # Errors
    /// [`RuleError::Overflow`] (SC-901), which cannot happen: no weight exceeds the total, and the total is above 0.
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

/// `floor(value_sat * weight / total)`, computed in 256 bits.
pub(crate) fn share_of(value_sat: u64, weight: Weight, total: Weight) -> Option<u64> {
    let product = U256::from(value_sat).checked_mul(U256::from(weight.0))?;
    u64::try_from(product.checked_div(U256::from(total.0))?).ok()
}
