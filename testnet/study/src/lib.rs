//! The standard study: experiments in the simulator and in models of parts, whose results choose the constants of the
//! protocol.
//!
//! ```text
//! result.rs   what an experiment gives: tables, plots, and how to repeat it; the only thing that a page is made of
//! stats.rs    estimates with confidence intervals
//! jobs.rs     many independent runs on a few threads, in an order that depends on nothing
//! run.rs      the list of experiments, and how they are run
//! plot.rs     plots as SVG
//! page.rs     the results as one HTML file, and as Markdown
//! command.rs  the command line of `shoal-study`
//!
//! models.rs        models of parts of the pool: classic share-chains, pay over years, up to 90,000 nodes
//! rivals.rs        one scenario under the pool's rules and under the classic ones, measured alike
//! loss.rs          what latency and slow devices cost, and whom
//! attack.rs        what attackers earn
//! optimal.rs       the best attack in a small model, found by search
//! variance.rs      how uneven pay is, for small and large miners in small and large pools
//! intermittent.rs  what miners earn a hash that mine some of the time
//! partition.rs     partitions, surges and collapses of hash rate
//! scale.rs         what a node of a large pool sends, stores and keeps
//! draw.rs          whether the draw is fair, what choosing between draws gains, and what its constants cost
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that panics has failed as it should"))]

pub mod attack;
pub mod command;
pub mod draw;
pub mod intermittent;
pub mod jobs;
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
