//! The options of a miner.

use std::net::SocketAddr;

/// The options of a miner.
#[derive(Debug, Clone)]
pub struct Config {
    /// Address of the node's Stratum server.
    pub server: SocketAddr,
    /// User names, `address.worker`. With several, the miner uses the next one after each accepted proof, on a new
    /// connection.
    pub users: Vec<String>,
    /// Intended hashes per second.
    pub hashrate: f64,
    /// Milliseconds of delay before each new job and before each proof is sent.
    pub delay_ms: u64,
    /// User agent in `mining.subscribe`.
    pub agent: String,
    /// True to send only Bitcoin blocks and withhold shares, as if the miner had found none.
    pub blocks_only: bool,
}
