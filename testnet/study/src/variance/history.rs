//! Years of a pool, and the pay of each group of its miners.

use std::collections::BTreeMap;

use sharechain::{ChainParams, Weight};

use super::spread::Pays;
use crate::models::pay::miners::{Group, Miners};
use crate::models::pay::pool::{PaidBlock, Pool};
use crate::models::pay::units::{BLOCK_WORK, MONTH_S, SUBSIDY_SAT, YEAR_S, to_f64};
use sim::rng::SimRng;

/// Months per year.
const MONTHS: u32 = 12;

/// The pay of a group of equal miners in one history.
#[derive(Clone, Debug, Default)]
pub(super) struct GroupHistory {
    /// Pay of each miner in each month.
    pub(super) months: Pays,
    /// Pay of each miner in each year.
    pub(super) years: Pays,
    /// Expected payments per year of one miner, given the windows.
    pub(super) payments_per_year: f64,
    /// The pay of all miners, minus their part of the blocks found, plus their due; divided by their due. Its mean is
    /// that of pay over due, without the noise of the pool's luck.
    pub(super) paid_of_due: f64,
}

/// One history of a pool, group by group.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) groups: Vec<GroupHistory>,
}

/// Payments of one history.
struct Books<'a> {
    miners: &'a Miners,
    /// Satoshi by miner and month.
    paid_sat: BTreeMap<(usize, u32), u64>,
    /// Sum of the probabilities to be paid, over blocks and members, by group.
    chances: Vec<f64>,
    /// Number of blocks found.
    blocks: f64,
}

impl History {
    /// Simulates this many years.
    pub(super) fn simulate(miners: &Miners, params: &ChainParams, years: u32, rng: &mut SimRng) -> Self {
        let mut pool = Pool::new(miners, params);
        let mut books =
            Books { miners, paid_sat: BTreeMap::new(), chances: vec![0.0; miners.groups().count()], blocks: 0.0 };
        while let Some(found) = pool.next_block(f64::from(years) * YEAR_S, rng) {
            books.pay(&found);
            books.add_chances(&pool, &found);
        }
        let groups = miners.groups().zip(&books.chances);
        Self { groups: groups.map(|((first, group), chances)| books.close(first, group, *chances, years)).collect() }
    }
}

impl Books<'_> {
    fn pay(&mut self, found: &PaidBlock) {
        let month = month_of(found.at_s);
        self.blocks += 1.0;
        let outputs = found.selection.amounts(SUBSIDY_SAT).unwrap_or_default();
        for output in outputs {
            if let Some(number) = self.miners.number(&output.script_pubkey) {
                *self.paid_sat.entry((number, month)).or_default() += output.value.to_sat();
            }
        }
    }

    /// Adds the probability with which a draw of this window pays each miner: its due divided by the drawn payment.
    fn add_chances(&mut self, pool: &Pool<'_>, found: &PaidBlock) {
        let Some(last) = found.selection.entries().last() else { return };
        let dues = pool.window().sums().filter(|(_, sum)| sum.weight > Weight::ZERO).count();
        let drawn = found.selection.entries().len() < dues;
        let firsts: Vec<u32> = self.miners.groups().map(|(first, _)| first).collect();
        for (script, sum) in pool.window().sums() {
            let chance = if drawn { (to_f64(sum.weight.0) / to_f64(last.weight.0)).min(1.0) } else { 1.0 };
            let group = firsts.partition_point(|first| *first <= script.0).saturating_sub(1);
            if let Some(sum) = self.chances.get_mut(group) {
                *sum += chance;
            }
        }
    }

    fn close(&self, first: u32, group: Group, chances: f64, years: u32) -> GroupHistory {
        let numbers = to_usize(first)..to_usize(first + group.count);
        let due_sat = group.hashrate / to_f64(BLOCK_WORK) * to_f64(u128::from(SUBSIDY_SAT)) * MONTH_S;
        let mut by_year: BTreeMap<(usize, u32), f64> = BTreeMap::new();
        let mut months = Vec::new();
        for (&(number, month), sat) in self.paid_sat.range((numbers.start, 0)..(numbers.end, 0)) {
            let pay = to_f64(u128::from(*sat)) / due_sat;
            months.push(pay);
            *by_year.entry((number, month / MONTHS)).or_default() += pay / f64::from(MONTHS);
        }
        let member_years = f64::from(group.count) * f64::from(years);
        let blocks_due = self.miners.hashrate() / to_f64(BLOCK_WORK) * YEAR_S * f64::from(years);
        let paid_of_due = 1.0 + by_year.values().sum::<f64>() / member_years - self.blocks / blocks_due;
        GroupHistory {
            months: Pays { count: to_usize(group.count * years * MONTHS), paid: months },
            years: Pays { count: to_usize(group.count * years), paid: by_year.into_values().collect() },
            payments_per_year: chances / member_years,
            paid_of_due,
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "months since the start are few")]
fn month_of(at_s: f64) -> u32 {
    (at_s / MONTH_S) as u32
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
