//! How often a miner is paid, by its hashrate, with 48 outputs and with 1,000.

use std::ops::Range;

use rand::{Rng, RngCore};
use rand_distr::{Distribution, Exp1, Poisson};
use sharechain::payout::select;
use sharechain::{ChainParams, Weight};

use super::jobs::{Effort, Progress};
use super::result::{Axis, Cell, Experiment, Finding, Plot, Point, Series, Table};
use super::stats::Estimate;
use crate::models::pay::miners::{Group, Miners, script};
use crate::models::pay::units::{
    BLOCK_INTERVAL_S, BLOCK_WORK, DAY_S, EXA, NETWORK_HASHRATE, PETA, SUBSIDY_SAT, TERA, YEAR_S, to_f64,
};
use sim::rng::{SimRng, stream};

/// Largest acceptable difference from the formula.
const TARGET: f64 = 0.02;

/// The miners to compare, in hashes per second.
const SIZES: [(&str, f64); 4] =
    [("1 TH/s", TERA), ("10 TH/s", 10.0 * TERA), ("100 TH/s", 100.0 * TERA), ("1 PH/s", PETA)];

/// Windows, each with this many draws: a draw costs as much as a window.
const DRAWS: u32 = 4;

/// A pool and its outputs.
#[derive(Clone, Copy, Debug)]
struct Spec {
    name: &'static str,
    outputs: usize,
    /// Miners of each of [`SIZES`]. None has more than one part in `outputs` of the pool.
    counts: [u32; SIZES.len()],
    /// Windows of each run.
    windows: u32,
}

/// Returns the pools. The smallest miners are paid tens of thousands of times in all.
fn specs(effort: Effort) -> Vec<Spec> {
    let windows = |standard, reduced| effort.size.pick(standard, reduced);
    vec![
        Spec { name: "200 PH/s, 48 outputs", outputs: 48, counts: [20_000, 4_000, 700, 70], windows: windows(100, 3) },
        Spec {
            name: "2 EH/s, wide: 1,000 outputs",
            outputs: 1_000,
            counts: [40_000, 20_000, 9_000, 860],
            windows: windows(20, 3),
        },
    ]
}

/// Payments of one run.
#[derive(Clone, Debug, Default)]
struct Payments {
    /// Number of payments, by size.
    paid: [f64; SIZES.len()],
    /// Sum of the probabilities of payments.
    chances: [f64; SIZES.len()],
    /// Simulated time, in seconds.
    time_s: f64,
}

impl Spec {
    fn groups(&self) -> [Group; SIZES.len()] {
        let mut sizes = SIZES.iter().zip(self.counts);
        std::array::from_fn(|_| sizes.next().map_or(Group::new(0, TERA), |((_, hs), count)| Group::new(count, *hs)))
    }

    /// Returns the seconds between payments by the formula: Bitcoin's hashrate / (outputs x hashrate) x 10 minutes.
    fn formula_s(&self, hashrate_hs: f64) -> f64 {
        let outputs = to_f64(u128::try_from(self.outputs).unwrap_or(1));
        NETWORK_HASHRATE / (outputs * hashrate_hs) * BLOCK_INTERVAL_S
    }

    /// Simulates blocks: waits for one, fills a window by chance, draws.
    fn simulate(&self, miners: &Miners, rng: &mut SimRng) -> Payments {
        let params = ChainParams { outputs_max: self.outputs, ..ChainParams::main() };
        let mut payments = Payments::default();
        let ranges = ranges(miners);
        for _ in 0..self.windows {
            let weights = window(miners, &params, rng);
            for _ in 0..DRAWS {
                let wait: f64 = rng.sample(Exp1);
                payments.time_s += wait * to_f64(BLOCK_WORK) / miners.hashrate();
                payments.draw(miners, &ranges, &weights, &params, rng);
            }
        }
        payments
    }
}

/// Returns the numbers of the miners of each size.
fn ranges(miners: &Miners) -> Vec<Range<usize>> {
    let of = |(first, group): (u32, Group)| to_usize(first)..to_usize(first + group.count);
    miners.groups().map(of).collect()
}

