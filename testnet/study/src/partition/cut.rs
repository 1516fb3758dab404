//! Partitions.

use crate::jobs::{Effort, Progress, Size};
use crate::result::{Axis, Cell, Finding, Plot, Point, Series, Table};
use crate::rivals::Rules;
use crate::rivals::cases::{self, Case, Result, pool, within};
use crate::stats::Estimate;
use sim::scenario::Fault;
use sim::time::Micros;

/// Number of nodes, each with the same hashrate.
const NODES: u32 = 8;

/// Start of a partition, in seconds.
const BEGINS_S: f64 = 1_200.0;

/// Seconds from the end of a partition until its effects are settled: the 301 links for which a proof can be listed,
/// and more.
const SETTLE_S: f64 = 4_000.0;

/// Length of a short partition in seconds. It should lose hardly any work.
const SHORT_S: f64 = 600.0;
/// Largest acceptable loss in a short partition.
const SHORT_LOSS: f64 = 0.01;

/// Lengths in seconds so short or so long that all runs of a case agree to a tenth of a percent. Three runs show that.
const CLEAR_S: [f64; 3] = [60.0, 300.0, 7_200.0];

/// What a case measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Key {
    /// Number of nodes on the smaller side.
    small: u32,
    /// Length in seconds.
    length_s: f64,
}

/// The results of all partitions.
pub(super) struct Cuts {
    results: Vec<Result<Key>>,
}

/// Describes this part of the experiment for its reader.
pub(super) fn method() -> Vec<String> {
    vec![
        "Partitions: eight nodes with an eighth of the hashrate each, in cities, are cut into two sides for a while, \
         and reconnect by redialing. Bitcoin's blocks reach both sides. The measure is the part of the work done \
         during the partition that no miner is credited for in the end. Under the pool's rules, nodes are in \
         conflict after partitions so long that links settled, until the larger side has led for 18 Bitcoin blocks. \
         The runs end before that, so the heavier side counts as the pool. The classic rules have no such bound. \
         Five runs each, three of one, five and 120 minutes, and 20 under the classic rules."
            .into(),
    ]
}

impl Cuts {
    pub(super) fn cases(size: Size) -> Vec<Case<Key>> {
        let lengths: &[f64] = size.pick(&[60.0, 300.0, 600.0, 1_200.0, 2_400.0, 3_600.0, 7_200.0], &[600.0]);
        let smalls: &[u32] = size.pick(&[1, 2, 3], &[2]);
        let mut cases = Vec::new();
        for rules in Rules::all() {
            for (small, length_s) in smalls.iter().flat_map(|small| lengths.iter().map(move |length| (*small, *length)))
            {
                cases.push(case(Key { small, length_s }, rules, size));
            }
        }
        cases
    }

    pub(super) fn run(cases: &[Case<Key>], effort: Effort, seed: u64, progress: Progress<'_>) -> Self {
        Self { results: cases::run(cases, "partition", effort, seed, progress) }
    }

    fn of(&self, rules: Rules, small: u32) -> impl Iterator<Item = (f64, &Result<Key>)> {
        let of = move |result: &&Result<Key>| result.rules == rules && result.key.small == small;
        self.results.iter().filter(of).map(|result| (result.key.length_s, result))
    }

    fn smalls(&self) -> Vec<u32> {
        let mut smalls: Vec<u32> = self.results.iter().map(|result| result.key.small).collect();
        smalls.sort_unstable();
        smalls.dedup();
        smalls
    }

    pub(super) fn tables(&self) -> Vec<Table> {
        self.smalls().into_iter().map(|small| self.table(small)).collect()
    }

    fn table(&self, small: u32) -> Table {
        let mut columns = vec!["length, min".to_owned()];
        for rules in Rules::all() {
            columns.push(format!("{}: smaller side loses, %", rules.name()));
            columns.push(format!("{}: larger side loses, %", rules.name()));
        }
        let row = |(length_s, _): (f64, &Result<Key>)| {
            let mut row = vec![Cell::number(length_s / 60.0, 0)];
            for rules in Rules::all() {
                if let Some((_, result)) =
                    self.of(rules, small).find(|(other, _)| other.to_bits() == length_s.to_bits())
                {
                    let percent = |side| Cell::estimate(loss(result, side).times(100.0), 1);
                    row.extend([percent(0), percent(1)]);
                }
            }
            row
        };
        Table {
            caption: format!("What was found during a partition of {small} against {} nodes, and lost", NODES - small),
            columns,
            rows: self.of(Rules::Shoal, small).map(row).collect(),
        }
    }

    pub(super) fn plots(&self) -> Vec<Plot> {
        self.smalls().into_iter().map(|small| self.plot(small)).collect()
    }

    fn plot(&self, small: u32) -> Plot {
        let point = |(length_s, result): (f64, &Result<Key>)| Point::new(length_s / 60.0, loss(result, 0).times(100.0));
        let series =
            |rules: Rules| Series { name: rules.name().into(), points: self.of(rules, small).map(point).collect() };
        Plot {
            caption: format!("Work that the smaller side of a partition loses: {small} of {NODES} nodes"),
            x: Axis { label: "length, minutes".into(), log: true },
            y: Axis { label: "lost of what it found meanwhile, %".into(), log: false },
            series: Rules::all().into_iter().map(series).collect(),
            marks: Vec::new(),
        }
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        let short = |rules: Rules| {
            let of = self.results.iter().filter(move |of| of.rules == rules && of.key.length_s <= SHORT_S);
            within(of.map(|result| loss(result, 0)), SHORT_LOSS)
        };
        let told = |rules: Rules| short(rules).map(|(worst, _)| format!("{} {:.1}%", rules.name(), 100.0 * worst.mean));
        let all: Vec<String> = Rules::all().into_iter().filter_map(told).collect();
        vec![Finding {
            claim: "A partition of up to ten minutes costs the smaller side less than 1% of what it finds meanwhile"
                .into(),
            measured: format!("at worst: {}", all.join(", ")),
            holds: short(Rules::Shoal).and_then(|(_, holds)| holds),
        }]
    }
}

/// Returns the part of work found on one side that no miner is credited for. Side 0 is the smaller one.
fn loss(result: &Result<Key>, side: u8) -> Estimate {
    result.estimate(|run| run.sum(|miner| run.sides.get(miner.node) == Some(&side)).loss())
}

fn case(key: Key, rules: Rules, size: Size) -> Case<Key> {
    let Key { small, length_s } = key;
    let mut scenario = pool(1.0 / f64::from(NODES), NODES - 1, BEGINS_S + length_s + SETTLE_S);
    let part = f64::from(small) / f64::from(NODES);
    scenario.faults.push(Fault::Partition { at_s: BEGINS_S, for_s: Some(length_s), parts: vec![part, 1.0 - part] });
    let when = Micros::from_secs_f64(BEGINS_S)..Micros::from_secs_f64(BEGINS_S + length_s);
    let runs = match rules {
        Rules::Shoal if CLEAR_S.contains(&length_s) => size.pick(3, 2),
        Rules::Shoal => size.pick(5, 2),
        Rules::Classic(_) => size.pick(20, 4),
    };
    Case { key, rules, scenario, when, runs }
}
