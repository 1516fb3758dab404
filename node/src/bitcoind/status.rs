//! Checks before the node uses a bitcoind: its network, and whether it is synced.

use bitcoin::BlockHash;
use serde::Deserialize;

use super::error::BitcoindError;
use crate::config::Network;

/// State of bitcoind's chain (`getblockchaininfo`).
#[derive(Debug, Clone, Deserialize)]
pub struct ChainStatus {
    /// bitcoind's name for the network.
    pub chain: String,
    /// Height of the last validated block.
    pub blocks: u32,
    /// Height of the last known header.
    pub headers: u32,
    /// Hash of the last validated block.
    #[serde(rename = "bestblockhash")]
    pub best_block: BlockHash,
    /// True while bitcoind considers itself far behind.
    #[serde(rename = "initialblockdownload", default)]
    pub initial_download: bool,
    /// Challenge of the signet, hex; none on other networks.
    #[serde(default)]
    pub signet_challenge: Option<String>,
}

/// The end of a branch that bitcoind knows (`getchaintips`).
#[derive(Debug, Deserialize)]
pub(super) struct ChainTip {
    height: u32,
    status: String,
}

impl ChainTip {
    /// True if bitcoind may still lack blocks of this branch, which ends above its tip.
    pub(super) fn is_missing(&self, chain: &ChainStatus) -> bool {
        self.status != "invalid" && self.height > chain.blocks.saturating_add(1)
    }
}

/// bitcoind's version and connections (`getnetworkinfo`).
#[derive(Debug, Clone, Deserialize)]
pub struct NodeInfo {
    /// Its version as a number: 290100 is 29.1.
    pub version: u64,
    /// Its user agent, as sent to peers.
    #[serde(rename = "subversion")]
    pub user_agent: String,
    /// Number of its connections.
    pub connections: u32,
    /// Its clock minus the median of its peers' clocks, seconds; none if it does not report that.
    #[serde(rename = "timeoffset", default, deserialize_with = "own_offset")]
    pub time_offset_s: Option<i64>,
}

/// bitcoind reports its peers' clocks minus its own; with the sign reversed, a positive value means that its clock is
/// ahead.
fn own_offset<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(Option::<i64>::deserialize(deserializer)?.map(i64::saturating_neg))
}

impl ChainStatus {
    /// Checks that bitcoind runs on `network`.
    ///
    /// # Errors
    /// [`BitcoindError::WrongNetwork`].
    pub fn verify_network(&self, network: Network) -> Result<(), BitcoindError> {
        network
            .verify(&self.chain, self.signet_challenge.as_deref())
            .map_err(|source| BitcoindError::WrongNetwork { network, source })
    }

    /// Checks that bitcoind has the whole chain.
    ///
    /// On the test network, bitcoind reports initial block download while its newest block is old, which is normal
    /// there before the first miner starts.
    ///
    /// # Errors
    /// [`BitcoindError::Syncing`].
    pub fn verify_synced(&self, network: Network) -> Result<(), BitcoindError> {
        if self.is_downloading(network) || self.has_headers_ahead() {
            return Err(BitcoindError::Syncing { blocks: self.blocks, headers: self.headers });
        }
        Ok(())
    }

    /// True if only the number of headers says that bitcoind lacks blocks.
    pub(super) fn is_behind_headers(&self, network: Network) -> bool {
        self.has_headers_ahead() && !self.is_downloading(network)
    }

    fn is_downloading(&self, network: Network) -> bool {
        self.initial_download && !network.is_private()
    }

    /// One header ahead is a block in flight.
    fn has_headers_ahead(&self) -> bool {
        self.headers > self.blocks.saturating_add(1)
    }
}
