//! The best attack found by search in a small model, under each rule set and for other constants of links.
//!
//! ```text
//! games.rs    the games to solve, and their results
//! tables.rs   tables and plots
//! ```

mod games;
mod tables;
#[cfg(test)]
mod tests;

use super::jobs::Effort;
use super::result::{Experiment, Finding};
use games::{Chain, GAMMAS, Solved};

/// Largest acceptable earnings of an attacker, as a ratio to its fair share.
const TARGET: f64 = 1.01;
/// Largest part of the hashrate for which the target must hold.
const TARGET_ALPHA: f64 = 0.4;

/// Runs the experiment.
#[must_use]
pub fn run(effort: Effort, seed: u64, progress: &(dyn Fn(usize, usize) + Sync)) -> Experiment {
    let jobs = games::jobs(effort.size);
    let solved = effort.run(&jobs, |job| games::solve(*job, effort.size, seed), progress);
    Experiment {
        id: "optimal".to_owned(),
        title: "The best attack, found by search".to_owned(),
        question:
            "How much more than its fair share can one attacker earn at most, with any use of its links and shares, \
             and how does that depend on the anchor depth and on the link credit?"
                .to_owned(),
        method: method(),
        findings: findings(&solved),
        tables: tables::tables(&solved),
        plots: tables::plots(&solved),
        seed,
    }
}

fn method() -> Vec<String> {
    vec![
        "A Markov decision process of a race between the attacker's private branch and the public one, as Sapirshtein, \
         Sompolinsky and Zohar (2016) set it up: after each link the attacker adopts the public branch, overrides it, \
         matches its length or waits. It is solved for the attacker's part of all credit. Gamma is the part of the \
         others' hashrate that mines on the attacker's branch in a tie: 0 when others' links always come first, 1 when \
         the attacker's do."
            .to_owned(),
        "Under the pool's rules, the last common link represents the whole past. Up to the anchor depth behind the \
         fork, shares of both branches earn, regardless of which branch wins. Beyond it, only those of the winning \
         branch earn. Links earn their bonus only on the main chain. The attacker never lists others' shares, so \
         these wait for the next link of another miner and may become too old. No race is longer than 360 links, \
         since nodes follow a branch that conflicts with a settled link only after it has led for three more hours. \
         Below 35% of the hashrate, the limit is 180 links, which such an attacker does not reach."
            .to_owned(),
        "Mining a private branch includes the other ways of earning more from links: withholding shares, staying on \
         an old parent, leaving others out of lists. The model leaves out latency other than gamma, changing \
         difficulty, several attackers, and the lottery. It also leaves out that honest nodes do not build on links \
         that omit shares, which would cost the attacker more."
            .to_owned(),
        "For the classic rule sets, latency is left out as well, which flatters them. With uncles, the others name \
         every uncle that they may, and the attacker only its own. No race is longer than 40 blocks, so the results \
         for the linear chain and for uncles are lower bounds. Under the pool's rules, the figures are the earnings \
         of the policy that the search found. The search uses the expected number of shares at stake, so a better \
         policy cannot be ruled out."
            .to_owned(),
    ]
}

fn findings(solved: &[Solved]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for gamma in GAMMAS {
        let worst = solved
            .iter()
            .filter(|one| one.job.chain == Chain::MAIN && one.job.gamma == gamma && one.job.alpha <= TARGET_ALPHA)
            .map(Solved::ratio)
            .fold(0.0, f64::max);
        findings.push(Finding {
            claim: format!(
                "Up to 40% of the hashrate the best strategy found earns at most 1.01 of its fair share, gamma {gamma}"
            ),
            measured: format!("{worst:.4}"),
            holds: Some(worst <= TARGET),
        });
    }
    let error = solved.iter().filter_map(games::error).fold(0.0, f64::max);
    findings.push(Finding {
        claim: "The solver finds the published optima of a linear chain (gamma 0)".to_owned(),
        measured: format!("greatest difference {error:.6} of all rewards"),
        holds: Some(error < 1e-4),
    });
    let lazy = tables::lazy_ratio(Chain::MAIN, 0.3);
    let free = tables::lazy_ratio(Chain::without_link_credit(), 0.3);
    findings.push(Finding {
        claim: "Staying on an old parent costs its miner something, and only because links earn credit".to_owned(),
        measured: format!("{lazy:.4} of the fair share with the credit, {free:.4} without"),
        holds: Some(lazy < 1.0 - 1e-3 && (free - 1.0).abs() < 1e-3),
    });
    findings
}
