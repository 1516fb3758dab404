//! Tables and plots of large pools.

use super::runs::Runs;
use super::{mean, upload_part};
use crate::models::scale::histogram::Histogram;
use crate::models::scale::outcome::{Outcome, Traffic};
use crate::models::scale::wave::Kind;
use crate::models::scale::wire::{Sizes, Weight};
use crate::result::{Axis, Cell, Mark, Plot, Point, Series, Table};
use crate::stats::{Estimate, as_f64, quantile};
use sim::transport::LineKind;

/// Bytes per kilobyte, the unit of bandwidth.
const KILO: f64 = 1_000.0;

pub(super) fn all(runs: &Runs) -> Vec<Table> {
    vec![
        sizes_of_messages(),
        propagation(runs),
        lines(runs.largest()),
        parts(runs.largest()),
        dials(runs),
        varied("By the degree that the mesh aims at (lower and upper bound in proportion)", "degree", &runs.degrees),
        varied("By shares a link, links every 10 s", "shares a link", &runs.shares),
        races("By seconds between links, 32 shares each, devices switch after 0.5 s", "interval, s", &runs.intervals),
        races("By milliseconds until devices switch to new work, links every 10 s", "switch, ms", &runs.switches),
        churn(runs),
    ]
}

pub(super) fn table(caption: impl Into<String>, columns: &[&str], rows: Vec<Vec<Cell>>) -> Table {
    Table { caption: caption.into(), columns: columns.iter().map(|&head| head.to_owned()).collect(), rows }
}

fn whole(value: impl Into<f64>) -> Cell {
    Cell::number(value.into(), 0)
}

fn sizes_of_messages() -> Table {
    let sizes = Sizes::main();
    let row = |name: &str, bytes: u32, weight: Weight| {
        vec![Cell::text(name), whole(bytes), whole(weight.stream), whole(weight.line), whole(weight.back)]
    };
    let gossip = |name, bytes| row(name, bytes, Weight::of_gossip(bytes));
    let exchange = |name, bytes| row(name, bytes, Weight::of_exchange(bytes));
    table(
        "What messages weigh: encoded, as TCP counts it, on the line, and acknowledgements the other way",
        &["message", "encoded, B", "TCP stream, B", "line, B", "acknowledged by, B"],
        vec![
            gossip("share", sizes.share),
            gossip("link that lists 32", sizes.link_of(32)),
            gossip("link that lists 1,024", sizes.link_of(1_024)),
            row("news of 10 messages (IHAVE)", 0, Weight::of_ihave(10)),
            exchange("question for the tip", sizes.tip.0),
            exchange("answer", sizes.tip.1),
            exchange("question for unlisted shares", sizes.pending.0),
            exchange("answer with 48 ids", sizes.pending.1 + 48 * sizes.id),
        ],
    )
}

fn seconds(histogram: &Histogram) -> [Cell; 3] {
    [0.5, 0.9, 0.99].map(|part| arrived(histogram, part))
}

/// Returns the seconds that a part of the arrivals did not exceed, or a dash if there are none.
pub(super) fn arrived(histogram: &Histogram, part: f64) -> Cell {
    if histogram.total() == 0 { Cell::text("-") } else { Cell::number(histogram.quantile_s(part), 2) }
}

/// Returns the part of links that lost a race, with its binomial interval.
pub(super) fn stale(outcome: &Outcome) -> Estimate {
    let (part, links) =
        (outcome.stale_links(), as_f64(usize::try_from(outcome.made[1]).unwrap_or(usize::MAX)).max(1.0));
    let half = 1.96 * (part * (1.0 - part) / links).sqrt();
    Estimate { mean: part, low: (part - half).max(0.0), high: (part + half).min(1.0) }.times(100.0)
}

