//! The simulated pools.

use crate::jobs::{Effort, Progress};
use crate::models::scale::Setup;
use crate::models::scale::churn::Churn;
use crate::models::scale::mesh::MeshRules;
use crate::models::scale::outcome::Outcome;
use sim::rng::derive;
use sim::time::Micros;

/// Nodes of a small pool, to compare with the largest one.
pub(super) const SMALL: usize = 1_000;

/// A job: the difference from mainnet's pool.
#[derive(Clone, Copy, Debug)]
enum Job {
    Nodes(usize, u64),
    Dials(usize),
    Degree(usize),
    Shares(u32),
    Interval(u32),
    Switch(u64),
    Churn(u64),
}

/// The results of all pools.
#[derive(Debug)]
pub(super) struct Runs {
    /// By number of nodes.
    pub sizes: Vec<Outcome>,
    /// By number of peers that a node dials.
    pub dials: Vec<(usize, Outcome)>,
    /// By intended degree of the mesh.
    pub degrees: Vec<(usize, Outcome)>,
    /// By shares per link.
    pub shares: Vec<(u32, Outcome)>,
    /// By seconds between links.
    pub intervals: Vec<(u32, Outcome)>,
    /// By milliseconds until devices switch to new work.
    pub switches: Vec<(u64, Outcome)>,
    /// By minutes that a node stays before it leaves for a tenth of that time.
    pub churns: Vec<(u64, Outcome)>,
}

/// The size of the runs.
struct Scope {
    /// Nodes and simulated seconds.
    sizes: &'static [(usize, u64)],
    /// Nodes and simulated seconds for varying degrees and shares.
    middle: (usize, u64),
    /// Nodes and links for varying intervals and switch times.
    races: (usize, u64),
    /// Nodes and simulated seconds with churn.
    churn: (usize, u64),
}

const STANDARD: Scope = Scope {
    sizes: &[(90_000, 3_600), (10_000, 3_600), (SMALL, 3_600), (100, 3_600)],
    middle: (10_000, 600),
    races: (2_000, 300),
    churn: (10_000, 1_800),
};

const REDUCED: Scope = Scope {
    sizes: &[(10_000, 60), (SMALL, 300), (100, 600)],
    middle: (1_000, 120),
    races: (300, 60),
    churn: (500, 600),
};

/// Numbers of connections that a node opens itself, up to the maximum.
const DIALS: [usize; 4] = [4, 8, 16, 48];
const DEGREES: [usize; 4] = [4, 6, 8, 12];
const SHARES: [u32; 8] = [1, 2, 4, 8, 16, 32, 64, 128];
const INTERVALS_S: [u32; 6] = [1, 2, 5, 10, 20, 30];
const SWITCHES_MS: [u64; 6] = [0, 100, 500, 1_000, 2_000, 5_000];
const CHURNS_MIN: [u64; 2] = [480, 60];

impl Runs {
    /// Simulates all pools. The largest come first, so that no thread is left with them at the end.
    pub(super) fn new(effort: Effort, seed: u64, progress: Progress<'_>) -> Self {
        let scope = effort.size.pick(STANDARD, REDUCED);
        let jobs = jobs(&scope);
        let outcomes = effort.run(&jobs, |job| job.setup(&scope, seed).run(), progress);
        let mut runs = Self {
            sizes: Vec::new(),
            dials: Vec::new(),
            degrees: Vec::new(),
            shares: Vec::new(),
            intervals: Vec::new(),
            switches: Vec::new(),
            churns: Vec::new(),
        };
        for (job, outcome) in jobs.into_iter().zip(outcomes) {
            match job {
                Job::Nodes(..) => runs.sizes.push(outcome),
                Job::Dials(dials) => runs.dials.push((dials, outcome)),
                Job::Degree(aim) => runs.degrees.push((aim, outcome)),
                Job::Shares(shares) => runs.shares.push((shares, outcome)),
                Job::Interval(interval_s) => runs.intervals.push((interval_s, outcome)),
                Job::Switch(switch_ms) => runs.switches.push((switch_ms, outcome)),
                Job::Churn(minutes) => runs.churns.push((minutes, outcome)),
            }
        }
        runs.sizes.sort_by_key(|outcome| outcome.nodes);
        runs
    }

    /// Returns the pool with the most nodes.
    pub(super) fn largest(&self) -> &Outcome {
        self.sizes.last().expect("there are several sizes")
    }
}

fn jobs(scope: &Scope) -> Vec<Job> {
    let sizes = scope.sizes.iter().map(|(nodes, secs)| Job::Nodes(*nodes, *secs));
    sizes
        .chain(CHURNS_MIN.map(Job::Churn))
        .chain(SHARES.map(Job::Shares))
        .chain(DIALS.map(Job::Dials))
        .chain(DEGREES.map(Job::Degree))
        .chain(INTERVALS_S.map(Job::Interval))
        .chain(SWITCHES_MS.map(Job::Switch))
        .collect()
}

impl Job {
    fn setup(self, scope: &Scope, seed: u64) -> Setup {
        let main = |(nodes, secs): (usize, u64), purpose: &str, index: u64| {
            Setup::main(nodes, Micros::from_secs(secs), derive(seed, purpose, index))
        };
        let (race_nodes, race_links) = scope.races;
        match self {
            Self::Nodes(nodes, secs) => main((nodes, secs), "scale nodes", nodes as u64),
            Self::Dials(dials) => main((race_nodes, scope.middle.1), "scale dials", dials as u64).dialing(dials),
            Self::Degree(aim) => {
                Setup { rules: MeshRules::with_aim(aim), ..main(scope.middle, "scale degree", aim as u64) }
            }
            Self::Shares(shares) => {
                Setup { shares_per_link: f64::from(shares), ..main(scope.middle, "scale shares", u64::from(shares)) }
            }
            Self::Interval(interval_s) => {
                let pool = (race_nodes, race_links * u64::from(interval_s));
                Setup { link_interval_s: f64::from(interval_s), ..main(pool, "scale interval", u64::from(interval_s)) }
            }
            Self::Switch(switch_ms) => {
                let setup = main((race_nodes, race_links * 10), "scale switch", switch_ms);
                Setup { switch: Micros::from_millis(switch_ms), ..setup }
            }
            Self::Churn(minutes) => {
                let up = Micros::from_secs(minutes * 60);
                let churn = Some(Churn { up, down: Micros(up.0 / 10) });
                Setup { churn, ..main(scope.churn, "scale churn", minutes) }
            }
        }
    }
}
