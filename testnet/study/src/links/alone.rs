//! The pool's own links without a network: drawn one after the other, with the real targets. They serve to choose
//! constants that depend only on the pace of links: the half-life of the retarget, and the depth at which links
//! settle.

use std::collections::VecDeque;

use rand::Rng;
use rand_distr::Exp1;
use sharechain::limits::{SETTLED_BITCOIN_BLOCKS, SETTLED_LINKS};
use sharechain::target::{link_target, share_target};
use sharechain::{ChainParams, U256};

use crate::jobs::Size;
use crate::models::pay::units::{BLOCK_INTERVAL_S, PETA, target_of_work, to_u128, work_of};
use crate::partition::TOLERANCE;
use crate::result::{Cell, Finding, Table};
use crate::stats::{Estimate, quantile};
use sim::rng::{SimRng, stream};

/// Hashes per second before a change. Far from the floor of the share target on both sides.
const HASHRATE_HS: f64 = 100.0 * PETA;

/// Seconds before the change: four times the longest half-life that is tried.
const BEFORE_S: f64 = 19_200.0;

/// Seconds for which links must stay on time.
const STAYS_S: f64 = 600.0;
/// Seconds after which a run is abandoned.
const GIVEN_UP_S: f64 = 400_000.0;

/// A sequence of links.
pub(super) struct LinkStream<'a> {
    params: &'a ChainParams,
    pub(super) hashrate_hs: f64,
    /// Time of the last link in seconds, and the times that the retarget sees.
    pub(super) at_s: f64,
    last_s: [f64; 2],
    target: U256,
    /// Targets down to the anchor, oldest first.
    targets: VecDeque<U256>,
}

impl<'a> LinkStream<'a> {
    pub(super) fn new(params: &'a ChainParams, hashrate_hs: f64) -> Self {
        let target = target_of_work(to_u128(hashrate_hs * f64::from(params.link_interval_s)));
        Self { params, hashrate_hs, at_s: 0.0, last_s: [0.0; 2], target, targets: VecDeque::new() }
    }

    /// Returns the expected seconds of the next link.
    fn expected_s(&self) -> f64 {
        work_of(self.target) / self.hashrate_hs
    }

    pub(super) fn next(&mut self, rng: &mut SimRng) {
        self.at_s += rng.sample::<f64, _>(Exp1) * self.expected_s();
        // Headers have whole seconds.
        self.last_s = [self.last_s[1], self.at_s.floor()];
        self.targets.push_back(self.target);
        if self.targets.len() > self.params.anchor_depth as usize + 1 {
            self.targets.pop_front();
        }
        let anchor = self.targets.front().copied().unwrap_or(self.target);
        #[expect(clippy::cast_possible_truncation, reason = "seconds between two links")]
        let interval_s = (self.last_s[1] - self.last_s[0]) as i64;
        self.target = link_target(self.target, interval_s, share_target(anchor, self.params), self.params);
    }

    fn run_until(&mut self, at_s: f64, rng: &mut SimRng) {
        while self.at_s < at_s {
            self.next(rng);
        }
    }
}

/// Returns the minutes until links are on time again, after the hashrate grew to `factor` times its value.
fn settles_min(params: &ChainParams, factor: f64, rng: &mut SimRng) -> f64 {
    let mut links = LinkStream::new(params, HASHRATE_HS);
    links.run_until(BEFORE_S, rng);
    links.hashrate_hs *= factor;
    let (changed_s, mut since_s) = (links.at_s, links.at_s);
    let interval_s = f64::from(params.link_interval_s);
    while links.at_s - since_s < STAYS_S && links.at_s - changed_s < GIVEN_UP_S {
        let expected_s = links.expected_s();
        let in_time = expected_s < interval_s * TOLERANCE && expected_s > interval_s / TOLERANCE;
        links.next(rng);
        if !in_time {
            since_s = links.at_s;
        }
    }
    (since_s - changed_s) / 60.0
}

/// Returns how far links are off time without any change: the standard deviation of the next one's expected time, as a
/// part of the interval.
fn jitter(params: &ChainParams, links_count: u32, rng: &mut SimRng) -> f64 {
    let mut links = LinkStream::new(params, HASHRATE_HS);
    links.run_until(BEFORE_S, rng);
    let mut squares = 0.0;
    for _ in 0..links_count {
        links.next(rng);
        squares += (links.expected_s() / f64::from(params.link_interval_s) - 1.0).powi(2);
    }
    (squares / f64::from(links_count)).sqrt()
}

/// Half-lives of the retarget that are compared, in seconds.
const HALF_LIVES_S: [u32; 5] = [300, 600, 1_200, 2_400, 4_800];

/// Version 1's half-life, in seconds.
const HALF_LIFE_BEFORE_S: u32 = 1_200;

/// Changes of the hashrate.
const FACTORS: [f64; 4] = [10.0, 1_000.0, 0.1, 0.001];

