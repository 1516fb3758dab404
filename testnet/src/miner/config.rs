//! How a miner is set up.

use std::net::SocketAddr;

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
