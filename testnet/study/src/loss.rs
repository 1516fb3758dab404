//! Honest share loss, and the large miner's advantage, against latency, device switch time, link interval and shares
//! per link.
//!
//! ```text
//! sweeps.rs   the parameters and their values
//! ```

mod sweeps;

use super::jobs::{Effort, Progress};
use super::result::{Axis, Cell, Experiment, Finding, Mark, Plot, Point, Series, Table};
use super::rivals::Rules;
use super::rivals::cases::{self, ONE, OTHERS, Result, as_number, within};
use super::stats::Estimate;
use sweeps::{Key, Sweep};

/// The large miner's part of the hashrate.
const LARGE: f64 = 0.3;

/// Largest acceptable loss of honest work, and largest acceptable gain of the large miner, with latency and switch
/// times of up to a second.
const LOSS_TARGET: f64 = 0.001;

/// Runs the experiment.
#[must_use]
pub fn run(effort: Effort, seed: u64, progress: Progress<'_>) -> Experiment {
    let cases = sweeps::cases(effort.size);
    let results = cases::run(&cases, "loss", effort, seed, progress);
    let mut tables: Vec<Table> = Sweep::LINES.iter().map(|sweep| table(*sweep, &results)).collect();
    tables.push(cities_table(&results));
    tables.push(constants_table(&results));
    let lines = Sweep::LINES.iter();
    let plots = lines.flat_map(|sweep| [loss_plot(*sweep, &results), gain_plot(*sweep, &results)]).collect();
    Experiment {
        id: "loss".into(),
        title: "What latency and slow devices cost, and whom".into(),
        question:
            "How much honest work is lost, and how much more does a miner with 30% of the hashrate earn per hash \
                   than the others, when messages and devices are slow?"
                .into(),
        method: method(),
        findings: findings(&results),
        tables,
        plots,
        seed,
    }
}

fn method() -> Vec<String> {
    vec![
        "The pool's own program in the simulated world, and the three classic rule sets in the same world: one miner \
         with 30% of the hashrate and seven with 10% each, each with its own node, all connected to each other. Work \
         is lost if no miner is credited for it. Under the rules with uncles, part of an uncle's credit goes to \
         another miner: that work is not lost, but it shows in the advantage."
            .into(),
        "A device works on its old job for the switch time after a new one was sent. Under the classic rules, every \
         share makes a new job, and a share found on the old one is an orphan, or an uncle if a later share can \
         still list it. The classic chains are modeled without retargeting and validation time, and push shares \
         where p2poolv2 announces them. All of this favors them."
            .into(),
        "Advantage: credit for each hash of the large miner over that of the others, minus 1. It is divided by the \
         shares and links that each happened to find, so that luck is not part of it. Intervals are 95%, over \
         independent runs."
            .into(),
    ]
}

/// Returns the large miner's credit over due, divided by that of the others, minus 1.
fn gain(result: &Result<Key>) -> Estimate {
    result.estimate(|run| {
        let (large, others) = (run.sum(|miner| miner.group == ONE), run.sum(|miner| miner.group == OTHERS));
        large.rate() / others.rate() - 1.0
    })
}

fn loss(result: &Result<Key>) -> Estimate {
    result.estimate(|run| run.sum(|_| true).loss())
}

fn of_sweep<'a>(
    sweep: Sweep,
    rules: &Rules,
    results: &'a [Result<Key>],
) -> impl Iterator<Item = (f64, &'a Result<Key>)> {
    let rules = *rules;
    results.iter().filter(move |result| result.rules == rules).filter_map(move |result| match result.key {
        Key::Line(of, x) if of == sweep => Some((x, result)),
        _ => None,
    })
}

fn table(sweep: Sweep, results: &[Result<Key>]) -> Table {
    let mut columns = vec![sweep.label().to_owned()];
    for rules in Rules::all() {
        columns.push(format!("{}: lost, %", rules.name()));
        columns.push(format!("{}: large miner's advantage, %", rules.name()));
    }
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for (x, _) in of_sweep(sweep, &Rules::Shoal, results) {
        let mut row = vec![Cell::number(x, 2)];
        for rules in Rules::all() {
            let at_x = of_sweep(sweep, &rules, results).find(|(other, _)| other.to_bits() == x.to_bits());
            if let Some((_, result)) = at_x {
                row.extend([percent(loss(result)), percent(gain(result))]);
            }
        }
        rows.push(row);
    }
    Table { caption: format!("Work lost, and the large miner's advantage, by {}", sweep.label()), columns, rows }
}