fn propagation(runs: &Runs) -> Table {
    let row = |outcome: &Outcome| {
        let mut row = vec![whole(as_f64(outcome.nodes)), whole(outcome.duration.as_secs_f64())];
        row.extend(seconds(&outcome.all_arrivals(Kind::Share)));
        row.extend(seconds(&outcome.all_arrivals(Kind::Link)));
        row.push(Cell::number(outcome.copies[0], 2));
        row.push(Cell::number(outcome.iwant * 100.0, 1));
        row.push(Cell::estimate(stale(outcome), 1));
        row.push(Cell::number(mean(outcome, |of| of.sum().up) / KILO, 1));
        row
    };
    table(
        "By number of nodes: seconds until a part of all nodes has judged a message; copies that come to a node; messages \
         that come once more because news of them was faster; links that lost a race; what a node sends on average",
        &[
            "nodes",
            "simulated, s",
            "share p50, s",
            "p90, s",
            "p99, s",
            "link p50, s",
            "p90, s",
            "p99, s",
            "copies",
            "IWANT, %",
            "links that lost, %",
            "sent, kB/s",
        ],
        runs.sizes.iter().map(row).collect(),
    )
}

/// Returns the bytes per second of nodes with one kind of line: mean, and the value that 95% stay below.
fn spread(outcome: &Outcome, kind: LineKind, of: fn(&Traffic) -> f64) -> (f64, f64) {
    let all: Vec<f64> = outcome.traffic.iter().filter(|traffic| traffic.kind == kind).map(of).collect();
    (all.iter().sum::<f64>() / as_f64(all.len().max(1)), quantile(&all, 0.95))
}

fn lines(outcome: &Outcome) -> Table {
    let row = |kind: &LineKind| {
        let up = spread(outcome, *kind, |of| of.sum().up);
        let down = spread(outcome, *kind, |of| of.sum().down);
        let reached = |message: Kind, part: f64| {
            let histogram = outcome.arrivals[message as usize].iter().find(|(of, _)| of == kind).map(|(_, of)| of);
            histogram.map_or(Cell::text("-"), |histogram| arrived(histogram, part))
        };
        vec![
            Cell::text(format!("{kind:?}")),
            Cell::number(up.0 / KILO, 1),
            Cell::number(up.1 / KILO, 1),
            Cell::number(down.0 / KILO, 1),
            Cell::number(down.1 / KILO, 1),
            Cell::number(upload_part(outcome, *kind) * 100.0, 2),
            reached(Kind::Share, 0.5),
            reached(Kind::Share, 0.99),
            reached(Kind::Link, 0.99),
        ]
    };
    table(
        format!("By kind of line, {} nodes: bytes on the line, and when messages arrive there", outcome.nodes),
        &[
            "line",
            "sent, kB/s",
            "p95, kB/s",
            "received, kB/s",
            "p95, kB/s",
            "of its upload, p95, %",
            "share p50, s",
            "share p99, s",
            "link p99, s",
        ],
        LineKind::ALL.iter().map(row).collect(),
    )
}

fn parts(outcome: &Outcome) -> Table {
    let control = outcome.control;
    let others = mean(outcome, |of| of.control.up) - control.sum().up;
    let rows = [
        ("shares", mean(outcome, |of| of.shares.up)),
        ("links with their lists", mean(outcome, |of| of.links.up)),
        ("news of messages (IHAVE), each second", control.ihave.up),
        ("tips, each 10 s and peer", control.tips.up),
        ("unlisted shares, each 30 s and peer", control.pending.up),
        ("pings, each 15 s and peer", control.pings.up),
        ("messages asked for (IWANT, named as unlisted)", others),
    ];
    let sum: f64 = rows.iter().map(|(_, bytes)| bytes).sum();
    let row = |(name, bytes): (&str, f64)| {
        vec![Cell::text(name), Cell::number(bytes / KILO, 2), Cell::number(bytes / sum * 100.0, 1)]
    };
    let peers = mean(outcome, |of| as_f64(of.peers.0));
    let members = mean(outcome, |of| as_f64(of.peers.1));
    table(
        format!(
            "What a node sends, mean of {} nodes with {peers:.1} peers, {members:.1} of them in the mesh",
            outcome.nodes
        ),
        &["what", "kB/s", "%"],
        rows.map(row).into_iter().chain([row(("all", sum))]).collect(),
    )
}

