//! The final credits.

use std::ops::Range;

use serde::Serialize;

use super::rules::Rules;
use super::tree::{Share, ShareId, Tree};
use sim::time::Micros;

/// The fate of one miner's shares. A share is worth 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Tally {
    /// Number of shares found.
    pub found: u32,
    /// Number of them on the final chain.
    pub on_chain: u32,
    /// Number of them listed there as uncles.
    pub uncles: u32,
    /// Credit for its own shares and for listing others'.
    pub credited: f64,
}

impl Tally {
    /// Returns the part of its shares that are neither on the final chain nor listed there.
    #[must_use]
    pub fn orphaned(&self) -> f64 {
        1.0 - f64::from(self.on_chain + self.uncles) / f64::from(self.found)
    }

    /// Returns the credit per share found.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.credited / f64::from(self.found)
    }
}

impl std::iter::Sum for Tally {
    fn sum<I: Iterator<Item = Self>>(tallies: I) -> Self {
        tallies.fold(Self::default(), |sum, tally| Self {
            found: sum.found + tally.found,
            on_chain: sum.on_chain + tally.on_chain,
            uncles: sum.uncles + tally.uncles,
            credited: sum.credited + tally.credited,
        })
    }
}

/// Counts what the chain of `tip` credits to each of `miners` miners for shares found within a time span.
#[must_use]
pub fn tally(tree: &Tree, rules: &Rules, tip: ShareId, miners: usize, when: &Range<Micros>) -> Vec<Tally> {
    let mut tallies = vec![Tally::default(); miners];
    let mut of = |share: &Share, count: fn(&mut Tally, f64), credit: f64| {
        let miner = share.miner.filter(|_| when.contains(&share.found));
        if let Some(tally) = miner.and_then(|miner| tallies.get_mut(miner.index())) {
            count(tally, credit);
        }
    };
    for (_, share) in tree.found() {
        of(share, |tally, _| tally.found += 1, 0.0);
    }
    let pay = rules.uncles.map_or(0.0, |uncles| uncles.pay);
    for id in tree.chain(tip) {
        let share = tree.get(id);
        of(
            share,
            |tally, credit| (tally.on_chain, tally.credited) = (tally.on_chain + 1, tally.credited + credit),
            1.0,
        );
        for uncle in &share.job.uncles {
            let uncle = tree.get(*uncle);
            of(
                uncle,
                |tally, credit| (tally.uncles, tally.credited) = (tally.uncles + 1, tally.credited + credit),
                pay,
            );
            of(share, |tally, credit| tally.credited += credit, 1.0 - pay);
        }
    }
    tallies
}
