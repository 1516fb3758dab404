//! The earnings per hash of miners who mine only some of the time, compared with a miner who always mines.
//!
//! ```text
//! hours.rs         the miners' hours
//! pools.rs         pools with varying hashrate, and the worth of a hash in them
//! alternatives.rs  other windows and snapshots: the same question, and the cost of waiting
//! rises.rs         pools whose hashrate changes for good, or for a day
//! tables.rs        tables and plots
//! ```

mod alternatives;
mod hours;
mod pools;
mod rises;
mod tables;
#[cfg(test)]
mod tests;

use super::jobs::Effort;
use super::result::{Experiment, Finding};
use super::stats::Estimate;
use alternatives::Alternative;
use pools::{Day, Pool};
use rises::Rise;
use sim::rng::stream;

/// Largest acceptable deviation in expectation.
const TARGET: f64 = 0.01;

/// One run of one question.
#[derive(Clone, Copy, Debug)]
enum Job {
    Pool(usize),
    Alternative(usize),
    Rise(usize),
}

/// The result of one job.
enum JobResult {
    Day(Day),
    Rise(rises::Pays),
}

/// Runs the experiment.
#[must_use]
pub fn run(effort: Effort, seed: u64, progress: &(dyn Fn(usize, usize) + Sync)) -> Experiment {
    let runs: u64 = effort.size.pick(12, 3);
    let days: u32 = effort.size.pick(20, 4);
    let (pools, alternatives, rises) = (pools::all(effort.size), alternatives::all(effort.size), rises::all());
    let kinds: Vec<Job> = (0..pools.len())
        .map(Job::Pool)
        .chain((0..alternatives.len()).map(Job::Alternative))
        .chain((0..rises.len()).map(Job::Rise))
        .collect();
    let jobs: Vec<(Job, u64)> = kinds.iter().flat_map(|kind| (0..runs).map(move |run| (*kind, run))).collect();
    let work = |&(job, run): &(Job, u64)| match job {
        Job::Pool(at) => pools.get(at).map(|pool| {
            let mut rng = stream(seed, "intermittent/pool", index(at, run));
            JobResult::Day(pool.measure(days, &mut rng))
        }),
        Job::Alternative(at) => alternatives.get(at).map(|alternative| {
            let mut rng = stream(seed, "intermittent/alternative", index(at, run));
            JobResult::Day(alternative.pool().measure(days, &mut rng))
        }),
        Job::Rise(at) => rises.get(at).map(|rise| {
            let mut rng = stream(seed, "intermittent/rise", index(at, run));
            JobResult::Rise(rise.measure(&mut rng))
        }),
    };
    let found = effort.run(&jobs, work, progress);
    let mut results = Results {
        pools: pools.into_iter().map(|pool| (pool, Vec::new())).collect(),
        alternatives: alternatives.into_iter().map(|alternative| (alternative, Vec::new())).collect(),
        rises: rises.into_iter().map(|rise| (rise, Vec::new())).collect(),
    };
    for ((job, _), found) in jobs.iter().zip(found) {
        results.sort_in(*job, found);
    }
    experiment(&results, seed)
}

/// Returns a unique number for each run of each kind of job.
fn index(at: usize, run: u64) -> u64 {
    /// More than the number of runs of any kind.
    const RUNS: u64 = 1_000;
    u64::try_from(at).unwrap_or(u64::MAX / RUNS) * RUNS + run
}

/// The results of all runs, by question.
struct Results {
    pools: Vec<(Pool, Vec<Day>)>,
    alternatives: Vec<(Alternative, Vec<Day>)>,
    rises: Vec<(Rise, Vec<rises::Pays>)>,
}

impl Results {
    fn sort_in(&mut self, job: Job, found: Option<JobResult>) {
        match (job, found) {
            (Job::Pool(at), Some(JobResult::Day(day))) => {
                if let Some((_, days)) = self.pools.get_mut(at) {
                    days.push(day);
                }
            }
            (Job::Alternative(at), Some(JobResult::Day(day))) => {
                if let Some((_, days)) = self.alternatives.get_mut(at) {
                    days.push(day);
                }
            }
            (Job::Rise(at), Some(JobResult::Rise(pays))) => {
                if let Some((_, all)) = self.rises.get_mut(at) {
                    all.push(pays);
                }
            }
            _ => {}
        }
    }
}

fn experiment(results: &Results, seed: u64) -> Experiment {
    Experiment {
        id: "intermittent".to_owned(),
        title: "Miners that mine some of the time".to_owned(),
        question: "Does a miner that runs on sun, on cheap hours or at random earn as much a hash as one that never \
                   stops?"
            .to_owned(),
        method: vec![
            "Link by link with the pool's own targets, weights and window, under the constants of the main network: \
             link intervals are exponential, shares Poisson, each of a random one of the pool's miners. What a credit \
             is paid is not drawn but reckoned: at each moment the pool finds blocks at a known rate, and a block pays \
             each credit in the window of its snapshot that credit's part. So what remains of chance is that of the \
             times of links and Bitcoin blocks."
                .to_owned(),
            "Pools are steady, or get 30% of their hashrate at noon from miners that all run from 9 to 15 o'clock. In \
             either, the same question is asked for small miners that run from 9 to 15, from 23 to 7, or in hours that \
             a coin decides. Intervals are over independent runs of three weeks."
                .to_owned(),
            "A window that ends by proofs is 7.59 days long, in version 1 it was 7.71 days of rows. The part of a day beyond \
             seven is what a daily rhythm feels, most at a half: the best hour of a small pool with solar miners gains 0.6% \
             now, and gained 0.3% then."
                .to_owned(),
        ],
        findings: findings(results),
        tables: tables::tables(results),
        plots: tables::plots(results),
        seed,
    }
}

fn findings(results: &Results) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (pool, days) in results.pools.iter().filter(|(pool, _)| pool.is_in_question) {
        let ratios = hours::PATTERNS.iter().enumerate().map(|(at, pattern)| {
            let ratio = Estimate::of(&days.iter().map(|day| day.ratio(at)).collect::<Vec<_>>());
            (pattern.name, ratio)
        });
        for (name, ratio) in ratios {
            findings.push(Finding {
                claim: format!("{name} in a pool of {}: within 1% of a constant miner's pay a hash", pool.name),
                measured: format!("{:.4} ({:.4} to {:.4})", ratio.mean, ratio.low, ratio.high),
                holds: Some(ratio.low >= 1.0 - TARGET && ratio.high <= 1.0 + TARGET),
            });
        }
    }
    let larger = results.pools.iter().filter(|(pool, _)| !pool.is_in_question && pool.solar > 0.0);
    findings.extend(larger.map(|(pool, days)| {
        let ratio = Estimate::of(&days.iter().map(|day| day.ratio(0)).collect::<Vec<_>>());
        Finding {
            claim: format!(
                "Where it stops: six hours of sun in a pool of {}, whose window is not long beside the two hours to the \
                 snapshot",
                pool.name
            ),
            measured: format!("{:.3} ({:.3} to {:.3})", ratio.mean, ratio.low, ratio.high),
            holds: None,
        }
    }));
    findings
}