fn dials(runs: &Runs) -> Table {
    let row = |(dials, outcome): &(usize, Outcome)| {
        let kilo = |bytes: f64| Cell::number(bytes / KILO, 2);
        let control = &outcome.control;
        vec![
            whole(as_f64(*dials)),
            Cell::number(mean(outcome, |of| as_f64(of.peers.0)), 1),
            Cell::number(mean(outcome, |of| as_f64(of.peers.1)), 1),
            Cell::number(outcome.copies[0], 2),
            kilo(control.ihave.up),
            kilo(control.tips.up),
            kilo(control.pending.up),
            kilo(control.pings.up),
            kilo(mean(outcome, |of| of.sum().up)),
            arrived(&outcome.all_arrivals(Kind::Share), 0.99),
        ]
    };
    let nodes = runs.dials.first().map_or(0, |(_, outcome)| outcome.nodes);
    table(
        format!("What peers cost, by how many a node dials; {nodes} nodes"),
        &[
            "dials",
            "peers",
            "in the mesh",
            "copies",
            "IHAVE, kB/s",
            "tips, kB/s",
            "unlisted shares, kB/s",
            "pings, kB/s",
            "sent, kB/s",
            "share p99, s",
        ],
        runs.dials.iter().map(row).collect(),
    )
}

fn varied<K: Copy + Into<Number>>(caption: &str, head: &str, all: &[(K, Outcome)]) -> Table {
    let row = |(key, outcome): &(K, Outcome)| {
        vec![
            whole((*key).into().0),
            Cell::number(mean(outcome, |of| as_f64(of.peers.1)), 1),
            Cell::number(outcome.copies[0], 2),
            Cell::number(mean(outcome, |of| of.sum().up) / KILO, 1),
            Cell::number(upload_part(outcome, LineKind::Dsl) * 100.0, 1),
            arrived(&outcome.all_arrivals(Kind::Share), 0.99),
            arrived(&outcome.all_arrivals(Kind::Link), 0.99),
            whole(outcome.weights[1].line),
            Cell::number(outcome.pending, 0),
        ]
    };
    let nodes = all.first().map_or(0, |(_, outcome)| outcome.nodes);
    table(
        format!("{caption}; {nodes} nodes"),
        &[
            head,
            "peers in the mesh",
            "copies",
            "sent, kB/s",
            "of a 2 Mbit/s line, p95, %",
            "share p99, s",
            "link p99, s",
            "link on the line, B",
            "unlisted shares",
        ],
        all.iter().map(row).collect(),
    )
}

fn races<K: Copy + Into<Number>>(caption: &str, head: &str, all: &[(K, Outcome)]) -> Table {
    let row = |(key, outcome): &(K, Outcome)| {
        vec![
            whole((*key).into().0),
            whole(as_f64(usize::try_from(outcome.made[1]).unwrap_or(usize::MAX))),
            Cell::estimate(stale(outcome), 1),
            arrived(&outcome.all_arrivals(Kind::Link), 0.5),
            Cell::number(outcome.listing_s, 1),
            Cell::number(outcome.held[0] * 1e6, 1),
            Cell::number(outcome.held[1] * 1e6, 1),
            Cell::number(outcome.fetched * 1e6, 1),
            Cell::number(mean(outcome, |of| of.sum().up) / KILO, 1),
        ]
    };
    let nodes = all.first().map_or(0, |(_, outcome)| outcome.nodes);
    table(
        format!("{caption}; {nodes} nodes. Links that lose a race earn as shares"),
        &[
            head,
            "links",
            "links that lost, %",
            "link p50, s",
            "until a share is listed, s",
            "shares held, ppm",
            "links held, ppm",
            "fetched, ppm",
            "sent, kB/s",
        ],
        all.iter().map(row).collect(),
    )
}

