//! The test network's CPU miner: real proof of work over its own Stratum connection.
//!
//! One thread hashes, throttled in small slices to leave CPU for the nodes. One task talks to the server. An artificial
//! delay of every job and every proof can simulate a slow line.

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

/// Mines until the task is dropped. Reconnects whenever the connection ends.
pub async fn run(config: Config, counters: Arc<Counters>) {
    let sha_instructions = sim::hash::has_sha_instructions();
    tracing::info!(users = config.users.len(), hashrate = config.hashrate, sha_instructions, "miner started");
    let mut pause = MINER_BACKOFF_MIN;
    let mut users = config.users.iter().cycle();
    let mut user = users.next();
    while let Some(name) = user {
        let before = counters.read().connections;
        let Err(error) = connection::mine(&config, name, &counters).await else {
            user = users.next();
            pause = MINER_BACKOFF_MIN;
            continue;
        };
        if counters.read().connections > before {
            pause = MINER_BACKOFF_MIN;
        }
        let pause_ms = pause.as_millis() as u64;
        tracing::info!(user = name, server = %config.server, %error, pause_ms, "miner reconnecting");
        tokio::time::sleep(pause).await;
        pause = longer(pause);
    }
}

fn longer(pause: Duration) -> Duration {
    (pause * 2).min(MINER_BACKOFF_MAX)
}
