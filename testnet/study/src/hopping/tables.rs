//! Tables and plots of hopping.

use super::cadence::Act;
use super::search::KINDS;
use super::{Answer, Counted, Question, Results};
use crate::models::pay::units::DAY_S;
use crate::result::{Axis, Cell, Mark, Plot, Point, Series, Table};

pub(super) fn tables(results: &Results) -> Vec<Table> {
    vec![of_cadences(results), of_chance(results), of_changes(results)]
}

fn table<const N: usize>(caption: &str, columns: [&str; N], rows: Vec<Vec<Cell>>) -> Table {
    Table { caption: caption.to_owned(), columns: columns.map(str::to_owned).to_vec(), rows }
}

fn of_cadences(results: &Results) -> Table {
    let row = |(question, answer): &(Question, Answer)| {
        let cadence = &answer.climbed.cadence;
        vec![
            Cell::text(&question.pool),
            Cell::number(100.0 * question.case.part, 0),
            Cell::text(question.kind.name),
            Cell::number(100.0 * answer.searched.best.gain, 2),
            Cell::text(answer.searched.best.cadence.text()),
            Cell::number(100.0 * answer.climbed.gain, 2),
            Cell::text(cadence.text()),
            Cell::number(100.0 * (1.0 - cadence.part(Act::Away)), 0),
            Cell::number(cadence.period_s() / DAY_S, 1),
            Cell::number(f64::from(u32::try_from(answer.tried).unwrap_or(u32::MAX)), 0),
        ]
    };
    table(
        "The best cadences found: gain per hash over what a hash is due. Small pools have windows that end by their \
         proofs, in version 1 by their rows; those of 10 and 100 EH/s end by their weight.",
        [
            "pool",
            "miner's part, %",
            "kind",
            "best pair, gain, %",
            "pair",
            "after the climb, gain, %",
            "cadence",
            "mines, % of the time",
            "period, days",
            "cadences tried",
        ],
        results.answers.iter().map(row).collect(),
    )
}

fn of_chance(results: &Results) -> Table {
    let row = |(part, gain): &(f64, crate::stats::Estimate)| {
        vec![Cell::number(100.0 * part, 0), Cell::estimate(gain.times(100.0), 2)]
    };
    table(
        "The best cadences of a pool of 1 PH/s again, link by link at main's rate with chance: shares, links and Bitcoin \
         blocks come at random times.",
        ["miner's part, %", "gain per hash, %"],
        results.again.iter().map(row).collect(),
    )
}

fn of_changes(results: &Results) -> Table {
    let row = |(change, before): &(super::Change, super::Before)| {
        let stated = |stated: Option<f64>| stated.map_or_else(|| Cell::text(""), |stated| Cell::number(stated, 2));
        vec![
            Cell::text(change.name),
            Cell::number(before.hour, 3),
            stated(change.last_stated),
            Cell::number(before.day, 3),
            Cell::number(before.window, 3),
            stated(change.window_stated),
        ]
    };
    table(
        "Pay per hash of the work before a change, as a part of what it is due when it is done, in a pool of 1 PH/s. \
         Stated figures leave the age of the snapshot out.",
        [
            "change",
            "last hour",
            "stated for the last hash",
            "last day",
            "last window (7.6 days)",
            "stated for the last window",
        ],
        results.changes.iter().map(row).collect(),
    )
}

pub(super) fn plots(results: &Results) -> Vec<Plot> {
    let is_shown = |question: &Question| match question.case.counted {
        Counted::Proofs => question.is_in_question,
        Counted::Rows { others } => others == 30.0 && question.kind != KINDS[0],
    };
    let line = |(question, answer): &(Question, Answer)| Series {
        name: format!("{}, {:.0}%, {}", question.pool, 100.0 * question.case.part, question.kind.name),
        points: answer.searched.by_first.iter().map(|(hours, gain)| Point::exact(hours / 24.0, 100.0 * gain)).collect(),
    };
    vec![Plot {
        caption:
            "The most that a miner gains per hash, by how long it mines at a time; the time away is the best of all \
                  tried."
                .to_owned(),
        x: Axis { label: "days at a time".to_owned(), log: true },
        y: Axis { label: "gain per hash, %".to_owned(), log: false },
        series: results.answers.iter().filter(|(question, _)| is_shown(question)).map(line).collect(),
        marks: vec![Mark { name: "0.5%".to_owned(), y: 100.0 * super::TARGET }],
    }]
}