/// What half-lives cost: how far links stray, and minutes until they are on time after each of [`FACTORS`].
pub(super) struct HalfLives {
    rows: Vec<(u32, f64, [Estimate; FACTORS.len()])>,
}

impl HalfLives {
    pub(super) fn run(size: Size, seed: u64) -> Self {
        let (runs, links): (u64, u32) = size.pick((20, 100_000), (3, 5_000));
        let row = |half_life_s: u32| {
            let params = ChainParams { retarget_half_life_s: half_life_s, ..ChainParams::main() };
            let rng = &mut stream(seed, "half-life", half_life_s.into());
            let strays = jitter(&params, links, rng);
            let settle = FACTORS.map(|factor| {
                let minutes: Vec<f64> = (0..runs).map(|_| settles_min(&params, factor, rng)).collect();
                Estimate::of(&minutes)
            });
            (half_life_s, strays, settle)
        };
        Self { rows: HALF_LIVES_S.map(row).to_vec() }
    }

    pub(super) fn table(&self) -> Table {
        let row = |(half_life_s, strays, settle): &(u32, f64, [Estimate; FACTORS.len()])| {
            let chosen = *half_life_s == ChainParams::main().retarget_half_life_s;
            let name = if chosen { format!("{half_life_s}, chosen") } else { half_life_s.to_string() };
            let mut row = vec![Cell::text(name), Cell::number(100.0 * strays, 1)];
            row.extend(settle.map(|minutes| Cell::estimate(minutes, 0)));
            row
        };
        let columns = ["half-life, s", "links out of time by, %", "x10, min", "x1000, min", "/10, min", "/1000, min"];
        Table {
            caption: "Half-lives of the retarget: how far the expected time to a link strays from 10 s though nothing \
                 changes, and minutes until links come in time again after hashrate changed. Without a network"
                .into(),
            columns: columns.map(String::from).to_vec(),
            rows: self.rows.iter().map(row).collect(),
        }
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        let tenfold = |half_life_s: u32| {
            let row = self.rows.iter().find(|(other, ..)| *other == half_life_s);
            row.map_or(f64::NAN, |(_, _, settle)| settle[0].mean)
        };
        let (now, before) = (tenfold(ChainParams::main().retarget_half_life_s), tenfold(HALF_LIFE_BEFORE_S));
        vec![Finding {
            claim: "Without a network, links come in time again after x10 in six tenths of version 1's time or less"
                .into(),
            measured: format!("{now:.0} min, {before:.0} with version 1's half-life of 1,200 s"),
            holds: Some(now <= 0.6 * before),
        }]
    }
}

/// Returns the minutes for which the smaller side of a partition continues, before a link that the other side lacks is
/// settled on it.
fn settled_after_min(part: f64, depth: u32, rng: &mut SimRng) -> f64 {
    let params = ChainParams::main();
    let mut links = LinkStream::new(&params, HASHRATE_HS);
    links.run_until(BEFORE_S, rng);
    let cut_s = links.at_s;
    links.hashrate_hs *= part;
    // The first link after the cut, and `depth` links on top of it.
    for _ in 0..=depth {
        links.next(rng);
    }
    let blocks_s: f64 = (0..SETTLED_BITCOIN_BLOCKS).map(|_| rng.sample::<f64, _>(Exp1) * BLOCK_INTERVAL_S).sum();
    (links.at_s - cut_s).max(blocks_s) / 60.0
}

/// Compares depths at which links settle.
pub(super) fn settled_depths(size: Size, seed: u64) -> Table {
    let runs: u64 = size.pick(400, 20);
    let row = |depth: u32| {
        let name = if depth == SETTLED_LINKS { format!("{depth}, chosen") } else { depth.to_string() };
        let rng = &mut stream(seed, "finality", depth.into());
        let mut row = vec![Cell::text(name)];
        row.extend([0.1, 0.25, 0.5].map(|part| {
            let minutes: Vec<f64> = (0..runs).map(|_| settled_after_min(part, depth, rng)).collect();
            Cell::number(quantile(&minutes, 0.01), 0)
        }));
        // The probability that a random walk with steps of one link each way ever gets that far.
        let caught_up = [0.4_f64, 0.45, 0.49].map(|attacker| (attacker / (1.0 - attacker)).powf(f64::from(depth)));
        row.extend(caught_up.map(|chance| Cell::text(format!("{chance:.0e}"))));
        row
    };
    let columns = [
        "links on top",
        "partition, smaller side 10%, min",
        "25%, min",
        "50%, min",
        "40% of the hashrate catches up",
        "45%",
        "49%",
    ];
    Table {
        caption:
            "How deep a link is settled. Left: minutes that a partition lasts, in 99 of 100 cases, before the smaller \
                  side has settled what the other lacks, so that rejoining takes a majority for 18 Bitcoin blocks. Right: \
                  the chance that an attacker undoes a link that deep, where none is settled"
                .into(),
        columns: columns.map(String::from).to_vec(),
        rows: [90, 180, 360, 720, 1_440].map(row).to_vec(),
    }
}

#[cfg(test)]
mod tests;
