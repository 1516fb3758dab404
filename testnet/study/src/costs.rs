//! What it costs today to undo an hour, to fool a newcomer, and to force or block an upgrade: in hashes, as hours of the
//! pool's own hashrate. Prices change; these figures do not.
//!
//! Depths come from the constants of the code, and the hashrates around upgrades from its own counting of signals.

use node_core::limits::WORK_BITCOIN_BLOCKS;
use sharechain::limits::{CONFLICT_BITCOIN_BLOCKS, NEWCOMER_DEPTH, PROOF_BYTES_MAX, SETTLED_LINKS, SIDE_LINKS_MAX};
use sharechain::signals::{CARRYING_PERIODS, ENOUGH_PERIODS, PERIOD_LINKS, Signals};
use sharechain::{ChainParams, Height, Work};

use super::jobs::{Effort, Progress};
use super::result::{Cell, Experiment, Finding, Table};
use super::stats::as_f64;
use crate::models::pay::units::{BLOCK_INTERVAL_S, EXA, PETA, to_f64};

/// The bit that the miners want, as a mask.
const BIT: u32 = 1;

/// By how much a branch must outgain the others to undo what is settled (policy, protocol §12).
const OUTGAINS: f64 = 1.1;

/// A link that the node stores takes at least one part in this many of a link's work: a sixteenth of a share's (SC-101).
const PLAUSIBLE: u32 = 512;

const HOUR_S: f64 = 3_600.0;

/// A cost.
#[derive(Clone, Debug)]
struct Cost {
    what: &'static str,
    how: String,
    /// Hours of the pool's own hashrate. `None` if the cost does not depend on the pool.
    pool_hours: Option<f64>,
    /// Hashes, if the cost does not depend on the pool.
    hashes: f64,
    /// Whether the cost recurs each hour.
    hourly: bool,
}

/// Hashrates around upgrades, as multiples of that of the rest of the pool.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Upgrades {
    /// Forces a bit that nobody else sets, at the quickest.
    force: f64,
    /// Forces it over 240 periods.
    force_slowly: f64,
    /// Blocks the quick way when everyone else sets the bit.
    block_quick: f64,
    /// Blocks both ways.
    block: f64,
    /// Blocks both ways by one period in each [`CARRYING_PERIODS`].
    burst: f64,
}

/// Returns whether the bit is ever active, if period after period this part of the links sets it.
fn is_activated(parts: impl Fn(u32) -> f64, periods: u32) -> bool {
    let mut signals = Signals::default();
    for period in 0..periods {
        let part = parts(period);
        for link in 0..PERIOD_LINKS {
            let until = |links: u32| (part * f64::from(links)).floor();
            let sets = until(link + 1) > until(link);
            signals = signals.after(Height(period * PERIOD_LINKS + link + 1), if sets { BIT } else { 0 });
        }
        if signals.too_old().is_some() {
            return true;
        }
    }
    false
}

/// Returns the least hashrate that does it, up to 20 times the rest of the pool.
fn least(does: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 20.0);
    // To a thousandth.
    while high - low > 1e-3 {
        let middle = (low + high) / 2.0;
        if does(middle) { high = middle } else { low = middle }
    }
    high
}

impl Upgrades {
    fn measure() -> Self {
        let quick = 2 * u32::try_from(CARRYING_PERIODS).unwrap_or(u32::MAX);
        let slow = 2 * u32::from(ENOUGH_PERIODS);
        let sets = |times: f64| times / (1.0 + times);
        let against = |times: f64| 1.0 / (1.0 + times);
        let bursts =
            |times: f64| move |period: u32| if period.is_multiple_of(quick / 2) { against(times) } else { 1.0 };
        Self {
            force: least(|times| is_activated(|_| sets(times), quick)),
            force_slowly: least(|times| is_activated(|_| sets(times), slow)),
            block_quick: least(|times| !is_activated(|_| against(times), quick)),
            block: least(|times| !is_activated(|_| against(times), slow)),
            burst: least(|times| !is_activated(bursts(times), slow)),
        }
    }
}