/// Draws the weight of each miner in a window of [`ChainParams::window_proofs`]: 2^32 units for each of its shares, so
/// that rounding does not show.
fn window(miners: &Miners, params: &ChainParams, rng: &mut SimRng) -> Vec<Weight> {
    let per_hash = to_f64(params.window_proofs.into()) / miners.hashrate();
    let mut weights = Vec::with_capacity(miners.count());
    for (_, group) in miners.groups() {
        let shares = Poisson::new(group.hashrate * per_hash).expect("some shares are expected");
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "millions of shares at most")]
        weights.extend((0..group.count).map(|_| Weight((shares.sample(rng) as u128) << 32)));
    }
    weights
}

impl Payments {
    fn draw(
        &mut self,
        miners: &Miners,
        ranges: &[Range<usize>],
        weights: &[Weight],
        params: &ChainParams,
        rng: &mut SimRng,
    ) {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        let scripts = (0..).map(script).map_while(|number| miners.scripts().script(number));
        let selection = select(scripts.zip(weights.iter().copied()), &seed, SUBSIDY_SAT, params);
        let selection = selection.expect("weights of a window fit").expect("somebody is due something");
        for due in selection.entries() {
            let size = miners.number(&due.script).and_then(|number| ranges.iter().position(|of| of.contains(&number)));
            if let Some(paid) = size.and_then(|size| self.paid.get_mut(size)) {
                *paid += 1.0;
            }
        }
        let even = selection.entries().last().map_or(1.0, |due| to_f64(due.weight.0));
        for (sum, range) in self.chances.iter_mut().zip(ranges) {
            let of = weights.get(range.clone()).unwrap_or_default();
            *sum += of.iter().map(|weight| (to_f64(weight.0) / even).min(1.0)).sum::<f64>();
        }
    }
}

/// One pool with all its runs.
struct Measured {
    spec: Spec,
    runs: Vec<Payments>,
}

impl Measured {
    fn years(&self) -> f64 {
        self.runs.iter().map(|run| run.time_s).sum::<f64>() / YEAR_S
    }

    fn paid(&self, size: usize) -> f64 {
        self.runs.iter().map(|run| run.paid[size]).sum()
    }

    /// Returns the mean seconds between payments over the formula's. The time is that of the expected blocks, so that
    /// the pool's luck is left out.
    fn ratio(&self, size: usize, of: fn(&Payments) -> &[f64; SIZES.len()]) -> Estimate {
        let groups = self.spec.groups();
        let pool_hs: f64 = groups.iter().map(Group::total).sum();
        let blocks = f64::from(self.spec.windows * DRAWS);
        let expected_s = blocks * to_f64(BLOCK_WORK) / pool_hs;
        let due = f64::from(groups[size].count) * expected_s / self.spec.formula_s(groups[size].hashrate);
        // The ratio of sums, whose spread is that of the payments.
        let payments = Estimate::of(&self.runs.iter().map(|run| of(run)[size] / due).collect::<Vec<_>>());
        Estimate { mean: 1.0 / payments.mean, low: 1.0 / payments.high, high: 1.0 / payments.low }
    }
}

/// Runs the experiment.
#[must_use]
pub fn run(effort: Effort, seed: u64, progress: Progress<'_>) -> Experiment {
    let specs = specs(effort);
    let miners: Vec<Miners> = specs.iter().map(|spec| Miners::new(&spec.groups())).collect();
    let runs = effort.size.pick(12, 3);
    let jobs: Vec<(usize, u64)> = (0..specs.len()).flat_map(|at| (0..runs).map(move |run| (at, run))).collect();
    let work = |&(at, run): &(usize, u64)| {
        let index = u64::try_from(at).unwrap_or(0) * runs + run;
        let pool = specs.get(at).zip(miners.get(at));
        pool.map(|(spec, miners)| spec.simulate(miners, &mut stream(seed, "frequency", index)))
    };
    let found = effort.run(&jobs, work, progress);
    let mut measured: Vec<Measured> = specs.into_iter().map(|spec| Measured { spec, runs: Vec::new() }).collect();
    for ((at, _), payments) in jobs.iter().zip(found) {
        if let (Some(measured), Some(payments)) = (measured.get_mut(*at), payments) {
            measured.runs.push(payments);
        }
    }
    experiment(&measured, seed)
}

