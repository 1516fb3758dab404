//! Surges and collapses of hashrate.

use serde::{Deserialize, Serialize};
use sharechain::Work;

use super::retarget::Retarget;
use super::settling::{Settling, TOLERANCE};
use crate::jobs::{Effort, Progress, Size};
use crate::result::{Axis, Cell, Finding, Mark, Plot, Point, Series, Table};
use crate::rivals::cases::pool;
use crate::rivals::measure_shoal;
use crate::stats::{Estimate, as_f64, quantile};
use sim::full::{self, SimNode};
use sim::ids::NodeId;
use sim::rng::{derive, stream};
use sim::scenario::{Fault, Scenario};
use sim::time::Micros;
use sim::world::World;

/// Number of consecutive samples that must be on time: ten minutes.
const STAYS: usize = 10;

/// Seconds between samples.
const SAMPLE_S: f64 = 60.0;

/// Seconds before the surge.
const BEFORE_S: f64 = 1_800.0;

/// Hashes per second before the surge: ten hashes per share, so that a hundred times as many can still be done for
/// real.
const HASHRATE_HS: f64 = 32.0;

/// Number of nodes.
const NODES: u32 = 8;

/// A surge, and the collapse at its end, which undoes it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Run {
    factor: f64,
    surge_s: f64,
    after_s: f64,
}

/// A sample of the world's state.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Sample {
    at_s: f64,
    /// Expected seconds of the next link.
    expected_s: f64,
    /// Proofs found per second since the last sample.
    proofs_per_s: f64,
    /// Bytes per second that a node received since the last sample, mean over nodes.
    received_per_s: f64,
    /// Largest number of held proofs on any node.
    held: usize,
}

/// The result of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Story {
    run: Run,
    samples: Vec<Sample>,
    /// Part of the work lost that was found during the surge, and after it.
    lost: [f64; 2],
}

/// The results of all runs.
pub(super) struct Surges {
    stories: Vec<Story>,
    /// Settling of the classic rules: name, factor, one result per run.
    classic: Vec<(&'static str, f64, Vec<Settling>)>,
}

/// Describes this part of the experiment for its reader.
pub(super) fn method() -> Vec<String> {
    vec![format!(
        "Surges and collapses: eight nodes in cities; after half an hour the hashrate of all grows by a factor, and some \
         time later falls back to what it was. Links come in time again from when the next one is expected within a \
         factor of {TOLERANCE} of its interval and stays so for ten minutes. Load is what nodes receive, and what they \
         hold back. The classic rules are followed without a network, shares drawn one after the other: their times are \
         those of the retarget alone."
    )]
}

/// Returns all runs.
pub(super) fn runs(size: Size) -> Vec<Run> {
    size.pick(
        vec![
            Run { factor: 10.0, surge_s: 3_600.0, after_s: 7_200.0 },
            Run { factor: 100.0, surge_s: 5_400.0, after_s: 28_800.0 },
        ],
        vec![Run { factor: 10.0, surge_s: 3_000.0, after_s: 4_800.0 }],
    )
}

impl Surges {
    pub(super) fn run(runs: &[Run], effort: Effort, seed: u64, progress: Progress<'_>) -> Self {
        let numbered: Vec<(u64, Run)> = (0..).zip(runs.iter().copied()).collect();
        let play = |(number, run): &(u64, Run)| {
            let seed = derive(seed, "surge", *number);
            effort.once("surge", &format!("{seed} {run:?}"), || run.play(seed))
        };
        let stories = effort.run(&numbered, play, progress);
        let mut classic = Vec::new();
        for factor in runs.iter().flat_map(|run| [run.factor, 1.0 / run.factor]) {
            for (rules, retarget) in Retarget::ALL {
                let mut rng = stream(seed, rules.name, factor.to_bits());
                let settlings = (0..effort.size.pick(20, 5)).map(|_| retarget.settles(&rules, factor, &mut rng));
                classic.push((rules.name, factor, settlings.collect()));
            }
        }
        Self { stories, classic }
    }

    pub(super) fn tables(&self) -> Vec<Table> {
        vec![self.settling_table(), self.load_table()]
    }