impl Cost {
    /// A cost in hours of the pool's hashrate, once.
    const fn once(what: &'static str, how: String, pool_hours: f64) -> Self {
        Self { what, how, pool_hours: Some(pool_hours), hashes: 0.0, hourly: false }
    }

    /// The same for each hour that the attack lasts.
    const fn each_hour(what: &'static str, how: String, times: f64) -> Self {
        Self { what, how, pool_hours: Some(times), hashes: 0.0, hourly: true }
    }

    /// A cost that does not depend on the pool.
    const fn of_hashes(what: &'static str, how: String, hashes: f64) -> Self {
        Self { what, how, pool_hours: None, hashes, hourly: false }
    }
}

fn costs(upgrades: &Upgrades) -> Vec<Cost> {
    [of_branches(), of_upgrades(upgrades)].concat()
}

fn of_branches() -> Vec<Cost> {
    let params = ChainParams::main();
    let hour = f64::from(SETTLED_LINKS * params.link_interval_s) / HOUR_S;
    let visible = f64::from(CONFLICT_BITCOIN_BLOCKS) * BLOCK_INTERVAL_S / HOUR_S;
    let newcomer = f64::from(WORK_BITCOIN_BLOCKS) * BLOCK_INTERVAL_S / HOUR_S;
    let floor = Work::of_target(params.easiest_share_target).to_hashes_saturating_u128();
    let side_links = as_f64(SIDE_LINKS_MAX) / f64::from(PLAUSIBLE) * f64::from(params.link_interval_s) / HOUR_S;
    vec![
        Cost::once("undo the last hour, before it is settled", "a heavier branch, shown at once".into(), hour),
        Cost::once(
            "undo an hour that is settled",
            format!(
                "its work again, then {OUTGAINS} times the pool's for {CONFLICT_BITCOIN_BLOCKS} Bitcoin blocks, in public"
            ),
            hour + OUTGAINS * visible,
        ),
        Cost::once(
            "fool a newcomer that has one honest peer",
            format!("more work than the pool did in {WORK_BITCOIN_BLOCKS} Bitcoin blocks, for all newcomers at once"),
            newcomer,
        ),
        Cost::of_hashes(
            "fool a newcomer that has only hostile peers and no checkpoint",
            format!("{NEWCOMER_DEPTH} links at the floor, once, for all such newcomers"),
            f64::from(NEWCOMER_DEPTH) * to_f64(floor),
        ),
        Cost::once(
            "fill a node's room for side links",
            format!(
                "{SIDE_LINKS_MAX} links of 1/{PLAUSIBLE} of a link's work each take {:.1} MB at most, and more take nothing",
                as_f64(SIDE_LINKS_MAX * PROOF_BYTES_MAX) / 1e6
            ),
            side_links,
        ),
        Cost::of_hashes("stop the nodes' miners", "not by a claim, a burst or a bit".into(), f64::INFINITY),
    ]
}

fn of_upgrades(upgrades: &Upgrades) -> Vec<Cost> {
    let period_h = f64::from(PERIOD_LINKS * ChainParams::main().link_interval_s) / HOUR_S;
    let quick = 2.0 * period_h * as_f64(CARRYING_PERIODS);
    let slow = 2.0 * period_h * f64::from(ENOUGH_PERIODS);
    let always = |times: f64| format!("{:.0}% of the rest of the pool, always", 100.0 * times);
    let for_days = |times: f64, hours: f64| {
        format!("{times:.1} times the rest of the pool, for {:.1} days, in public", hours / 24.0)
    };
    vec![
        Cost::once("force an upgrade, at the quickest", for_days(upgrades.force, quick), upgrades.force * quick),
        Cost::once("force an upgrade, slowly", for_days(upgrades.force_slowly, slow), upgrades.force_slowly * slow),
        Cost::each_hour(
            "delay to eight weeks an upgrade that all others want",
            always(upgrades.block_quick),
            upgrades.block_quick,
        ),
        Cost::each_hour("block it for as long as that lasts", always(upgrades.block), upgrades.block),
        Cost::each_hour(
            "the same by bursts",
            format!(
                "{:.2} times the rest of the pool, for one period of {period_h:.1} hours in each {CARRYING_PERIODS}",
                upgrades.burst
            ),
            upgrades.burst / as_f64(CARRYING_PERIODS),
        ),
    ]
}

