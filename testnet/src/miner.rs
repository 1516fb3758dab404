//! The test network's CPU miner: real proof of work through a Stratum connection of its own.
//!
//! One thread hashes, throttled in small slices so that the cores stay with the nodes; one task
//! talks to the server. A delay can be put in front of every job and every proof, to stand for a
//! slow line.

mod connection;
pub mod hash;
mod journal;
mod throttle;
mod worker;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::limits::{MINER_BACKOFF_MAX, MINER_BACKOFF_MIN};

pub use journal::{Journal, Submit, Verdict, read_submits};

/// What to mine for, and how fast.
#[derive(Debug, Clone)]
pub struct Config {
    /// The node's Stratum server.
    pub server: SocketAddr,
    /// User name, `address.worker`.
    pub user: String,
    /// Hashes per second to stay at.
    pub hashrate: f64,
    /// Delay before each new job is begun and before each proof is sent, in milliseconds.
    pub delay_ms: u64,
    /// What it calls itself in `mining.subscribe`.
    pub agent: String,
}

/// What a miner has done so far; shared and only ever growing.
#[derive(Debug, Default)]
pub struct Counters {
    hashes: AtomicU64,
    jobs: AtomicU64,
    accepted: AtomicU64,
    rejected: AtomicU64,
    connections: AtomicU64,
    journal: Option<Journal>,
}

/// A reading of [`Counters`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Hashes computed.
    pub hashes: u64,
    /// Jobs received.
    pub jobs: u64,
    /// Proofs that the server accepted.
    pub accepted: u64,
    /// Proofs that the server refused.
    pub rejected: u64,
    /// Connections that came up.
    pub connections: u64,
}

impl Counters {
    /// Counts, and writes a line about each proof that is sent.
    pub fn with_journal(journal: Journal) -> Self {
        Self { journal: Some(journal), ..Self::default() }
    }

    /// Reads all counters.
    pub fn read(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            hashes: read(&self.hashes),
            jobs: read(&self.jobs),
            accepted: read(&self.accepted),
            rejected: read(&self.rejected),
            connections: read(&self.connections),
        }
    }
}

/// Mines until the task is dropped, connecting again whenever the connection ends.
pub async fn run(config: Config, counters: Arc<Counters>) {
    let sha_instructions = hash::has_sha_instructions();
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

fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}
