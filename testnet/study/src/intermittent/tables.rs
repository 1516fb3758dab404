//! Tables and plots of intermittent mining.

use sharechain::ChainParams;

use super::Results;
use super::hours::{HOURS, PATTERNS};
use super::pools::Day;
use crate::models::pay::units::{BLOCK_WORK, DAY_S, to_f64};
use crate::result::{Axis, Cell, Mark, Plot, Point, Series, Table};
use crate::stats::{Estimate, as_f64};

pub(super) fn tables(results: &Results) -> Vec<Table> {
    vec![of_pools(results), of_alternatives(results), of_rises(results)]
}

fn estimate(days: &[Day], of: impl Fn(&Day) -> f64) -> Estimate {
    Estimate::of(&days.iter().map(of).collect::<Vec<_>>())
}

fn columns<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

/// Returns the means over the runs, by hour. The best and worst hour come from these means, because a single run would
/// exaggerate them.
fn mean_by_hour(days: &[Day]) -> Vec<Estimate> {
    (0..HOURS)
        .map(|hour| estimate(days, |day| day.by_hour.get(hour).copied().unwrap_or(f64::NAN) / day.constant))
        .collect()
}

fn extremes(days: &[Day]) -> (Cell, Cell) {
    let mut hours = mean_by_hour(days);
    hours.sort_by(|a, b| a.mean.total_cmp(&b.mean));
    let cell = |hour: Option<&Estimate>| hour.map_or_else(|| Cell::text("none"), |hour| Cell::estimate(*hour, 4));
    (cell(hours.last()), cell(hours.first()))
}

fn of_pools(results: &Results) -> Table {
    let row = |(pool, days): &(super::Pool, Vec<Day>)| {
        let mut row = vec![Cell::text(&pool.name), Cell::number(pool.window_s() / DAY_S, 2)];
        row.extend((0..PATTERNS.len()).map(|habit| Cell::estimate(estimate(days, |day| day.ratio(habit)), 4)));
        let (best, worst) = extremes(days);
        row.extend([best, worst]);
        row
    };
    Table {
        caption:
            "Pay a hash over that of a constant miner in the same pool: 1 is fair. In a pool with solar miners, those \
                  with six hours of sun mine when they do."
                .to_owned(),
        columns: columns([
            "pool",
            "window at night, days",
            "six hours of sun",
            "cheap power, 23 to 7",
            "random half",
            "best hour",
            "worst hour",
        ]),
        rows: results.pools.iter().map(row).collect(),
    }
}

fn of_alternatives(results: &Results) -> Table {
    let chosen = ChainParams::main();
    let row = |(alternative, days): &(super::Alternative, Vec<Day>)| {
        let pool = alternative.pool();
        let (best, worst) = extremes(days);
        let is_chosen = alternative.pool().params.window_weight == chosen.window_weight
            && alternative.depth == chosen.snapshot_bitcoin_depth;
        let window_s = alternative.window_blocks * to_f64(BLOCK_WORK) / pool.hashrate;
        vec![
            Cell::number(alternative.window_blocks, 1),
            Cell::number(f64::from(alternative.depth), 0),
            Cell::text(if is_chosen { "yes" } else { "" }),
            Cell::number((pool.lag_s() + window_s) / DAY_S, 2),
            Cell::number(alternative.spread_of_stint(), 2),
            Cell::estimate(estimate(days, |day| day.ratio(0)), 4),
            best,
            worst,
        ]
    };
    Table {
        caption:
            "Windows and snapshots for a pool of 10 EH/s with 30% of solar hashrate. Full pay is reached when the \
                  window is full of a newcomer's work. The spread of pay is that of a miner who is paid exactly, for a \
                  stint much shorter than a window. What a hash of the best hour earns more is what hopping can gain."
                .to_owned(),
        columns: columns([
            "window, blocks",
            "snapshot, Bitcoin blocks",
            "chosen",
            "days to full pay",
            "spread of a stint's pay",
            "six hours of sun",
            "best hour",
            "worst hour",
        ]),
        rows: results.alternatives.iter().map(row).collect(),
    }
}

fn of_rises(results: &Results) -> Table {
    let row = |(rise, pays): &(super::Rise, Vec<super::rises::Pays>)| {
        let mean = |of: fn(&super::rises::Pays) -> f64| Estimate::of(&pays.iter().map(of).collect::<Vec<_>>());
        vec![
            Cell::text(rise.name),
            Cell::estimate(mean(|pay| pay.before), 3),
            Cell::estimate(mean(|pay| pay.during), 3),
            Cell::estimate(mean(|pay| pay.constant), 3),
        ]
    };
    Table {
        caption:
            "Pay of a hash, as a part of what is due, when the pool's hashrate changes. Windows that end at their \
                  weight pay every hash the same but for the lag of the snapshot; windows that end at their proofs pay \
                  early work more when the pool grows, and less when it shrinks."
                .to_owned(),
        columns: columns([
            "pool",
            "six hours before the change",
            "day of the change",
            "constant miner, a window before to a window after",
        ]),
        rows: results.rises.iter().map(row).collect(),
    }
}

/// Plots the worth of a hash by the hour.
pub(super) fn plots(results: &Results) -> Vec<Plot> {
    let series = results.pools.iter().filter(|(pool, _)| pool.solar > 0.0).map(|(pool, days)| Series {
        name: pool.name.clone(),
        points: mean_by_hour(days)
            .iter()
            .enumerate()
            .map(|(hour, worth)| Point::new(as_f64(hour) + 0.5, *worth))
            .collect(),
    });
    vec![Plot {
        caption: "What a hash is worth by the hour of the day, in pools of which 30% runs from 9 to 15 o'clock."
            .to_owned(),
        x: Axis { label: "hour of the day".to_owned(), log: false },
        y: Axis { label: "pay a hash over that of a constant miner".to_owned(), log: false },
        series: series.collect(),
        marks: vec![
            Mark { name: "1% more".to_owned(), y: 1.0 + super::TARGET },
            Mark { name: "1% less".to_owned(), y: 1.0 - super::TARGET },
        ],
    }]
}