fn experiment(measured: &[Measured], seed: u64) -> Experiment {
    Experiment {
        id: "frequency".to_owned(),
        title: "How often a miner is paid".to_owned(),
        question:
            "How long does a miner wait from one payment to the next, with the 48 outputs of the standard pool and \
                   with the 1,000 of a wide one? Does the formula hold: Bitcoin's hashrate / (outputs x hashrate) x 10 \
                   minutes?"
                .to_owned(),
        method: vec![format!(
            "Years of a pool in a network of {:.0} EH/s: blocks at random times, the shares of each miner in a window of \
             2^21 proofs by chance, and the pool's own selection, with the number of outputs of each pool. Each window \
             serves {DRAWS} blocks; that successive windows overlap does not change a mean. No miner has more than one \
             part in as many as there are outputs: the formula is for such pools. Where large miners are paid exactly, \
             the others are paid more often (`variance`). The interval is all miners' time, of as many blocks as are \
             expected, over their payments; from chances, it is over the sum of the probabilities of each draw.",
            NETWORK_HASHRATE / EXA
        )],
        findings: findings(measured),
        tables: vec![table(measured)],
        plots: plots(measured),
        seed,
    }
}

fn findings(measured: &[Measured]) -> Vec<Finding> {
    let of = |measured: &Measured| {
        let ratios: Vec<f64> = (0..SIZES.len()).map(|size| measured.ratio(size, |run| &run.paid).mean).collect();
        let worst = ratios.into_iter().max_by(|a, b| (a - 1.0).abs().total_cmp(&(b - 1.0).abs())).unwrap_or(f64::NAN);
        Finding {
            claim: format!(
                "In a pool of {}, miners from 1 TH/s to 1 PH/s are paid as often as the formula says, within 2%",
                measured.spec.name
            ),
            measured: format!("at worst {:+.2}%, over {:.0} years", 100.0 * (worst - 1.0), measured.years()),
            holds: Some((worst - 1.0).abs() <= TARGET),
        }
    };
    measured.iter().map(of).collect()
}

fn table(measured: &[Measured]) -> Table {
    let columns = [
        "pool",
        "miner",
        "miners of that size",
        "payments",
        "days between payments, formula",
        "simulated",
        "simulated over formula",
        "from chances",
        "outputs paid each block",
    ];
    let rows = measured.iter().flat_map(|measured| {
        SIZES.iter().enumerate().map(|(size, (name, hashrate_hs))| {
            let formula_days = measured.spec.formula_s(*hashrate_hs) / DAY_S;
            let ratio = measured.ratio(size, |run| &run.paid);
            let blocks = f64::from(measured.spec.windows * DRAWS) * super::stats::as_f64(measured.runs.len());
            let digits = if formula_days > 1_000.0 { 0 } else { 1 };
            vec![
                Cell::text(measured.spec.name),
                Cell::text(*name),
                Cell::number(f64::from(measured.spec.counts[size]), 0),
                Cell::number(measured.paid(size), 0),
                Cell::number(formula_days, digits),
                Cell::estimate(ratio.times(formula_days), digits),
                Cell::estimate(ratio, 4),
                Cell::estimate(measured.ratio(size, |run| &run.chances), 4),
                Cell::number(measured.paid(size) / blocks, 2),
            ]
        })
    });
    Table {
        caption:
            "Days between two payments of a miner. With hashrate constant, the waits are random: one in twenty is \
                  three times as long."
                .to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: rows.collect(),
    }
}

fn plots(measured: &[Measured]) -> Vec<Plot> {
    let simulated = measured.iter().map(|measured| Series {
        name: measured.spec.name.to_owned(),
        points: SIZES
            .iter()
            .enumerate()
            .map(|(size, (_, hashrate_hs))| {
                let days = measured.spec.formula_s(*hashrate_hs) / DAY_S;
                Point::new(hashrate_hs / TERA, measured.ratio(size, |run| &run.paid).times(days))
            })
            .collect(),
    });
    vec![Plot {
        caption: "Days between two payments, by the hashrate of the miner.".to_owned(),
        x: Axis { label: "hashrate of the miner, TH/s".to_owned(), log: true },
        y: Axis { label: "days between payments".to_owned(), log: true },
        series: simulated.collect(),
        marks: Vec::new(),
    }]
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
