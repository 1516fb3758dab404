//! The types of the pool's summary.

use serde::Serialize;
use sharechain::ShareId;
use utoipa::ToSchema;

use super::bitcoin_pools::BitcoinPools;
use super::decentralisation::Decentralisation;
use super::views::WeightView;

/// Summary of the pool.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Pool {
    /// Time of the node's clock, seconds since 1970.
    pub time_unix_s: u32,
    /// Estimated hashrate of the whole pool, hashes per second; none while there are fewer than two links.
    pub hashrate_hs: Option<f64>,
    /// Number of links that the hashrate is estimated from: up to 60.
    pub hashrate_links: u32,
    /// State of Bitcoin, as this node knows it.
    pub bitcoin: Bitcoin,
    /// The pool's part of Bitcoin's hashrate, 0 to 1.
    pub share_of_bitcoin: Option<f64>,
    /// Average time for the pool to find a block, seconds.
    pub expected_block_s: Option<f64>,
    /// The current round: the work since the pool's last Bitcoin block.
    pub round: Round,
    /// The PPLNS window that determines payouts.
    pub window: WindowSummary,
    /// Concentration of the pool.
    pub decentralisation: Decentralisation,
    /// Concentration of Bitcoin's mining by pool, for comparison.
    pub bitcoin_pools: BitcoinPools,
    /// Links found in the last full minute.
    pub links_minute: u32,
    /// Shares found in the last full minute, links included.
    pub shares_minute: u32,
    /// Heights of the share-chain.
    pub chain: ChainSummary,
}

/// State of Bitcoin, as this node knows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Bitcoin {
    /// Height of the tip with the most work.
    pub height: u32,
    /// Difficulty of the next block: expected hashes divided by 2^32.
    pub difficulty: f64,
    /// Hashrate that matches the difficulty, hashes per second.
    pub hashrate_hs: f64,
    /// Average time between blocks in the last day, seconds; 600 while fewer than 12 are known.
    pub interval_s: f64,
    /// Subsidy of the next block and, if there is a template, its fees, satoshi.
    pub next_value_sat: u64,
}

/// The current round: the work since the pool's last Bitcoin block.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Round {
    /// Time of that block, seconds since 1970; none before the first block, or if this node does not know it.
    pub since_unix_s: Option<u32>,
    /// Hash of that block.
    pub since_block: Option<String>,
    /// Round effort: work done since then divided by the work expected for a block. 1 is average, below is lucky.
    pub effort: f64,
    /// Probability that a block takes at most this effort, 0 to 1: 0.63 for an effort of 1.
    pub probability: f64,
}

/// The PPLNS window that determines payouts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct WindowSummary {
    /// Total weight of all scripts.
    pub total: WeightView,
    /// Length of a full window, in expected Bitcoin blocks.
    pub target_blocks: f64,
    /// Number of scripts with weight in the window.
    pub scripts_total: u64,
    /// Number of links that it spans.
    pub links: u32,
    /// Time of its oldest link, seconds since 1970; none while that is genesis.
    pub oldest_unix_s: Option<u32>,
    /// Time of its newest link, seconds since 1970; none while that is genesis.
    pub newest_unix_s: Option<u32>,
}

/// Heights of the share-chain, and the work of its next shares.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct ChainSummary {
    /// Height of the tip.
    pub height: u32,
    /// Height of the newest settled link.
    pub settled_height: u32,
    /// Expected number of hashes of a share that builds on the tip, as a decimal string.
    pub share_work_hashes: String,
}

/// The last answer and the tip that it was made for, so that many readers cost no more than one.
pub(super) type KeptPool = tokio::sync::Mutex<Option<(ShareId, Pool)>>;
