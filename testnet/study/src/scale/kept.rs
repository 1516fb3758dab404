//! Disk and memory of a node.

use sharechain::ChainParams;

use crate::models::scale::Setup;
use crate::models::scale::churn::missed_line_bytes;
use crate::models::scale::cost::{
    Pool, disk_bytes_per_day, link_bytes, memory_bytes, miners_bytes, recent_bytes, rows_per_link, window_links,
};
use crate::models::scale::wire::Sizes;
use crate::result::{Axis, Cell, Finding, Plot, Point, Series, Table};
use crate::stats::as_f64;
use sim::time::Micros;

const MEGA: f64 = 1e6;

/// A node's memory stays below this in every pool, in bytes: a small computer has it.
const MEMORY_MAX_BYTES: f64 = 1e9;

/// Days per year.
const YEAR: f64 = 365.0;

/// Pools: name, addresses, part of Bitcoin's hashrate.
const POOLS: [(&str, Pool); 4] = [
    ("100 miners, 0.001%", Pool { miners: 100.0, part: 1e-5 }),
    ("1,000 miners, 0.1%", Pool { miners: 1e3, part: 1e-3 }),
    ("10,000 miners, 1%", Pool { miners: 1e4, part: 1e-2 }),
    ("90,000 miners, 10%", Pool { miners: 9e4, part: 0.1 }),
];

pub(super) fn tables() -> Vec<Table> {
    let params = ChainParams::main();
    let disk = disk_bytes_per_day(&params, &Sizes::main());
    let row = |(name, pool): &(&str, Pool)| {
        let memory = |days: f64| Cell::number(memory_bytes(&params, *pool, days) / MEGA, 0);
        let window_days = window_links(&params, *pool) * f64::from(params.link_interval_s) / 86_400.0;
        vec![
            Cell::text(*name),
            Cell::number(window_days, 2),
            Cell::number(rows_per_link(&params, *pool), 1),
            Cell::number(disk / MEGA, 0),
            Cell::number(link_bytes(&params, *pool), 0),
            Cell::number((recent_bytes(&params) + miners_bytes(*pool)) / MEGA, 0),
            memory(1.0),
            memory(30.0),
            memory(YEAR),
        ]
    };
    let memory = Table {
        caption:
            "Disk and memory by the pool's size. Disk is that of a node that keeps everything ([store] keep = \"all\"), and \
                  grows by the same for all, since targets follow the hashrate; one that forgets needs no more than its \
                  window (`shoal-testnet bench years`). Memory stops growing once the chain is older than its window and a \
                  day"
                .to_owned(),
        columns: [
            "pool",
            "window, days",
            "rows a link",
            "disk, MB/day",
            "kept of a link, B",
            "recent proofs and miners, MB",
            "memory after a day, MB",
            "after 30 days, MB",
            "after a year, MB",
        ]
        .map(str::to_owned)
        .into(),
        rows: POOLS.iter().map(row).collect(),
    };
    vec![memory, catch_up()]
}

/// Returns the data that a node fetches if it was away.
fn catch_up() -> Table {
    let setup = Setup::main(2, Micros::ZERO, 0);
    let row = |(name, seconds): (&str, f64)| {
        let bytes = as_f64(usize::try_from(missed_line_bytes(&setup, seconds)).unwrap_or(usize::MAX));
        vec![
            Cell::text(name),
            Cell::number(bytes / MEGA, 1),
            // 16 Mbit/s down.
            Cell::number(bytes * 8.0 / 16e6, 0),
            // 2 Mbit/s up, at the peer that serves it.
            Cell::number(bytes * 8.0 / 2e6, 0),
        ]
    };
    Table {
        caption: "What a node fetches that was away, and how long a line takes for it. After more than eight hours it starts \
                  as a newcomer does, from link headers and rows (`shoal-testnet bench sync`)"
            .to_owned(),
        columns: ["away", "fetched, MB", "at 16 Mbit/s, s", "served at 2 Mbit/s, s"].map(str::to_owned).into(),
        rows: [
            ("10 minutes", 600.0),
            ("an hour", 3_600.0),
            ("eight hours", 28_800.0),
        ]
        .map(row)
        .into(),
    }
}

pub(super) fn finding() -> Finding {
    let params = ChainParams::main();
    let most = POOLS.iter().map(|(_, pool)| memory_bytes(&params, *pool, 100.0 * YEAR)).fold(0.0, f64::max);
    Finding {
        claim: "A node's memory is bounded".to_owned(),
        measured: format!("{:.0} MB at most in these pools: links below a window and a day are forgotten", most / MEGA),
        holds: Some(most < MEMORY_MAX_BYTES),
    }
}

pub(super) fn plot() -> Plot {
    let params = ChainParams::main();
    let days = [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1_000.0];
    let series = |(name, pool): &(&str, Pool)| Series {
        name: (*name).to_owned(),
        points: days.map(|days| Point::exact(days, memory_bytes(&params, *pool, days) / MEGA)).into(),
    };
    let disk = Series {
        name: "disk of a node that keeps everything, any pool".to_owned(),
        points: days.map(|days| Point::exact(days, days * disk_bytes_per_day(&params, &Sizes::main()) / MEGA)).into(),
    };
    Plot {
        caption: "Memory and disk of a node by the age of its chain".to_owned(),
        x: Axis { label: "days".to_owned(), log: true },
        y: Axis { label: "MB".to_owned(), log: true },
        series: POOLS.iter().map(series).chain([disk]).collect(),
        marks: Vec::new(),
    }
}
