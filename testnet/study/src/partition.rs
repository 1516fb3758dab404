//! The cost of partitions by size and length, and the effects of surges and collapses of hashrate until links are on
//! time again.
//!
//! ```text
//! cut.rs       partitions
//! surge.rs     surges and collapses in the simulated world
//! retarget.rs  the same for the classic rules, whose targets are simulated without a network
//! settling.rs  the measure of both: the time until links are on time
//! ```

mod cut;
mod retarget;
mod settling;
mod surge;

pub(crate) use settling::TOLERANCE;

use super::jobs::{Effort, Progress};
use super::result::Experiment;

/// Runs the experiment.
#[must_use]
pub fn run(effort: Effort, seed: u64, progress: Progress<'_>) -> Experiment {
    let (cut, surge) = (cut::Cuts::cases(effort.size), surge::runs(effort.size));
    let cut_runs: usize = cut.iter().map(|case| usize::try_from(case.runs).unwrap_or(usize::MAX)).sum();
    let of = cut_runs + surge.len();
    let cuts = cut::Cuts::run(&cut, effort, seed, &|done, _| progress(done, of));
    let surges = surge::Surges::run(&surge, effort, seed, &|done, _| progress(cut_runs + done, of));
    Experiment {
        id: "partition".into(),
        title: "Partitions, surges, collapses".into(),
        question:
            "What does a partition cost, by size and length? And when hashrate grows a thousandfold or falls to a \
                   thousandth, how long does it take until links come in time again, and what do nodes bear meanwhile?"
                .into(),
        method: cut::method().into_iter().chain(surge::method()).collect(),
        findings: cuts.findings().into_iter().chain(surges.findings()).collect(),
        tables: cuts.tables().into_iter().chain(surges.tables()).collect(),
        plots: cuts.plots().into_iter().chain(surges.plots()).collect(),
        seed,
    }
}
