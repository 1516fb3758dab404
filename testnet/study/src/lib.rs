//! The standard study: experiments in the simulator and in models of parts of the pool. Its results justify the
//! constants of the protocol.
//!
//! ```text
//! result.rs   the output of an experiment: tables, plots, the command to repeat it; pages are built from it alone
//! stats.rs    estimates with confidence intervals
//! jobs.rs     many independent runs on a few threads, in a fixed order
//! kept.rs     finished runs in a file, for a study that was stopped
//! run.rs      the list of experiments, and how they run
//! plot.rs     plots as SVG
//! page.rs     the results as one HTML file, and as Markdown
//! command.rs  the command line of `shoal-study`
//!
//! models.rs        models of parts of the pool: classic share-chains, pay over years, up to 90,000 nodes
//! rivals.rs        one scenario under the pool's rules and under the classic ones, measured alike
//! loss.rs          the cost of latency and slow devices, and who bears it
//! attack.rs        the earnings of attackers
//! costs.rs         what it costs to undo an hour, to fool a newcomer, to block an upgrade
//! optimal.rs       the best attack in a small model, found by search
//! variance.rs      the variance of pay, for small and large miners in small and large pools
//! frequency.rs     how often a miner is paid, with 48 outputs and with 1,000
//! intermittent.rs  the earnings per hash of miners who mine some of the time
//! hopping.rs       what splitting and hopping gain, found by search; pay before a change
//! partition.rs     partitions, surges and collapses of hashrate
//! links.rs         how links keep time: half-life, draws to choose from, depth of settled links
//! scale.rs         bandwidth, disk and memory of a node in a large pool
//! eclipse.rs       whether a node that restarts has only hostile peers
//! draw.rs          fairness of the draw, the gain from choosing draws, the cost of its constants
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod attack;
pub mod command;
pub mod costs;
pub mod draw;
pub mod eclipse;
pub mod frequency;
pub mod hopping;
pub mod intermittent;
pub mod jobs;
pub mod kept;
pub mod links;
pub mod loss;
pub mod models;
pub mod optimal;
pub mod page;
pub mod partition;
pub mod plot;
pub mod result;
pub mod rivals;
pub mod run;
pub mod scale;
pub mod stats;
pub mod variance;
