//! Miners in line for a draw, with their dues.

use std::ops::Range;

use rand::RngCore;
use sharechain::payout::{Selection, select};
use sharechain::{ChainParams, Weight};

use crate::models::pay::miners::{Group, Miners, script};
use crate::models::pay::units::{SUBSIDY_SAT, to_f64, weight_of_blocks};
use sim::rng::SimRng;

/// Weight of a window, in expected blocks.
const WINDOW_BLOCKS: f64 = 2.0;

/// The other miners of a large pool: numbers of miners, and the part of the pool that each group has. Few are paid
/// exactly.
const OTHERS: [(u32, f64); 4] = [(3, 0.1), (47, 0.01), (200, 0.001), (750, 0.03 / 750.0)];

/// Miners with known dues instead of sums of shares.
#[derive(Debug)]
pub(super) struct Line {
    miners: Miners,
    /// Weights by number of the miner.
    pub(super) weights: Vec<Weight>,
}

impl Line {
    /// Creates miners whose dues are proportional to the groups' hashrates.
    pub(super) fn new(groups: &[Group]) -> Self {
        let miners = Miners::new(groups);
        let per_hash = WINDOW_BLOCKS / miners.hashrate();
        let weights = groups.iter().flat_map(|group| {
            let weight = weight_of_blocks(group.hashrate * per_hash);
            (0..group.count).map(move |_| weight)
        });
        Self { weights: weights.collect(), miners }
    }

    /// Creates an attacker with a part of the pool under `scripts` scripts, which come first, and the other miners.
    pub(super) fn with_attacker(part: f64, scripts: u32) -> Self {
        let mut groups = vec![Group::new(scripts, part / f64::from(scripts))];
        groups.extend(OTHERS.map(|(count, each)| Group::new(count, each * (1.0 - part))));
        Self::new(&groups)
    }

    /// Creates the pool without an attacker.
    pub(super) fn honest() -> Self {
        Self::new(&OTHERS.map(|(count, each)| Group::new(count, each)))
    }

    /// Creates miners with these dues.
    pub(super) fn of_weights(weights: Vec<Weight>) -> Self {
        let count = u32::try_from(weights.len()).unwrap_or(u32::MAX);
        Self { miners: Miners::new(&[Group::new(count, 1.0)]), weights }
    }

    /// Returns the selection for a seed.
    ///
    /// # Panics
    /// Never: the weights are those of a window, and some are above 0.
    pub(super) fn select(&self, seed: &[u8; 32], params: &ChainParams) -> Selection {
        let scripts = self.miners.scripts();
        let dues = (0..)
            .map(script)
            .zip(&self.weights)
            .filter_map(|(number, weight)| Some((scripts.script(number)?, *weight)));
        let selection = select(dues, seed, SUBSIDY_SAT, params);
        selection.expect("weights of a window fit").expect("somebody is due something")
    }

    /// Returns the numbers of the paid miners, and their weights.
    pub(super) fn paid<'a>(&'a self, selection: &'a Selection) -> impl Iterator<Item = (usize, Weight)> + 'a {
        selection.entries().iter().filter_map(|due| Some((self.miners.number(&due.script)?, due.weight)))
    }

    /// Returns the sum of all dues.
    pub(super) fn total(&self) -> u128 {
        self.weights.iter().map(|weight| weight.0).sum()
    }

    /// Returns the part of all payments that miners with these numbers get.
    pub(super) fn part_of(&self, numbers: &Range<usize>, selection: &Selection) -> f64 {
        let weights = self.paid(selection).filter(|(number, _)| numbers.contains(number)).map(|(_, weight)| weight.0);
        to_f64(weights.sum()) / to_f64(selection.total().0)
    }
}

/// Returns a random hash that no miner chose.
pub(super) fn seed(rng: &mut SimRng) -> [u8; 32] {
    let mut seed = [0; 32];
    rng.fill_bytes(&mut seed);
    seed
}
