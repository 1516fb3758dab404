//! The same with an attacker who is there from the node's first second.

use super::super::jobs::{Effort, Progress};
use super::super::result::{Axis, Cell, Experiment, Finding, Mark, Plot, Point, Series, Table};
use super::super::stats::as_f64;
use super::world::{self, Begins, LIFE_H};
use super::{Counts, TARGET, TARGET_GROUPS, percent};
use p2p_proto::limits::RECORD_LIFE_S_MAX;
use sim::rng::derive;

/// Restarts of one node. Honest nodes tell no records that have expired, so a world lasts for less than a week.
const RESTARTS: usize = 14;

const _: () = assert!(2 * 24 + RESTARTS * (LIFE_H + 2) < RECORD_LIFE_S_MAX as usize / 3_600);

/// What was counted at one number of netgroups: at first starts, and at restarts.
#[derive(Clone, Copy, Debug, Default)]
struct Row {
    groups: usize,
    starts: Counts,
    restarts: Counts,
}

/// Runs the experiment.
#[must_use]
pub fn run(effort: Effort, seed: u64, progress: Progress<'_>) -> Experiment {
    let groups = effort.size.pick(vec![8, 32, 128], vec![32]);
    let worlds = effort.size.pick(22, 1);
    let restarts = effort.size.pick(RESTARTS, 4);
    let jobs: Vec<(usize, u64)> =
        groups.iter().flat_map(|groups| (0..worlds).map(move |world| (*groups, world))).collect();
    let work =
        |(groups, world): &(usize, u64)| world::run(*groups, derive(seed, "eclipse", *world), restarts, Begins::First);
    let found = effort.run(&jobs, work, progress);
    let row = |groups: &usize| {
        let mut row = Row { groups: *groups, ..Row::default() };
        for (_, [start, restarts]) in jobs.iter().zip(&found).filter(|((of, _), _)| of == groups) {
            row.starts.add(*start);
            row.restarts.add(*restarts);
        }
        row
    };
    let rows: Vec<Row> = groups.iter().map(row).collect();
    Experiment {
        id: "eclipse-first".to_owned(),
        title: "A first start among hostile nodes".to_owned(),
        question: "How likely is it that a node has only hostile outbound peers if an attacker is there before the \
                   node knows any nodes but its seeds?"
            .to_owned(),
        method: vec![
            "The world, the node, and the attacker are those of the experiment `eclipse`. The attacker's 48 connections \
             stand, and have told what the node takes, before one of its three honest seeds answers."
                .to_owned(),
            "Honest nodes, the seeds among them, answer from a real address book: that of a node that was attacked for a day. \
             Outbound peers are counted five minutes after the first start, and after 14 restarts in each of 22 worlds, the \
             first of them after a day."
                .to_owned(),
        ],
        findings: findings(&rows),
        tables: vec![table(&rows)],
        plots: vec![plot(&rows)],
        seed,
    }
}

fn findings(rows: &[Row]) -> Vec<Finding> {
    let finding = |row: &Row| {
        let both = [row.starts, row.restarts];
        let [starts, restarts] = both.map(|counts| format!("{} of {}", counts.eclipsed, counts.restarts));
        Finding {
            claim: format!("With {TARGET_GROUPS} hostile netgroups, no first start and no restart is eclipsed"),
            measured: format!("{starts} first starts, and {restarts} restarts"),
            holds: Some(both.iter().all(|counts| counts.eclipsed == 0)),
        }
    };
    rows.iter().find(|row| row.groups == TARGET_GROUPS).map(finding).into_iter().collect()
}

fn table(rows: &[Row]) -> Table {
    let row = |row: &Row| {
        let mut cells = vec![Cell::number(as_f64(row.groups), 0)];
        for counts in [row.starts, row.restarts] {
            cells.extend([
                Cell::number(as_f64(counts.restarts), 0),
                percent(counts.eclipsed, counts.restarts),
                percent(counts.hostile, counts.peers),
                Cell::number(as_f64(counts.hostile_max), 0),
            ]);
        }
        cells.push(percent(row.restarts.known_hostile, row.restarts.known));
        cells
    };
    Table {
        caption: "An attacker who is there from the first second".to_owned(),
        columns: [
            "hostile netgroups",
            "first starts",
            "eclipsed, %",
            "hostile peers, %",
            "most hostile of 16",
            "restarts",
            "eclipsed after them, %",
            "hostile peers after them, %",
            "most hostile of 16 after them",
            "hostile entries, %",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: rows.iter().map(row).collect(),
    }
}

fn plot(rows: &[Row]) -> Plot {
    let line = |name: &str, part: fn(&Row) -> (usize, usize)| Series {
        name: name.to_owned(),
        points: rows
            .iter()
            .map(|row| {
                let (part, of) = part(row);
                Point::exact(as_f64(row.groups), 100.0 * as_f64(part) / as_f64(of.max(1)))
            })
            .collect(),
    };
    Plot {
        caption: "Eclipsed restarts and hostile peers, by the netgroups of an attacker who is there first".to_owned(),
        x: Axis { label: "hostile netgroups".to_owned(), log: true },
        y: Axis { label: "%".to_owned(), log: false },
        series: vec![
            line("first starts: hostile peers", |row| (row.starts.hostile, row.starts.peers)),
            line("restarts: hostile peers", |row| (row.restarts.hostile, row.restarts.peers)),
            line("restarts: eclipsed", |row| (row.restarts.eclipsed, row.restarts.restarts)),
        ],
        marks: vec![Mark { name: "target".to_owned(), y: 100.0 * TARGET }],
    }
}