fn cities_table(results: &[Result<Key>]) -> Table {
    let columns = ["rules", "lost, %", "large miner's advantage, %", "proofs found"].map(String::from).to_vec();
    let row = |result: &Result<Key>| {
        let proofs = as_number(result.proofs());
        vec![Cell::text(result.rules.name()), percent(loss(result)), percent(gain(result)), Cell::number(proofs, 0)]
    };
    let rows = results.iter().filter(|result| result.key == Key::Cities).map(row).collect();
    let caption =
        "Nodes in cities drawn by where miners live, on fibre, with devices that switch in half a second".into();
    Table { caption, columns, rows }
}

fn constants_table(results: &[Result<Key>]) -> Table {
    let columns = [
        "link interval, s",
        "shares a link",
        "one-way latency",
        "lost, %",
        "large miner's advantage, %",
        "proofs found",
    ];
    let row = |result: &Result<Key>| {
        let Key::Constants { interval_s, shares, latency_s } = result.key else { return None };
        Some(vec![
            Cell::number(interval_s, 0),
            Cell::number(shares, 0),
            latency_s.map_or_else(|| Cell::text("cities"), |latency_s| Cell::text(format!("{latency_s} s"))),
            percent(loss(result)),
            percent(gain(result)),
            Cell::number(as_number(result.proofs()), 0),
        ])
    };
    Table {
        caption: "Shoal with other link intervals and numbers of shares a link; devices switch in half a second".into(),
        columns: columns.map(String::from).to_vec(),
        rows: results.iter().filter_map(row).collect(),
    }
}

fn loss_plot(sweep: Sweep, results: &[Result<Key>]) -> Plot {
    plot(sweep, results, "Work lost", "work lost, %", loss)
}

fn gain_plot(sweep: Sweep, results: &[Result<Key>]) -> Plot {
    plot(sweep, results, "Advantage of a miner with 30% of the hashrate", "advantage, %", gain)
}

fn plot(sweep: Sweep, results: &[Result<Key>], what: &str, label: &str, of: fn(&Result<Key>) -> Estimate) -> Plot {
    let series = Rules::all().into_iter().map(|rules| Series {
        name: rules.name().into(),
        points: of_sweep(sweep, &rules, results).map(|(x, result)| Point::new(x, of(result).times(100.0))).collect(),
    });
    Plot {
        caption: format!("{what}, by {}", sweep.label()),
        x: Axis { label: sweep.label().into(), log: true },
        y: Axis { label: label.into(), log: false },
        series: series.collect(),
        marks: vec![Mark { name: "none".into(), y: 0.0 }],
    }
}

fn findings(results: &[Result<Key>]) -> Vec<Finding> {
    let usual = |result: &&Result<Key>| {
        result.rules == Rules::Shoal
            && match result.key {
                Key::Line(_, x) => x <= 1.0,
                Key::Cities => true,
                Key::Constants { .. } => false,
            }
    };
    let finding = |claim: &str, of: fn(&Result<Key>) -> Estimate| {
        let (worst, holds) = within(results.iter().filter(usual).map(of), LOSS_TARGET)?;
        let Estimate { mean, low, high } = worst.times(100.0);
        Some(Finding { claim: claim.into(), measured: format!("at worst {mean:.3}% ({low:.3} to {high:.3})"), holds })
    };
    let proofs: u64 = results.iter().filter(usual).map(Result::proofs).sum();
    let claims = [
        finding("With messages and devices that take up to a second, less than 0.1% of honest work is lost", loss),
        finding("and a miner with 30% of the hashrate earns less than 0.1% more per hash than the others", gain),
        Some(Finding {
            claim: "Proofs behind these two statements".into(),
            measured: format!("{proofs}, in all runs together"),
            holds: None,
        }),
    ];
    claims.into_iter().flatten().collect()
}

fn percent(estimate: Estimate) -> Cell {
    Cell::estimate(estimate.times(100.0), 3)
}