fn churn(runs: &Runs) -> Table {
    let row = |(minutes, outcome): &(u64, Outcome)| {
        let arrivals = [Kind::Share, Kind::Link].map(|kind| outcome.all_arrivals(kind).total());
        let all = as_f64(usize::try_from(arrivals[0] + arrivals[1]).unwrap_or(usize::MAX));
        let missed = as_f64(usize::try_from(outcome.missed[0] + outcome.missed[1]).unwrap_or(usize::MAX));
        let (leaves, bytes) = outcome.churn;
        let count = |value: u64| as_f64(usize::try_from(value).unwrap_or(usize::MAX));
        vec![
            whole(as_f64(usize::try_from(*minutes).unwrap_or(usize::MAX))),
            whole(count(leaves)),
            Cell::number(missed / all * 1e6, 1),
            Cell::number(outcome.held[0] * 1e6, 1),
            Cell::number(outcome.fetched * 1e6, 1),
            Cell::estimate(stale(outcome), 1),
            Cell::number(count(bytes) / count(leaves).max(1.0) / 1e6, 2),
            Cell::number(count(bytes) / outcome.duration.as_secs_f64() / as_f64(outcome.nodes) / KILO, 2),
        ]
    };
    let nodes = runs.churns.first().map_or(0, |(_, outcome)| outcome.nodes);
    table(
        format!(
            "Nodes that leave, and come back after a tenth of the time that they stayed, on average; {nodes} nodes"
        ),
        &[
            "stay, min",
            "times one left",
            "not reached by gossip, ppm",
            "shares held, ppm",
            "fetched, ppm",
            "links that lost, %",
            "fetched at a return, MB",
            "a node, kB/s",
        ],
        runs.churns.iter().map(row).collect(),
    )
}

/// A key of a table as a number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(f64);

impl From<u32> for Number {
    fn from(value: u32) -> Self {
        Self(f64::from(value))
    }
}

impl From<usize> for Number {
    fn from(value: usize) -> Self {
        Self(as_f64(value))
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self(as_f64(usize::try_from(value).unwrap_or(usize::MAX)))
    }
}

pub(super) fn plots(runs: &Runs) -> Vec<Plot> {
    let axis = |label: &str, log| Axis { label: label.to_owned(), log };
    let reach = |name: &str, kind: Kind, part: f64| {
        let point =
            |outcome: &Outcome| Point::exact(as_f64(outcome.nodes), outcome.all_arrivals(kind).quantile_s(part));
        Series { name: name.to_owned(), points: runs.sizes.iter().map(point).collect() }
    };
    let sent = |name: &str, of: fn(&Traffic) -> f64| {
        let point =
            |(shares, outcome): &(u32, Outcome)| Point::exact(f64::from(*shares), mean(outcome, of) * 8.0 / 1e3);
        Series { name: name.to_owned(), points: runs.shares.iter().map(point).collect() }
    };
    vec![
        Plot {
            caption: "Time until a part of all nodes has judged a message".to_owned(),
            x: axis("nodes", true),
            y: axis("time, s", false),
            series: vec![
                reach("shares, half of the nodes", Kind::Share, 0.5),
                reach("shares, 99%", Kind::Share, 0.99),
                reach("links, half of the nodes", Kind::Link, 0.5),
                reach("links, 99%", Kind::Link, 0.99),
            ],
            marks: Vec::new(),
        },
        Plot {
            caption: "What a node sends by shares a link, a link every 10 s".to_owned(),
            x: axis("shares a link", true),
            y: axis("sent, kbit/s", false),
            series: vec![
                sent("all", |of| of.sum().up),
                sent("shares", |of| of.shares.up),
                sent("links", |of| of.links.up),
                sent("everything else", |of| of.control.up),
            ],
            marks: vec![Mark { name: "a quarter of a 2 Mbit/s line".to_owned(), y: 500.0 }],
        },
    ]
}
