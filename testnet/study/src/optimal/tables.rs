//! Tables and plots of solved games.

use super::games::{ANCHOR_DEPTHS, Chain, DIVISORS, GAMMAS, Job, PUBLISHED, Solved};
use super::{TARGET, TARGET_ALPHA};
use crate::result::{Axis, Cell, Mark, Plot, Point, Series, Table};
use sim::mdp::policy::Policy;
use sim::mdp::{Action, Fork, State, earned};

/// Number of links for which a lazy miner stays on its parent.
const LAZY: usize = 20;
/// Largest length of branches for which the policy is shown, in links.
const SHOWN: usize = 8;

/// Returns all tables.
pub(super) fn tables(solved: &[Solved]) -> Vec<Table> {
    vec![ratios(solved), dice(solved), strategies(), lazy(), policy(solved), published(solved)]
        .into_iter()
        .filter(|table| !table.rows.is_empty())
        .collect()
}

/// Returns all plots.
pub(super) fn plots(solved: &[Solved]) -> Vec<Plot> {
    let by =
        |chains: &[Chain], gamma| chains.iter().map(move |&chain| (chain.name(), chain, gamma)).collect::<Vec<_>>();
    let gammas = GAMMAS.map(|gamma| (format!("gamma {gamma}"), Chain::MAIN, gamma));
    let anchors = ANCHOR_DEPTHS.map(|depth| (format!("anchor depth {depth}"), Chain::LinkPay(depth, Some(64)), 0.5));
    let credits = DIVISORS.map(|divisor| {
        let name = divisor.map_or("no link credit".to_owned(), |divisor| format!("link credit 1/{divisor}"));
        (name, Chain::LinkPay(60, divisor), 0.5)
    });
    vec![
        plot(solved, "The best attack under each rule set, gamma 0.5", &by(&Chain::ALL, 0.5), 0.5),
        plot(solved, "The best attack on links and shares, as on main, up to 45%", &gammas, 0.45),
        plot(solved, "The best attack for other anchor depths, gamma 0.5, up to 45%", &anchors, 0.45),
        plot(solved, "The best attack for other link credits, gamma 0.5, up to 45%", &credits, 0.45),
    ]
    .into_iter()
    .filter(|plot| !plot.series.is_empty())
    .collect()
}

/// Plots ratios over the attacker's part of the hashrate, one line for each name, chain and gamma.
fn plot(solved: &[Solved], caption: &str, lines: &[(String, Chain, f64)], up_to: f64) -> Plot {
    let series = lines.iter().map(|(name, chain, gamma)| {
        let mut points: Vec<Point> = solved
            .iter()
            .filter(|one| one.job.chain == *chain && one.job.gamma == *gamma && one.job.alpha <= up_to)
            .filter(|one| !is_extra(one.job))
            .map(|one| Point::exact(one.job.alpha, one.ratio()))
            .collect();
        points.sort_by(|one, other| one.x.total_cmp(&other.x));
        Series { name: name.clone(), points }
    });
    let axis = |label: &str| Axis { label: label.to_owned(), log: false };
    Plot {
        caption: caption.to_owned(),
        x: axis("attacker's part of the hashrate"),
        y: axis("revenue as a ratio to the fair share"),
        series: series.filter(|series| series.points.len() > 1).collect(),
        marks: vec![Mark { name: format!("target up to {TARGET_ALPHA}"), y: TARGET }],
    }
}

/// Returns whether a game was solved only to compare it with the published solution.
fn is_extra(job: Job) -> bool {
    job.chain == Chain::Linear && [1.0 / 3.0, 0.375, 0.425].contains(&job.alpha)
}

fn ratios(solved: &[Solved]) -> Table {
    let kept = || solved.iter().filter(|one| !is_extra(one.job));
    let mut alphas: Vec<f64> = kept().filter(|one| one.job.chain == Chain::MAIN).map(|one| one.job.alpha).collect();
    alphas.sort_by(f64::total_cmp);
    alphas.dedup();
    let mut lines: Vec<(Chain, f64)> = Vec::new();
    for Job { chain, gamma, .. } in kept().map(|one| one.job) {
        if !lines.contains(&(chain, gamma)) {
            lines.push((chain, gamma));
        }
    }
    let rows = lines.into_iter().map(|(chain, gamma)| {
        let found = |alpha: f64| kept().find(|one| one.job == Job { chain, alpha, gamma });
        let cells = alphas.iter().map(|&alpha| found(alpha).map_or(Cell::text(""), |one| Cell::number(one.ratio(), 4)));
        [Cell::text(chain.name()), Cell::number(gamma, 1)].into_iter().chain(cells).collect()
    });
    let heads = alphas.iter().map(|alpha| format!("{:.0}%", alpha * 100.0));
    Table {
        caption: "Revenue of the best attack as a ratio to the fair share, by the attacker's part of the hashrate"
            .to_owned(),
        columns: ["rules".to_owned(), "gamma".to_owned()].into_iter().chain(heads).collect(),
        rows: rows.collect(),
    }
}

