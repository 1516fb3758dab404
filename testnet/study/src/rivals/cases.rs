//! Cases that run several times each, with their own seeds.

use std::ops::Range;

use super::{Measured, Rules};
use crate::jobs::{Effort, Progress};
use crate::stats::{Estimate, as_f64};
use sim::rng::derive;
use sim::scenario::{Constants, Miners, Nodes, Pool, Scenario};
use sim::time::Micros;
use sim::transport::LineKind;

/// A scenario under one rule set.
#[derive(Clone, Debug)]
pub struct Case<K> {
    /// What the case measures.
    pub key: K,
    /// The rule set.
    pub rules: Rules,
    /// The scenario.
    pub scenario: Scenario,
    /// The part of it in which proofs are measured.
    pub when: Range<Micros>,
    /// Number of runs.
    pub runs: u64,
}

/// A case and the results of its runs.
#[derive(Clone, Debug)]
pub struct Result<K> {
    /// See [`Case::key`].
    pub key: K,
    /// The rule set.
    pub rules: Rules,
    /// One result per run.
    pub runs: Vec<Measured>,
}

/// Runs all cases. The seeds derive from the study's seed, `purpose`, and the numbers of case and run.
pub fn run<K: Clone + Sync>(
    cases: &[Case<K>],
    purpose: &str,
    effort: Effort,
    seed: u64,
    progress: Progress<'_>,
) -> Vec<Result<K>> {
    let jobs: Vec<(usize, u64)> =
        cases.iter().enumerate().flat_map(|(case, of)| (0..of.runs).map(move |run| (case, run))).collect();
    let work = |&(index, run): &(usize, u64)| {
        let case = &cases[index];
        let case_seed = derive(seed, purpose, u64::try_from(index).expect("cases are few"));
        let seed = derive(case_seed, "run", run);
        let parameters = format!("{seed} {:?} {:?}", case.when, case.scenario);
        let measure = || case.rules.measure(&case.scenario, seed, &case.when);
        effort.once(&format!("{purpose} {}", case.rules.name()), &parameters, measure)
    };
    let mut measured = effort.run(&jobs, work, progress).into_iter();
    let of_case = |case: &Case<K>| {
        let runs = (0..case.runs).filter_map(|_| measured.next()).collect();
        Result { key: case.key.clone(), rules: case.rules, runs }
    };
    cases.iter().map(of_case).collect()
}

impl<K> Result<K> {
    /// Returns a number of each run, as an estimate.
    #[must_use]
    pub fn estimate(&self, of: impl Fn(&Measured) -> f64) -> Estimate {
        Estimate::of(&self.runs.iter().map(of).collect::<Vec<_>>())
    }

    /// Returns the number of proofs found in all runs.
    #[must_use]
    pub fn proofs(&self) -> u64 {
        self.runs.iter().map(|run| run.sum(|_| true).proofs).sum()
    }
}

/// Returns whether several estimates are within a bound: false if the whole interval of one is above it, true if all
/// means are within it, otherwise `None`. Also returns the worst estimate.
#[must_use]
pub fn within(estimates: impl Iterator<Item = Estimate>, bound: f64) -> Option<(Estimate, Option<bool>)> {
    let all: Vec<Estimate> = estimates.collect();
    let worst = all.iter().copied().max_by(|one, other| one.mean.total_cmp(&other.mean))?;
    let refuted = all.iter().any(|estimate| estimate.low > bound);
    let holds = if refuted { Some(false) } else { (worst.mean <= bound).then_some(true) };
    Some((worst, holds))
}

/// The group of the single miner in [`pool`].
pub const ONE: usize = 0;
/// The group of all other miners in [`pool`].
pub const OTHERS: usize = 1;

/// Creates a pool of one miner with this part of the hashrate and `others` other miners that share the rest equally.
/// Each has its own node on fiber, in a city drawn by where miners live, and devices that take half a second to switch.
#[must_use]
pub fn pool(part: f64, others: u32, duration_s: f64) -> Scenario {
    let node = |name, count| Nodes { clock_skew_s: 0.1, ..Nodes::usual(name, count) };
    Scenario {
        name: "study".into(),
        duration_s,
        pool: Pool::default(),
        constants: Constants::default(),
        nodes: vec![node("one", 1), node("others", others)],
        miners: vec![Miners::honest("one", "one", part), Miners::honest("others", "others", 1.0 - part)],
        faults: Vec::new(),
    }
}

/// Puts all nodes at the same distance from each other, on lines that add almost no delay.
pub fn spread_evenly(scenario: &mut Scenario, one_way_s: f64) {
    scenario.pool.distance_ms = Some(one_way_s * 1e3);
    for nodes in &mut scenario.nodes {
        nodes.lines = vec![LineKind::Datacenter];
    }
}

/// Returns the seconds in which the whole pool finds about `shares` shares under `rules`.
#[must_use]
pub fn seconds_for(rules: &Rules, shares: usize) -> f64 {
    match rules {
        Rules::Shoal => as_f64(shares) / 3.2,
        Rules::Classic(rules) => as_f64(shares) * rules.interval.as_secs_f64(),
    }
}

/// Returns the time from `from_s` until `settle_s` before the end of a scenario. Later proofs cannot be judged yet.
#[must_use]
pub fn between(from_s: f64, scenario: &Scenario, settle_s: f64) -> Range<Micros> {
    Micros::from_secs_f64(from_s)..Micros::from_secs_f64((scenario.duration_s - settle_s).max(from_s))
}

/// Converts a count of proofs to a float.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of proofs are far below 2^53")]
pub const fn as_number(count: u64) -> f64 {
    count as f64
}
