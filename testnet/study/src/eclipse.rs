//! Whether a node that restarts has only hostile peers, by simulation on the real address book and the real choice of
//! whom to dial, beside a book without buckets.
//!
//! ```text
//! first.rs   the same with an attacker who is there from the node's first second
//! world.rs   honest nodes that come and go, an attacker, and a node that restarts again and again
//! naive.rs   a book without buckets, sources, anchors, and netgroups
//! ```

mod first;
mod naive;
#[cfg(test)]
mod tests;
mod world;

use super::jobs::{Effort, Progress};
use super::result::{Axis, Cell, Experiment, Finding, Mark, Plot, Point, Series, Table};
use super::stats::as_f64;
pub use first::run as run_first;
use sim::rng::derive;
use world::Begins;

/// Chance of an eclipse that must not be exceeded, and the netgroups of the attacker for which that must hold.
const TARGET: f64 = 0.001;
const TARGET_GROUPS: usize = 32;

/// Restarts of one node, hours apart. Signatures older than 30 days would no longer count.
const RESTARTS_A_WORLD: usize = 20;

/// A world to simulate.
#[derive(Clone, Copy, Debug)]
struct Job {
    groups: usize,
    world: u64,
}

/// What was counted over some restarts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Restarts.
    restarts: usize,
    /// Restarts after which all outbound peers were hostile.
    eclipsed: usize,
    /// Outbound peers, and how many of them were hostile.
    peers: usize,
    hostile: usize,
    /// Most hostile peers after one restart.
    hostile_max: usize,
    /// Entries of the book, and how many of them were hostile.
    known: usize,
    known_hostile: usize,
}

impl Counts {
    fn count(&mut self, peers: usize, hostile: usize) {
        self.restarts += 1;
        self.peers += peers;
        self.hostile += hostile;
        self.hostile_max = self.hostile_max.max(hostile);
        self.eclipsed += usize::from(peers > 0 && hostile == peers);
    }

    fn add(&mut self, other: Self) {
        self.restarts += other.restarts;
        self.eclipsed += other.eclipsed;
        self.peers += other.peers;
        self.hostile += other.hostile;
        self.hostile_max = self.hostile_max.max(other.hostile_max);
        self.known += other.known;
        self.known_hostile += other.known_hostile;
    }

    fn chance(&self) -> f64 {
        as_f64(self.eclipsed) / as_f64(self.restarts.max(1))
    }
}

/// What was counted at one number of netgroups, with the book and with the naive one.
#[derive(Clone, Copy, Debug)]
struct Row {
    groups: usize,
    book: Counts,
    naive: Counts,
}

/// Runs the experiment.
#[must_use]
pub fn run(effort: Effort, seed: u64, progress: Progress<'_>) -> Experiment {
    let groups = effort.size.pick(vec![8, 16, 32, 64, 128, 256], vec![32]);
    let worlds = effort.size.pick(50, 1);
    let jobs: Vec<Job> =
        groups.iter().flat_map(|groups| (0..worlds).map(|world| Job { groups: *groups, world })).collect();
    let restarts = effort.size.pick(RESTARTS_A_WORLD, 4);
    let work = |job: &Job| {
        (
            world::run(job.groups, derive(seed, "eclipse", job.world), restarts, Begins::Later)[1],
            naive::run(job.groups, derive(seed, "eclipse", job.world), restarts),
        )
    };
    let found = effort.run(&jobs, work, progress);
    let row = |groups: &usize| {
        let mut row = Row { groups: *groups, book: Counts::default(), naive: Counts::default() };
        for (_, (book, naive)) in jobs.iter().zip(&found).filter(|(job, _)| job.groups == *groups) {
            row.book.add(*book);
            row.naive.add(*naive);
        }
        row
    };
    let rows: Vec<Row> = groups.iter().map(row).collect();
    Experiment {
        id: "eclipse".to_owned(),
        title: "Restarts among hostile nodes".to_owned(),
        question:
            "How likely is it that a node that restarts has only hostile outbound peers, if an attacker floods it \
                   with the records of its own nodes?"
                .to_owned(),
        method: method(),
        findings: findings(&rows),
        tables: vec![table(&rows)],
        plots: vec![plot(&rows)],
        seed,
    }
}

