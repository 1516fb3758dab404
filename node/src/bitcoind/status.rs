//! What the node asks before it trusts a bitcoind: which network, and whether it is synced.

use bitcoin::BlockHash;
use serde::Deserialize;

use super::error::BitcoindError;
use crate::config::Network;

/// What bitcoind says about its chain (`getblockchaininfo`).
#[derive(Debug, Clone, Deserialize)]
pub struct ChainStatus {
    /// bitcoind's name of the network.
    pub chain: String,
    /// Height of the last validated block.
    pub blocks: u32,
    /// Height of the last known header.
    pub headers: u32,
    /// The last validated block.
    #[serde(rename = "bestblockhash")]
    pub best_block: BlockHash,
    /// Whether bitcoind thinks that it is far behind.
    #[serde(rename = "initialblockdownload", default)]
    pub initial_download: bool,
    /// The challenge, in hex, if the network is a signet.
    #[serde(default)]
    pub signet_challenge: Option<String>,
}

/// What bitcoind says about itself (`getnetworkinfo`).
#[derive(Debug, Clone, Deserialize)]
pub struct NodeInfo {
    /// Its version: 290100 is 29.1.
    pub version: u64,
    /// Its name and version as told to peers.
    #[serde(rename = "subversion")]
    pub user_agent: String,
    /// Its peers.
    pub connections: u32,
}

impl ChainStatus {
    /// Checks that this is a bitcoind of `network`.
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
    /// On the test network bitcoind calls itself syncing while the newest block is old, which is
    /// usual there before the first miner starts.
    ///
    /// # Errors
    /// [`BitcoindError::Syncing`].
    pub fn verify_synced(&self, network: Network) -> Result<(), BitcoindError> {
        let downloading = self.initial_download && network != Network::Local;
        // One header ahead is a block on its way.
        if downloading || self.headers > self.blocks.saturating_add(1) {
            return Err(BitcoindError::Syncing { blocks: self.blocks, headers: self.headers });
        }
        Ok(())
    }
}
