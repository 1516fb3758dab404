//! A pool of constant hashrate over years, and its payments.
//!
//! The shares of each miner in a time slice have a Poisson distribution, the links among them a binomial one, the
//! pool's Bitcoin blocks a Poisson one. The snapshot's age is that of 13 Bitcoin blocks and the burial. Slices are the
//! links of the window, which is exact up to one slice. Windows that no block can need any more are not simulated.

use std::ops::Range;

use rand::{Rng, RngCore};
use rand_distr::{Binomial, Distribution, Exp1, Gamma, Poisson};
use sharechain::payout::{Selection, select};
use sharechain::window::{Row, Window};
use sharechain::{ChainParams, Weight};

use super::ledger::Ledger;
use super::miners::{Miners, script};
use super::units::{BLOCK_INTERVAL_S, BLOCK_WORK, SUBSIDY_SAT, Worth, blocks, to_f64, weight_of_blocks};
use sim::rng::SimRng;

/// Number of links that are merged into one slice of the window. Some hundred slices make a window.
const SLICE_LINKS: f64 = 64.0;

/// Mean shares in a slice above which a miner's shares are drawn individually, instead of for the group.
const LARGE: f64 = 1.0;

/// Length of the simulated past before a snapshot, in windows. It suffices to fill the window, whatever the randomness.
const PAST: f64 = 1.3;

/// A pool and the chain of its credits.
#[derive(Debug)]
pub struct Pool<'a> {
    miners: &'a Miners,
    params: ChainParams,
    worth: Worth,
    slice_s: f64,
    window_s: f64,
    ledger: Ledger,
    /// Time up to which credits are simulated, in seconds.
    credited_s: f64,
    /// Time of the pool's last block, in seconds.
    now_s: f64,
}

/// A block that the pool found.
#[derive(Clone, Debug)]
pub struct PaidBlock {
    /// Time in seconds since the start.
    pub at_s: f64,
    /// The selection of its payments.
    pub selection: Selection,
}

impl<'a> Pool<'a> {
    /// Creates a pool with these constants. The window's limit of proofs is turned into one of weight: at constant
    /// hashrate they are equivalent.
    #[must_use]
    pub fn new(miners: &'a Miners, params: &ChainParams) -> Self {
        let worth = Worth::of(miners.hashrate(), params);
        let window_s = window_s(miners, params);
        let window_weight = weight_of_blocks(window_s * worth.blocks_per_s());
        let params = ChainParams { window_weight, window_proofs: u64::MAX, ..params.clone() };
        Self {
            miners,
            worth,
            slice_s: SLICE_LINKS / (worth.shares_per_s * worth.link_part),
            window_s,
            ledger: Ledger::new(params.clone()),
            params,
            credited_s: f64::NEG_INFINITY,
            now_s: 0.0,
        }
    }

    /// Returns the pool's next block and its payments. Returns `None` if the block comes after `end_s`.
    ///
    /// # Panics
    /// Never: a full window has dues, and its weights fit.
    pub fn next_block(&mut self, end_s: f64, rng: &mut SimRng) -> Option<PaidBlock> {
        let blocks_per_s = self.miners.hashrate() / to_f64(BLOCK_WORK);
        let wait: f64 = rng.sample(Exp1);
        self.now_s += wait / blocks_per_s;
        if self.now_s > end_s {
            return None;
        }
        let snapshot_s = self.now_s - snapshot_lag_s(&self.params, rng);
        self.credit_until(snapshot_s, rng);
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let window = self.ledger.window();
        let selection = select(window.dues(self.miners.scripts()), &seed, SUBSIDY_SAT, &self.params);
        let selection = selection.expect("weights of a window fit").expect("a full window has dues");
        Some(PaidBlock { at_s: self.now_s, selection })
    }

    /// Returns the window of the last block.
    #[must_use]
    pub const fn window(&self) -> &Window {
        self.ledger.window()
    }

    /// Returns the worth of proofs.
    #[must_use]
    pub const fn worth(&self) -> &Worth {
        &self.worth
    }

    /// Simulates the credits that the window of a snapshot at this time needs, and moves the window there.
    fn credit_until(&mut self, snapshot_s: f64, rng: &mut SimRng) {
        let from_s = snapshot_s - PAST * self.window_s;
        if self.credited_s < from_s {
            self.ledger = Ledger::new(self.params.clone());
            self.credited_s = from_s;
        }
        while self.credited_s < snapshot_s {
            let rows = self.slice(rng);
            self.ledger.push(rows);
            self.credited_s += self.slice_s;
        }
        let tip = self.ledger.tip();
        self.ledger.settle(tip);
    }

    /// Draws the credits of one slice.
    fn slice(&self, rng: &mut SimRng) -> Vec<Row> {
        let mut rows = Vec::new();
        for (first, group) in self.miners.groups() {
            let mean = group.hashrate / self.worth.share_work * self.slice_s;
            let members = first..first + group.count;
            if mean > LARGE {
                rows.extend(members.filter_map(|number| self.row(number, poisson(mean, rng), rng)));
            } else {
                let shares = poisson(mean * f64::from(group.count), rng);
                rows.extend((0..shares).filter_map(|_| self.row(pick(&members, rng), 1, rng)));
            }
        }
        rows
    }

    /// Draws a miner's credit for `shares` shares, some of which are links.
    fn row(&self, number: u32, shares: u32, rng: &mut SimRng) -> Option<Row> {
        if shares == 0 {
            return None;
        }
        let links = links_among(shares, self.worth.link_part, rng);
        let weight = u128::from(shares) * self.worth.share.0 + u128::from(links) * self.worth.bonus.0;
        Some(Row { script: script(number), weight: Weight(weight), shares })
    }
}

/// Returns the length of a window in seconds, at constant hashrate: until its weight or its proofs are reached.
#[must_use]
pub fn window_s(miners: &Miners, params: &ChainParams) -> f64 {
    let worth = Worth::of(miners.hashrate(), params);
    let by_weight = blocks(params.window_weight) / worth.blocks_per_s();
    by_weight.min(to_f64(u128::from(params.window_proofs)) / worth.shares_per_s)
}

/// Draws the seconds from a snapshot to a block that it pays: the Bitcoin blocks between them, and the burial.
///
/// # Panics
/// Never: the shape of the gamma distribution is positive.
pub fn snapshot_lag_s(params: &ChainParams, rng: &mut SimRng) -> f64 {
    let blocks = f64::from(params.snapshot_bitcoin_depth);
    let between = Gamma::new(blocks, BLOCK_INTERVAL_S).expect("a positive shape and scale");
    between.sample(rng) + f64::from(params.snapshot_burial) * f64::from(params.link_interval_s)
}

/// Draws how many of `shares` are links.
fn links_among(shares: u32, part: f64, rng: &mut SimRng) -> u32 {
    /// Number of shares from which the binomial distribution is cheaper than one coin toss each.
    const MANY: u32 = 8;
    if shares < MANY {
        return (0..shares).map(|_| u32::from(rng.random_bool(part))).sum();
    }
    let links = Binomial::new(u64::from(shares), part).expect("a part is between 0 and 1").sample(rng);
    u32::try_from(links).unwrap_or(shares)
}

/// Draws a Poisson number with this mean.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "means are below a million")]
fn poisson(mean: f64, rng: &mut SimRng) -> u32 {
    Poisson::new(mean).map_or(0.0, |poisson| poisson.sample(rng)) as u32
}

fn pick(members: &Range<u32>, rng: &mut SimRng) -> u32 {
    rng.random_range(members.clone())
}
