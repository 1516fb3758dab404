//! How links keep time without a network: the half-life of the retarget, the draws to choose from after a collapse, and
//! the depth at which links settle.
//!
//! ```text
//! alone.rs     links drawn one after the other, with the real targets
//! choices.rs   the draws to choose from when links come rarely
//! ```

mod alone;
mod choices;

use super::jobs::{Effort, Progress};
use super::result::Experiment;

/// Runs the experiment.
#[must_use]
pub fn run(effort: Effort, seed: u64, progress: Progress<'_>) -> Experiment {
    let half_lives = alone::HalfLives::run(effort.size, seed);
    progress(1, 3);
    let falls = choices::Falls::run(effort.size, seed);
    progress(2, 3);
    let settled = alone::settled_depths(effort.size, seed);
    Experiment {
        id: "links".into(),
        title: "How links keep time".into(),
        question: "How soon are links on time again after the hashrate changed, by the half-life of the retarget? How many \
                   draws may a miner choose from while links come rarely? How deep should a link be before it is settled?"
            .into(),
        method: vec![
            "Links are drawn one after the other with the pool's own targets, from 100 PH/s, without a network. Links are \
             in time when the next one is expected within a factor of 1.25 of its interval, and stays so for ten minutes."
                .into(),
            "A proof may have any parent on which it still earns. Snapshots follow from parent, anchor and Bitcoin blocks, \
             as SC-302 says; blocks come at random. A test of version 1 saw 27 snapshots after a collapse. That is what links leave \
             which a test paces at 100 s: 240 of them span 40 Bitcoin blocks, 13 of which do not count. Where targets follow \
             a fall to a tenth, links are on time again before that. After a fall to a thousandth they are not, and the choice \
             is real: one draw for each of the Bitcoin blocks, at the cost of a link's bonus."
                .into(),
        ],
        findings: [half_lives.findings(), falls.findings()].concat(),
        tables: vec![half_lives.table(), falls.table(), settled],
        plots: Vec::new(),
        seed,
    }
}