fn method() -> Vec<String> {
    vec![
        "1,000 honest nodes in up to 500 netgroups, of which 70% are online; they stay online for a day on average. The \
         attacker has nodes in 8 to 256 other netgroups, up to 256 in each, which are always online, accept every \
         connection, and answer with records of the attacker alone. They hold 48 inbound connections to the node and tell \
         it new records as fast as it takes them. Honest nodes answer with as many hostile records as the node itself would, \
         since they are flooded as well."
            .to_owned(),
        "The node starts with three honest seeds and an empty book. After an hour the attacker knows it, and attacks from then \
         on. It runs for a day, is \
         killed, and starts again an hour later from its book: 20 times in each world, six hours apart. Five minutes after each restart its \
         outbound peers are counted. What decides is p2p-proto's own Discovery and Book, with every second of that hour and \
         minute simulated. Inbound connections of honest nodes do not count, although they would help."
            .to_owned(),
        "The naive book keeps as many records as the real one and replaces random ones; it takes each record that it hears, \
         and dials any, without regard to netgroups, until 16 connections stand. Before this book, a node had no peers but \
         those that its owner typed."
            .to_owned(),
    ]
}

fn findings(rows: &[Row]) -> Vec<Finding> {
    let at_target = rows.iter().find(|row| row.groups == TARGET_GROUPS);
    let finding = |row: &Row| Finding {
        claim: format!("With {TARGET_GROUPS} hostile netgroups, less than 0.1% of the restarts are eclipsed"),
        measured: format!(
            "{} of {} restarts; {} of {} with the naive book",
            row.book.eclipsed, row.book.restarts, row.naive.eclipsed, row.naive.restarts
        ),
        holds: Some(row.book.chance() < TARGET),
    };
    at_target.map(finding).into_iter().collect()
}

fn percent(part: usize, of: usize) -> Cell {
    Cell::number(100.0 * as_f64(part) / as_f64(of.max(1)), 1)
}

fn table(rows: &[Row]) -> Table {
    Table {
        caption: "Restarts with only hostile peers".to_owned(),
        columns: [
            "hostile netgroups",
            "restarts",
            "naive: eclipsed, %",
            "naive: hostile peers, %",
            "book: eclipsed, %",
            "book: hostile peers, %",
            "book: most hostile of 16",
            "book: hostile entries, %",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: rows
            .iter()
            .map(|row| {
                vec![
                    Cell::number(as_f64(row.groups), 0),
                    Cell::number(as_f64(row.book.restarts), 0),
                    percent(row.naive.eclipsed, row.naive.restarts),
                    percent(row.naive.hostile, row.naive.peers),
                    percent(row.book.eclipsed, row.book.restarts),
                    percent(row.book.hostile, row.book.peers),
                    Cell::number(as_f64(row.book.hostile_max), 0),
                    percent(row.book.known_hostile, row.book.known),
                ]
            })
            .collect(),
    }
}

fn plot(rows: &[Row]) -> Plot {
    let line = |name: &str, part: fn(&Row) -> f64| Series {
        name: name.to_owned(),
        points: rows.iter().map(|row| Point::exact(as_f64(row.groups), part(row))).collect(),
    };
    Plot {
        caption: "Restarts with only hostile peers, and hostile peers, by the attacker's netgroups".to_owned(),
        x: Axis { label: "hostile netgroups".to_owned(), log: true },
        y: Axis { label: "%".to_owned(), log: false },
        series: vec![
            line("naive: eclipsed", |row| 100.0 * row.naive.chance()),
            line("book: eclipsed", |row| 100.0 * row.book.chance()),
            line("book: hostile peers", |row| 100.0 * as_f64(row.book.hostile) / as_f64(row.book.peers.max(1))),
        ],
        marks: vec![Mark { name: "target".to_owned(), y: 100.0 * TARGET }],
    }
}
