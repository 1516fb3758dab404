//! The earnings of attackers with 10 to 49% of the hashrate, for each strategy, as a ratio to their fair share.
//!
//! ```text
//! cases.rs   the attackers and their pools
//! ```

mod cases;

use super::jobs::{Effort, Progress};
use super::result::{Axis, Cell, Experiment, Finding, Mark, Plot, Point, Series, Table};
use super::rivals::Rules;
use super::rivals::cases::{ONE, OTHERS, Result, as_number, run as run_cases, within};
use super::stats::Estimate;
use cases::Key;

/// Largest acceptable ratio of any strategy with up to [`TARGET_PART`] of the hashrate.
const TARGET_RATIO: f64 = 1.01;

/// See [`TARGET_RATIO`].
const TARGET_PART: f64 = 0.4;

/// Runs the experiment.
#[must_use]
pub fn run(effort: Effort, seed: u64, progress: Progress<'_>) -> Experiment {
    let results = run_cases(&cases::cases(effort.size), "attack", effort, seed, progress);
    let mut tables: Vec<Table> = Rules::all().iter().map(|rules| table(rules, &results)).collect();
    tables.push(harm_table(&results));
    tables.push(newcomer_table(&results));
    Experiment {
        id: "attack".into(),
        title: "What attackers earn".into(),
        question: "How much more than its fair share is a miner credited with that does not follow the rules, in the \
                   pool and in the classic share-chains?"
            .into(),
        method: method(),
        findings: findings(&results),
        tables,
        plots: vec![plot(&results)],
        seed,
    }
}

fn method() -> Vec<String> {
    vec![
        "The pool's own program in the simulated world, and the classic rule sets in the same world: an attacker \
         with one node and seven honest miners with a node each, in cities drawn by where miners live, all connected \
         to each other. The attacker has a data center's line. Devices switch in half a second."
            .into(),
        "Ratio: credit per hash of the attacker over that of all miners, including the attacker. It is divided by \
         the shares and links that each happened to find, so that it includes luck in races, but not luck in \
         finding. The last part of a run, which is longer than a share's lifetime, is not counted: otherwise \
         hoarding would cost more than in a pool that goes on. With strategies that hide nothing, this part is ten \
         minutes. An hour is measured in each of three runs, and 60,000 shares in each of six under the classic \
         rules. Intervals are 95%, over independent runs."
            .into(),
        "Under the classic rules, a branch that is still hidden at the end counts if it is the heaviest. Selfish and \
         stubborn mining there follow the textbook, with weights instead of lengths. Strategies against the pool's \
         own rules, such as hoarding, have no meaning there. `mdp` is the best policy of the small model."
            .into(),
        "Credit is what the pool pays by. What may be gained in the draw of payments, by choosing among Bitcoin's tips, \
         parents or addresses, is another experiment; here such strategies show what they cost in credit."
            .into(),
    ]
}

fn ratio(result: &Result<Key>) -> Estimate {
    result.estimate(|run| run.ratio(ONE))
}

fn loss_of_others(result: &Result<Key>) -> Estimate {
    result.estimate(|run| run.sum(|miner| miner.group == OTHERS).loss())
}

/// Returns the results of attackers under these rules: strategy, part, result.
fn attacks<'a>(rules: &Rules, results: &'a [Result<Key>]) -> impl Iterator<Item = (&'a str, f64, &'a Result<Key>)> {
    let rules = *rules;
    results.iter().filter(move |result| result.rules == rules).filter_map(|result| match &result.key {
        Key::Attack { strategy, part } => Some((strategy.as_str(), *part, result)),
        Key::Newcomer { .. } => None,
    })
}

fn strategies<'a>(rules: &Rules, results: &'a [Result<Key>]) -> Vec<&'a str> {
    let mut names = Vec::new();
    for (name, _, _) in attacks(rules, results) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn parts(results: &[Result<Key>]) -> Vec<f64> {
    let mut parts: Vec<f64> = attacks(&Rules::Shoal, results).map(|(_, part, _)| part).collect();
    parts.sort_by(f64::total_cmp);
    parts.dedup();
    parts
}

fn table(rules: &Rules, results: &[Result<Key>]) -> Table {
    let caption =
        format!("{}: credit of an attacker as a ratio to its fair share, by its part of the hashrate", rules.name());
    by_part(rules, results, caption, |result| Cell::estimate(ratio(result), 4))
}