    fn settling_table(&self) -> Table {
        let names = Retarget::ALL.map(|(rules, _)| rules.name);
        let columns = ["hashrate", "Shoal, min"].map(String::from).into_iter();
        let columns = columns.chain(names.iter().map(|name| format!("{name}, min"))).collect();
        let rows = self.stories.iter().flat_map(|story| {
            let factor = story.run.factor;
            let changes = [(factor, story.surge_settles()), (1.0 / factor, story.collapse_settles())];
            changes.map(|(factor, settling)| {
                let classic = names.iter().map(|name| self.classic_cell(name, factor));
                let head = [Cell::text(factor_text(factor)), minutes(settling.after_s)];
                head.into_iter().chain(classic).collect()
            })
        });
        let rows = rows.collect();
        Table { caption: "Minutes until links, or shares of a classic chain, come in time again".into(), columns, rows }
    }

    fn classic_cell(&self, name: &str, factor: f64) -> Cell {
        let of = self.classic.iter().find(|(other, at, _)| *other == name && at.to_bits() == factor.to_bits());
        let after_s: Option<Vec<f64>> =
            of.and_then(|(_, _, settlings)| settlings.iter().map(|settling| settling.after_s).collect());
        after_s
            .map_or_else(|| Cell::text("never"), |after_s| Cell::estimate(Estimate::of(&after_s).times(1.0 / 60.0), 0))
    }

    fn load_table(&self) -> Table {
        let columns = [
            "hashrate",
            "proofs found a second, most in a minute",
            "a node receives, kB/s, most in a minute",
            "a node holds back, most",
            "work lost of what is found during the surge, %",
            "after it, %",
        ];
        let row = |story: &Story| {
            let most = |of: fn(&Sample) -> f64| story.samples.iter().map(of).fold(0.0, f64::max);
            vec![
                Cell::text(factor_text(story.run.factor)),
                Cell::number(most(|sample| sample.proofs_per_s), 1),
                Cell::number(most(|sample| sample.received_per_s) / 1e3, 0),
                Cell::number(most(|sample| as_f64(sample.held)), 0),
                Cell::number(100.0 * story.lost[0], 2),
                Cell::number(100.0 * story.lost[1], 2),
            ]
        };
        Table {
            caption: "Shoal: load during a surge, and what is lost".into(),
            columns: columns.map(String::from).to_vec(),
            rows: self.stories.iter().map(row).collect(),
        }
    }

    pub(super) fn plots(&self) -> Vec<Plot> {
        let series = |of: fn(&Sample) -> f64| {
            let line = move |story: &Story| Series {
                name: format!("hashrate {}, and back", factor_text(story.run.factor)),
                points: story.samples.iter().map(|sample| Point::exact(sample.at_s / 60.0, of(sample))).collect(),
            };
            self.stories.iter().map(line).collect()
        };
        let x = || Axis { label: "time, minutes".into(), log: false };
        vec![
            Plot {
                caption: "Shoal: how long the next link is expected to take, through a surge and its end".into(),
                x: x(),
                y: Axis { label: "expected seconds to the next link".into(), log: true },
                series: series(|sample| sample.expected_s),
                marks: vec![Mark { name: "interval".into(), y: 10.0 }],
            },
            Plot {
                caption: "Shoal: what a node receives meanwhile".into(),
                x: x(),
                y: Axis { label: "bytes a second".into(), log: true },
                series: series(|sample| sample.received_per_s.max(1.0)),
                marks: Vec::new(),
            },
        ]
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        let told = |settling: Settling, lasts_s: f64| {
            settling.after_s.map_or_else(
                || format!("not within the {:.0} min that it lasts", lasts_s / 60.0),
                |after_s| format!("after {:.0} min", after_s / 60.0),
            )
        };
        let of = |story: &Story| {
            let (factor, run) = (story.run.factor, story.run);
            let changes =
                [(factor, story.surge_settles(), run.surge_s), (1.0 / factor, story.collapse_settles(), run.after_s)];
            changes.map(|(factor, settling, lasts_s)| Finding {
                claim: format!("Links come in time again with the hashrate {}", factor_text(factor)),
                measured: told(settling, lasts_s),
                holds: None,
            })
        };
        self.stories.iter().flat_map(of).collect()
    }
}

impl Run {
    fn scenario(self) -> Scenario {
        let mut scenario = pool(1.0 / f64::from(NODES), NODES - 1, BEFORE_S + self.surge_s + self.after_s);
        scenario.pool.hashrate_hs = HASHRATE_HS;
        scenario.faults.push(Fault::Hashrate {
            at_s: BEFORE_S,
            for_s: Some(self.surge_s),
            factor: self.factor,
            miners: None,
        });
        scenario
    }