fn dice(solved: &[Solved]) -> Table {
    let rows = solved.iter().filter_map(|one| {
        let Job { chain, alpha, gamma } = one.job;
        let played = one.played?;
        Some(vec![
            Cell::text(chain.name()),
            Cell::number(alpha, 2),
            Cell::number(gamma, 1),
            Cell::number(one.ratio(), 4),
            Cell::estimate(played.times(1.0 / alpha), 4),
        ])
    });
    Table {
        caption: "The same policies reckoned, and played with dice share by share; ratios to the fair share".to_owned(),
        columns: ["rules", "hashrate, part", "gamma", "reckoned", "played"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
    }
}

/// Returns the earnings of named strategies and of the best one.
fn strategies() -> Table {
    let rows = [0.3, 0.4, 0.45].into_iter().flat_map(|alpha| {
        GAMMAS.map(|gamma| {
            let game = Job { chain: Chain::MAIN, alpha, gamma }.game();
            // The best policy is in the other tables. Short races suffice here.
            let game = sim::mdp::Game { longest: 180, ..game };
            let ratio = |policy: Policy| Cell::number(earned(&game, &policy) / alpha, 4);
            vec![
                Cell::number(alpha, 2),
                Cell::number(gamma, 1),
                ratio(Policy::honest(&game)),
                ratio(Policy::selfish(&game)),
                ratio(Policy::lead_stubborn(&game)),
                ratio(Policy::deep(&game, 70, 10)),
                ratio(Policy::lazy(&game, LAZY)),
            ]
        })
    });
    Table {
        caption: "What named strategies earn on main's rules, as a ratio to the fair share".to_owned(),
        columns: ["hashrate, part", "gamma", "honest", "selfish", "lead-stubborn", "deep fork", "lazy"]
            .map(str::to_owned)
            .to_vec(),
        rows: rows.collect(),
    }
}

/// Returns the earnings of a lazy miner, as a ratio to its fair share.
pub(super) fn lazy_ratio(chain: Chain, alpha: f64) -> f64 {
    let game = sim::mdp::Game { longest: LAZY + 2, ..Job { chain, alpha, gamma: 0.0 }.game() };
    earned(&game, &Policy::lazy(&game, LAZY)) / alpha
}

fn lazy() -> Table {
    let rows = DIVISORS.map(|divisor| {
        let chain = Chain::LinkPay(60, divisor);
        let name = divisor.map_or("none".to_owned(), |divisor| format!("1/{divisor}"));
        let cells = [0.1, 0.3, 0.49].map(|alpha| Cell::number(lazy_ratio(chain, alpha), 4));
        [Cell::text(name)].into_iter().chain(cells).collect()
    });
    Table {
        caption: format!(
            "What a miner earns who stays on each parent for {LAZY} links, as a ratio to its fair share. Its hashrate is \
             missing from the chain: a part a of lazy miners leaves 1 - a that orders, of which half is a majority"
        ),
        columns: ["link credit", "10% lazy", "30% lazy", "49% lazy"].map(str::to_owned).to_vec(),
        rows: rows.to_vec(),
    }
}

/// Returns the best policy, in the format of the literature.
fn policy(solved: &[Solved]) -> Table {
    let wanted = Job { chain: Chain::MAIN, alpha: 0.4, gamma: 0.5 };
    let rows = solved.iter().filter(|one| one.job == wanted).flat_map(|one| {
        (0..=SHOWN).map(|own| {
            let cells = (0..=SHOWN).map(|public| {
                let letters =
                    [Fork::Irrelevant, Fork::Relevant, Fork::Active].map(|fork| letter(one, own, public, fork));
                Cell::text(letters.concat())
            });
            [Cell::text(own.to_string())].into_iter().chain(cells).collect()
        })
    });
    let heads = (0..=SHOWN).map(|public| public.to_string());
    Table {
        caption: "The best policy on main's rules at 40%, gamma 0.5, by the lengths of the own branch (rows) and the \
             public one (columns). Three letters: the last link was the attacker's; it was another miner's; there is \
             a tie. a adopt, o override, m match, w wait, - cannot be"
            .to_owned(),
        columns: ["own".to_owned()].into_iter().chain(heads).collect(),
        rows: rows.collect(),
    }
}

fn letter(one: &Solved, own: usize, public: usize, fork: Fork) -> &'static str {
    let possible = match fork {
        Fork::Irrelevant => own > 0,
        Fork::Relevant => public > 0,
        Fork::Active => public > 0 && own >= public,
    };
    match one.policy.action(State { own, public, fork, ..State::START }) {
        _ if !possible => "-",
        Action::Adopt => "a",
        Action::Override => "o",
        Action::Match => "m",
        Action::Wait => "w",
    }
}

fn published(solved: &[Solved]) -> Table {
    let rows = PUBLISHED.iter().filter_map(|&(alpha, part)| {
        let one = solved.iter().find(|one| one.job == Job { chain: Chain::Linear, alpha, gamma: 0.0 })?;
        Some(vec![Cell::number(alpha, 4), Cell::number(part, 5), Cell::number(one.part, 5)])
    });
    Table {
        caption: "The solver against published optima of a linear chain, gamma 0: the attacker's part of all rewards"
            .to_owned(),
        columns: ["hashrate, part", "published", "found"].map(str::to_owned).to_vec(),
        rows: rows.collect(),
    }
}