fn harm_table(results: &[Result<Key>]) -> Table {
    let caption = "Shoal: work of the honest miners that the attack makes worthless, %".to_owned();
    by_part(&Rules::Shoal, results, caption, |result| Cell::estimate(loss_of_others(result).times(100.0), 3))
}

fn by_part(rules: &Rules, results: &[Result<Key>], caption: String, cell: impl Fn(&Result<Key>) -> Cell) -> Table {
    let parts = parts(results);
    let columns =
        std::iter::once("strategy".to_owned()).chain(parts.iter().map(|part| format!("{:.0}%", part * 100.0)));
    let row = |name: &str| {
        let at = |part: &f64| {
            let found = attacks(rules, results).find(|(other, at, _)| *other == name && at.to_bits() == part.to_bits());
            found.map_or_else(|| Cell::text("not run"), |(_, _, result)| cell(result))
        };
        std::iter::once(Cell::text(name)).chain(parts.iter().map(at)).collect()
    };
    Table { caption, columns: columns.collect(), rows: strategies(rules, results).into_iter().map(row).collect() }
}

fn newcomer_table(results: &[Result<Key>]) -> Table {
    let row = |result: &Result<Key>| {
        let Key::Newcomer { name, .. } = &result.key else { return None };
        let one_tip = result.runs.iter().filter(|run| run.one_tip).count();
        Some(vec![
            Cell::text(name.as_str()),
            Cell::estimate(loss_of_others(result).times(100.0), 2),
            Cell::text(format!("{one_tip} of {}", result.runs.len())),
            Cell::number(as_number(result.proofs()), 0),
        ])
    };
    let columns = ["attack", "work of the honest lost, %", "runs in which they agree in the end", "proofs found"];
    Table {
        caption:
            "Shoal: a newcomer with ten times the pool's hashrate mines a branch of its own and publishes it when it \
                  is the heavier one"
                .into(),
        columns: columns.map(String::from).to_vec(),
        rows: results.iter().filter_map(row).collect(),
    }
}

/// Returns the strategy that earns most at each part of the hashrate.
fn best<'a>(rules: &Rules, results: &'a [Result<Key>]) -> Vec<(f64, &'a str, Estimate)> {
    let at = |part: f64| {
        let of_part = attacks(rules, results).filter(|(_, at, _)| at.to_bits() == part.to_bits());
        let all = of_part.map(|(name, _, result)| (part, name, ratio(result)));
        all.max_by(|one, other| one.2.mean.total_cmp(&other.2.mean))
    };
    parts(results).into_iter().filter_map(at).collect()
}

fn plot(results: &[Result<Key>]) -> Plot {
    let series = Rules::all().into_iter().map(|rules| Series {
        name: rules.name().into(),
        points: best(&rules, results).into_iter().map(|(part, _, ratio)| Point::new(part * 100.0, ratio)).collect(),
    });
    Plot {
        caption: "The best strategy that was tried, by the attacker's part of the hashrate".into(),
        x: Axis { label: "part of the hashrate, %".into(), log: false },
        y: Axis { label: "credit, as a ratio to the fair share".into(), log: false },
        series: series.collect(),
        marks: vec![Mark { name: "fair".into(), y: 1.0 }, Mark { name: "target".into(), y: TARGET_RATIO }],
    }
}

fn findings(results: &[Result<Key>]) -> Vec<Finding> {
    let best_up_to_target = |rules: &Rules| {
        let best = best(rules, results).into_iter().filter(|(part, _, _)| *part <= TARGET_PART);
        best.max_by(|one, other| one.2.mean.total_cmp(&other.2.mean))
    };
    let told = |(part, name, ratio): (f64, &str, Estimate)| {
        let Estimate { mean, low, high } = ratio;
        format!("{mean:.4} ({low:.4} to {high:.4}), by `{name}` with {:.0}%", part * 100.0)
    };
    let finding = |rules: &Rules| {
        let best = best_up_to_target(rules)?;
        let tried = attacks(rules, results).filter(|(_, part, _)| *part <= TARGET_PART);
        let (_, holds) = within(tried.map(|(_, _, result)| ratio(result)), TARGET_RATIO)?;
        let ours = *rules == Rules::Shoal;
        Some(Finding {
            claim: if ours {
                format!(
                    "No strategy earns more than {TARGET_RATIO} times the fair share with up to 40% of the hashrate"
                )
            } else {
                format!("The same under the rules of {}", rules.name())
            },
            measured: format!("at most {}", told(best)),
            holds: if ours { holds } else { None },
        })
    };
    Rules::all().iter().filter_map(finding).collect()
}