    fn play(self, seed: u64) -> Story {
        let scenario = self.scenario();
        let mut world = full::build(&scenario, seed).expect("honest miners are known");
        let (mut samples, mut before) = (Vec::new(), (0, 0));
        let mut at_s = 0.0;
        while at_s < scenario.duration_s {
            at_s = (at_s + SAMPLE_S).min(scenario.duration_s);
            world.run(Micros::from_secs_f64(at_s));
            samples.extend(look(&world, at_s, &mut before));
        }
        let lost = [(BEFORE_S, BEFORE_S + self.surge_s), (BEFORE_S + self.surge_s, scenario.duration_s - 600.0)];
        let lost = lost.map(|(from_s, to_s)| {
            let when = Micros::from_secs_f64(from_s)..Micros::from_secs_f64(to_s);
            measure_shoal(&world, &scenario, seed, &when).sum(|_| true).loss()
        });
        Story { run: self, samples, lost }
    }
}

/// Takes a sample. `before` holds the proofs found, and the bytes received by all nodes, up to the last one.
fn look(world: &World<SimNode>, at_s: f64, before: &mut (usize, u64)) -> Option<Sample> {
    let hashrate_hs: f64 = world.schedule.miners().iter().map(|miner| miner.hashrate_hs).sum();
    let received =
        (0..world.nodes.len()).map(|node| world.schedule.transport().traffic(NodeId::of(node)).received_bytes);
    let now = (world.environment.ledger.finds().len(), received.sum::<u64>());
    let chains = || world.nodes.iter().filter_map(SimNode::chain);
    let chain = chains().max_by_key(|chain| chain.height())?;
    let sample = Sample {
        at_s,
        expected_s: hashes(chain.link(&chain.tip())?.position.link_target) / hashrate_hs,
        proofs_per_s: as_f64(now.0 - before.0) / SAMPLE_S,
        #[expect(clippy::cast_precision_loss, reason = "bytes of a minute")]
        received_per_s: (now.1 - before.1) as f64 / SAMPLE_S / as_f64(world.nodes.len()),
        held: chains().map(sharechain::Chain::held_len).max().unwrap_or(0),
    };
    *before = now;
    Some(sample)
}

/// Returns the average number of hashes for a target.
#[expect(clippy::cast_precision_loss, reason = "53 bits are plenty")]
fn hashes(target: sharechain::U256) -> f64 {
    Work::of_target(target).0.saturating_to::<u128>() as f64
}

impl Story {
    fn surge_settles(&self) -> Settling {
        self.settles(BEFORE_S, BEFORE_S + self.run.surge_s)
    }

    fn collapse_settles(&self) -> Settling {
        self.settles(BEFORE_S + self.run.surge_s, f64::INFINITY)
    }

    /// Returns how a change settles if no other follows until `to_s`.
    fn settles(&self, from_s: f64, to_s: f64) -> Settling {
        let after: Vec<&Sample> = self.samples.iter().filter(|at| at.at_s > from_s && at.at_s <= to_s).collect();
        let in_time = |sample: &&Sample| sample.expected_s < 10.0 * TOLERANCE && sample.expected_s > 10.0 / TOLERANCE;
        let settled = after.windows(STAYS).find(|window| window.iter().all(in_time));
        let fastest = after.iter().map(|sample| 1.0 / sample.expected_s).collect::<Vec<_>>();
        Settling {
            after_s: settled.and_then(|window| window.first()).map(|sample| sample.at_s - from_s),
            busiest_per_s: quantile(&fastest, 1.0),
        }
    }
}

fn minutes(seconds: Option<f64>) -> Cell {
    seconds.map_or_else(|| Cell::text("not within the run"), |seconds| Cell::number(seconds / 60.0, 0))
}

fn factor_text(factor: f64) -> String {
    if factor >= 1.0 { format!("x{factor:.0}") } else { format!("/{:.0}", 1.0 / factor) }
}
