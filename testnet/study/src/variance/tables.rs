//! Tables and plots of histories.

use sharechain::ChainParams;

use super::SIZES;
use super::central::Even;
use super::history::{GroupHistory, History};
use super::spread::{Pays, variation};
use crate::models::pay::miners::Miners;
use crate::models::pay::pool::window_s;
use crate::models::pay::units::{BLOCK_WORK, DAY_S, MONTH_S, PETA, TERA, Worth, YEAR_S, to_f64};
use crate::result::{Axis, Cell, Plot, Point, Series, Table};
use crate::stats::Estimate;

/// The quantiles in the tables.
const QUANTILES: [f64; 3] = [0.05, 0.5, 0.95];

/// The results of one pool.
pub(super) struct Measured<'a> {
    pub(super) name: &'static str,
    pub(super) histories: Vec<History>,
    miners: &'a Miners,
    window_s: f64,
    worth: Worth,
}

impl<'a> Measured<'a> {
    pub(super) fn new(name: &'static str, miners: &'a Miners, params: &ChainParams) -> Self {
        let worth = Worth::of(miners.hashrate(), params);
        Self { name, histories: Vec::new(), miners, window_s: window_s(miners, params), worth }
    }

    /// Returns the sizes of miners in this pool, with their names. A size is the number of its group.
    pub(super) fn sizes(&self) -> impl Iterator<Item = (usize, &'static str)> + '_ {
        let has = |hashrate: f64| self.miners.groups().any(|(_, group)| group.hashrate.total_cmp(&hashrate).is_eq());
        SIZES.iter().enumerate().filter(move |(_, (_, hashrate))| has(*hashrate)).map(|(size, (name, _))| (size, *name))
    }

    fn of_group(&self, group: usize) -> impl Iterator<Item = &GroupHistory> {
        self.histories.iter().filter_map(move |history| history.groups.get(group))
    }

    fn estimate(&self, group: usize, of: impl Fn(&GroupHistory) -> f64) -> Estimate {
        Estimate::of(&self.of_group(group).map(of).collect::<Vec<_>>())
    }

    /// Returns pay over due, without the noise of the pool's luck.
    pub(super) fn mean_pay(&self, group: usize) -> Estimate {
        self.estimate(group, |history| history.paid_of_due)
    }

    /// Returns the payments per year of one miner.
    pub(super) fn payments_per_year(&self, group: usize) -> Estimate {
        self.estimate(group, |history| history.payments_per_year)
    }

    fn variation(&self, group: usize, of: impl Fn(&GroupHistory) -> &Pays) -> Estimate {
        variation(&self.of_group(group).map(of).collect::<Vec<_>>())
    }

    fn joined(&self, group: usize, of: impl Fn(&GroupHistory) -> &Pays) -> Pays {
        Pays::joined(self.of_group(group).map(of))
    }

    fn row(&self, group: usize, hashrate: f64) -> Vec<Cell> {
        let payments = self.payments_per_year(group);
        let months = self.joined(group, |history| &history.months);
        let years = self.joined(group, |history| &history.years);
        let mut row = vec![
            Cell::text(format!("this pool, {}", self.name)),
            number(self.worth.share_work / hashrate / DAY_S),
            number(YEAR_S / DAY_S / payments.mean),
            Cell::estimate(self.mean_pay(group), 3),
            Cell::estimate(self.variation(group, |history| &history.months), 2),
        ];
        row.extend(QUANTILES.map(|part| Cell::number(months.quantile(part), 2)));
        row.push(Cell::estimate(self.variation(group, |history| &history.years), 2));
        row.extend(QUANTILES.map(|part| Cell::number(years.quantile(part), 2)));
        row.push(Cell::number(100.0 * years.unpaid(), 1));
        row
    }
}

/// Returns a row of exactly known values.
fn exact_row(name: String, credits_days: Option<f64>, even: Even) -> Vec<Cell> {
    let (month, year) = even.variations();
    let credits = credits_days.map_or_else(|| Cell::text("none"), number);
    let mut row = vec![Cell::text(name), credits, number(even.days_between()), Cell::number(1.0, 3)];
    row.push(Cell::number(month, 2));
    row.extend(QUANTILES.map(|part| Cell::number(even.quantile(MONTH_S, part), 2)));
    row.push(Cell::number(year, 2));
    row.extend(QUANTILES.map(|part| Cell::number(even.quantile(YEAR_S, part), 2)));
    row.push(Cell::number(100.0 * even.unpaid_year(), 1));
    row
}

/// Returns one table for each size of miner, and one of the pools.
pub(super) fn tables(measured: &[Measured<'_>]) -> Vec<Table> {
    let mut tables: Vec<Table> = SIZES.iter().enumerate().map(|(size, _)| of_size(size, measured)).collect();
    tables.push(of_pools(measured));
    tables
}

fn of_size(size: usize, measured: &[Measured<'_>]) -> Table {
    let (name, hashrate) = SIZES.get(size).copied().unwrap_or(("", 1.0));
    let fitting = || measured.iter().filter(|pool| pool.sizes().any(|(known, _)| known == size));
    let mut rows = vec![exact_row("alone".to_owned(), None, Even::blocks_of(hashrate))];
    rows.extend(fitting().map(|pool| pool.row(size, hashrate)));
    let central_days = Even::per_share().days_between();
    rows.extend(fitting().map(|pool| {
        let blocks = Even::blocks_of(pool.miners.hashrate());
        exact_row(format!("central, shares its blocks, {}", pool.name), Some(central_days), blocks)
    }));
    rows.push(exact_row("central, pays per share".to_owned(), Some(central_days), Even::per_share()));
    Table {
        caption: format!(
            "A miner with {name}. Pay is relative to what is due: 1 is fair. Spread is the standard deviation; quantiles \
             say below what 5%, half and 95% of the months or years lie."
        ),
        columns: [
            "how",
            "days between credits",
            "days between payments",
            "pay, mean",
            "month: spread",
            "5%",
            "50%",
            "95%",
            "year: spread",
            "5%",
            "50%",
            "95%",
            "years without pay, %",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows,
    }
}

fn of_pools(measured: &[Measured<'_>]) -> Table {
    let row = |pool: &Measured<'_>| {
        let blocks_per_day = pool.miners.hashrate() / to_f64(BLOCK_WORK) * DAY_S;
        vec![
            Cell::text(pool.name),
            number(1.0 / blocks_per_day),
            number(pool.worth.share_work / TERA),
            number(pool.window_s / DAY_S),
            number(pool.window_s / DAY_S * blocks_per_day),
        ]
    };
    Table {
        caption: "The pools. A window ends at its weight in large pools and at its proofs in small ones.".to_owned(),
        columns: ["pool", "days between blocks", "work of a share, TH", "window, days", "blocks expected in a window"]
            .map(str::to_owned)
            .to_vec(),
        rows: measured.iter().map(row).collect(),
    }
}

/// Returns a number with three significant digits or more.
fn number(value: f64) -> Cell {
    let digits = match value {
        _ if value >= 100.0 => 0,
        _ if value >= 10.0 => 1,
        _ if value >= 1.0 => 2,
        _ if value >= 0.01 => 4,
        _ => 6,
    };
    Cell::number(value, digits)
}

/// Plots the spread of a year's pay against the size of the miner: solo, in this pool, and centrally.
pub(super) fn plots(measured: &[Measured<'_>]) -> Vec<Plot> {
    let sizes = || [0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1_000.0].map(|petas| petas * PETA);
    let line = |name: &str, of: &dyn Fn(f64) -> f64| Series {
        name: name.to_owned(),
        points: sizes().map(|hashrate| Point::exact(hashrate / TERA, of(hashrate))).to_vec(),
    };
    let mut series = vec![line("alone", &|hashrate| Even::blocks_of(hashrate).variation(YEAR_S))];
    series.extend(measured.iter().map(|pool| {
        let groups = pool.miners.groups().map(|(_, group)| group.hashrate).enumerate();
        let mut points: Vec<Point> = groups
            .map(|(group, hashrate)| Point::new(hashrate / TERA, pool.variation(group, |history| &history.years)))
            .collect();
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        Series { name: format!("this pool, {}", pool.name), points }
    }));
    series.extend(measured.last().map(|pool| {
        let blocks = Even::blocks_of(pool.miners.hashrate());
        line(&format!("central, shares its blocks, {}", pool.name), &|_| blocks.variation(YEAR_S))
    }));
    series.push(line("central, pays per share", &|_| Even::per_share().variation(YEAR_S)));
    vec![Plot {
        caption: "Spread of a year's pay against the size of the miner: 1 means that a standard deviation is a whole \
                  year's pay."
            .to_owned(),
        x: Axis { label: "hashrate of the miner, TH/s".to_owned(), log: true },
        y: Axis { label: "standard deviation of a year's pay over its mean".to_owned(), log: true },
        series,
        marks: Vec::new(),
    }]
}