/// Runs the experiment.
#[must_use]
pub fn run(_effort: Effort, seed: u64, progress: Progress<'_>) -> Experiment {
    let upgrades = Upgrades::measure();
    progress(1, 1);
    let costs = costs(&upgrades);
    Experiment {
        id: "costs".to_owned(),
        title: "What the attacks that remain cost".to_owned(),
        question: "What does it cost today to undo an hour, to fool a newcomer, and to force or block an upgrade?"
            .to_owned(),
        method: vec![
            "Costs are hours of the pool's own hashrate: as many hashes as the whole pool does in that time. They \
             grow with the pool, and do not depend on the price of hashrate. Most of the work of an upgrade's burst \
             is paid as shares, so its miner loses less than that; work on a branch that undoes others is paid once \
             it wins. Depths are the constants of the code. Hashrates around upgrades are the lowest at which the \
             code's own count of signals, link by link, activates a bit or blocks it, to a thousandth. Links keep \
             their interval, because targets follow."
                .to_owned(),
        ],
        findings: findings(&costs, &upgrades),
        tables: vec![table(&costs)],
        plots: Vec::new(),
        seed,
    }
}

fn findings(costs: &[Cost], upgrades: &Upgrades) -> Vec<Finding> {
    let is_told = |cost: &&Cost| !cost.hourly && cost.pool_hours.is_some_and(|hours| hours > 1.0);
    let told = costs.iter().filter(is_told).filter_map(|cost| {
        Some(Finding {
            claim: format!("To {}", cost.what),
            measured: format!("{} hours of the pool's hashrate: {}", three(cost.pool_hours?), cost.how),
            holds: None,
        })
    });
    let burst = Finding {
        claim: "To break a series of good periods, a burst must be as large as the rest of the pool".to_owned(),
        measured: format!("{:.2} times, in one period of each {CARRYING_PERIODS}", upgrades.burst),
        holds: Some(upgrades.burst >= 0.99),
    };
    told.chain([burst]).collect()
}

fn table(costs: &[Cost]) -> Table {
    let unit = |cost: &Cost, name: &str| if cost.hourly { format!("{name} each hour") } else { name.to_owned() };
    let row = |cost: &Cost| {
        let of = |pool_hs: f64, prefix: f64, name: &str| match cost.pool_hours {
            Some(hours) => format!("{} {}", three(hours * pool_hs / prefix), unit(cost, name)),
            None if cost.hashes.is_infinite() => "no amount".to_owned(),
            None => format!("{:.0e} hashes: {}", cost.hashes, time(cost.hashes / pool_hs)),
        };
        vec![
            Cell::text(cost.what),
            Cell::text(&cost.how),
            cost.pool_hours.map_or_else(
                || Cell::text(""),
                |hours| Cell::text(format!("{}{}", three(hours), if cost.hourly { " each hour" } else { "" })),
            ),
            Cell::text(of(PETA, PETA, "PH/s h")),
            Cell::text(of(EXA, EXA, "EH/s h")),
        ]
    };
    let columns = ["to", "how", "hours of the pool's hashrate", "with a pool of 1 PH/s", "with a pool of 1 EH/s"];
    Table {
        caption: "What attacks on a pool cost. 1 PH/s h is an hour of 1 PH/s: 3.6e18 hashes".to_owned(),
        columns: columns.map(str::to_owned).to_vec(),
        rows: costs.iter().map(row).collect(),
    }
}

/// Returns a number with about three significant digits.
fn three(value: f64) -> String {
    let digits = match value {
        _ if value >= 100.0 => 0,
        _ if value >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$}")
}

fn time(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms of it", 1e3 * seconds) } else { format!("{seconds:.0} s of it") }
}

#[cfg(test)]
mod tests;
