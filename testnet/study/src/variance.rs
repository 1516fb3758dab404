//! The variance of pay for small and large miners in small and large pools, compared with solo mining and with a
//! central pool without fees.
//!
//! ```text
//! spread.rs    samples of pay, most of them zero: means, spreads, quantiles
//! history.rs   years of a pool, and the pay of each group of its miners
//! central.rs   the two extremes, which need no simulation
//! tables.rs    tables and plots
//! ```

mod central;
mod history;
mod spread;
mod tables;
#[cfg(test)]
mod tests;

use sharechain::ChainParams;

use super::jobs::Effort;
use super::result::{Experiment, Finding};
use crate::models::pay::miners::{Group, Miners};
use crate::models::pay::units::{EXA, NETWORK_HASHRATE, PETA, TERA};
use history::History;
use sim::rng::stream;
use tables::Measured;

/// The miners to compare, in hashes per second.
const SIZES: [(&str, f64); 3] = [("1 TH/s", TERA), ("100 TH/s", 100.0 * TERA), ("10 PH/s", 10.0 * PETA)];

/// Number of independent histories of each pool: enough for a confidence interval.
const HISTORIES: u64 = 20;

/// Factor that widens an interval if several must all hold. Eight at 95% would fail one time in three.
const SEVERAL: f64 = 1.5;

/// A pool of the study.
#[derive(Clone, Debug)]
struct Spec {
    name: &'static str,
    /// Groups of [`SIZES`] come first, in their order, as far as they fit. The last ones fill the pool.
    groups: Vec<Group>,
    /// Years of each history.
    years: u32,
}

/// Returns the pools. Each finds some hundred blocks in all its histories.
fn specs(effort: Effort) -> Vec<Spec> {
    let years = |standard, reduced| effort.size.pick(standard, reduced);
    vec![
        Spec {
            name: "1 PH/s",
            groups: vec![Group::new(300, TERA), Group::new(7, 100.0 * TERA)],
            years: years(1_200, 80),
        },
        Spec {
            name: "100 PH/s",
            groups: vec![
                Group::new(10_000, TERA),
                Group::new(300, 100.0 * TERA),
                Group::new(3, 10.0 * PETA),
                Group::new(30, PETA),
            ],
            years: years(12, 1),
        },
        Spec {
            name: "10 EH/s",
            groups: vec![
                Group::new(10_000, TERA),
                Group::new(3_000, 100.0 * TERA),
                Group::new(200, 10.0 * PETA),
                Group::new(47, 100.0 * PETA),
                Group::new(3, 0.99667 * EXA),
            ],
            years: years(2, 1),
        },
    ]
}

/// Runs the experiment.
#[must_use]
pub fn run(effort: Effort, seed: u64, progress: &(dyn Fn(usize, usize) + Sync)) -> Experiment {
    let params = ChainParams::main();
    let specs = specs(effort);
    let pools: Vec<Miners> = specs.iter().map(|spec| Miners::new(&spec.groups)).collect();
    let histories = effort.size.pick(HISTORIES, 4);
    let jobs: Vec<(usize, u64)> =
        (0..histories).flat_map(|run| (0..specs.len()).map(move |pool| (pool, run))).collect();
    let work = |&(pool, run): &(usize, u64)| {
        let index = run * to_u64(specs.len()) + to_u64(pool);
        let mut rng = stream(seed, "variance", index);
        specs
            .get(pool)
            .zip(pools.get(pool))
            .map(|(spec, miners)| History::simulate(miners, &params, spec.years, &mut rng))
    };
    let results = effort.run(&jobs, work, progress);
    let mut measured: Vec<Measured> =
        specs.iter().zip(&pools).map(|(spec, miners)| Measured::new(spec.name, miners, &params)).collect();
    for ((pool, _), history) in jobs.iter().zip(results) {
        if let (Some(measured), Some(history)) = (measured.get_mut(*pool), history) {
            measured.histories.push(history);
        }
    }
    experiment(&measured, seed)
}

fn experiment(measured: &[Measured], seed: u64) -> Experiment {
    Experiment {
        id: "variance".to_owned(),
        title: "How uneven pay is".to_owned(),
        question: "How often is a miner credited and paid, and how far does the pay of a month or a year stray from \
                   its expectation: alone, in this pool, in a central pool without fee?"
            .to_owned(),
        method: method(),
        findings: findings(measured),
        tables: tables::tables(measured),
        plots: tables::plots(measured),
        seed,
    }
}

fn method() -> Vec<String> {
    vec![
        format!(
            "Each pool has constant hashrate in a network of {:.0} EH/s. Shares of each miner, links and the pool's \
             Bitcoin blocks are drawn from their exact distributions; the pool's own code makes the window, the \
             selection and the amounts of each block, under the constants of the main network. Pay is that of the \
             subsidy. No share is lost.",
            NETWORK_HASHRATE / EXA
        ),
        "The pools: 1 PH/s of 300 miners with 1 TH/s and 7 with 100 TH/s; 100 PH/s of 10,000 with 1 TH/s, 300 with \
         100 TH/s, 30 with 1 PH/s and 3 with 10 PH/s; 10 EH/s of 10,000 with 1 TH/s, 3,000 with 100 TH/s, 200 with \
         10 PH/s, 47 with 100 PH/s and 3 with 1 EH/s. Samples are all miners of a size in all months and years of all \
         histories; miners of one pool share its luck, so intervals are over histories."
            .to_owned(),
        "Days between payments follow from the probability with which each lottery paid a miner, not from the draws \
         themselves: the same mean with less noise. Solo and central figures are exact: Poisson, with eight accepted \
         shares a minute for pay per share. The central pool that shares its blocks keeps exact accounts for all \
         miners, so that only its own luck remains; it needs a custodian."
            .to_owned(),
    ]
}

fn findings(measured: &[Measured]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for pool in measured {
        for (size, name) in pool.sizes() {
            let mean = pool.mean_pay(size);
            let error = (mean.high - mean.low) / 2.0 * SEVERAL;
            findings.push(Finding {
                claim: format!("A miner with {name} in a pool of {} is paid what it is due in expectation", pool.name),
                measured: format!("{:.3} of its due ({:.3} to {:.3})", mean.mean, mean.low, mean.high),
                holds: Some((mean.mean - 1.0).abs() <= error),
            });
        }
    }
    if let Some(pool) = measured.last() {
        let often = pool.payments_per_year(0).mean / central::solo_blocks_per_year(TERA);
        findings.push(Finding {
            claim:
                "A draw multiplies the payments of a small miner by about the outputs of a coinbase, however large the \
                    pool is: by the inverse of the even payment"
                    .to_owned(),
            measured: format!("{often:.0} times as many as alone, for 1 TH/s in a pool of {}", pool.name),
            holds: None,
        });
    }
    findings
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
