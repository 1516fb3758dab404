//! The test network's CPU miner: real proof of work through a Stratum connection of its own.
//!
//! One thread hashes, throttled in small slices so that the cores stay with the nodes; one task
//! talks to the server. A delay can be put in front of every job and every proof, to stand for a
//! slow line.

mod config;
mod connection;
mod counters;
mod journal;
mod throttle;
mod worker;

use std::sync::Arc;
use std::time::Duration;

pub use self::config::Config;
pub use self::counters::{Counters, Counts};
pub use self::journal::{Journal, Submit, Verdict, read_submits};
use crate::limits::{MINER_BACKOFF_MAX, MINER_BACKOFF_MIN};

/// Mines until the task is dropped, connecting again whenever the connection ends.
pub async fn run(config: Config, counters: Arc<Counters>) {
    let sha_instructions = sim::hash::has_sha_instructions();
    tracing::info!(user = config.user, hashrate = config.hashrate, sha_instructions, "miner starts");
    let mut pause = MINER_BACKOFF_MIN;
    loop {
        let before = counters.read().connections;
        let Err(error) = connection::mine(&config, &counters).await;
        if counters.read().connections > before {
            pause = MINER_BACKOFF_MIN;
        }
        let pause_ms = pause.as_millis() as u64;
        tracing::info!(user = config.user, server = %config.server, %error, pause_ms, "miner reconnects");
        tokio::time::sleep(pause).await;
        pause = longer(pause);
    }
}

fn longer(pause: Duration) -> Duration {
    (pause * 2).min(MINER_BACKOFF_MAX)
}
