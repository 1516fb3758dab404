//! Feeds a real bitcoind with the wallet's transactions, over RPC.

use std::time::Duration;

use bitcoin::Block;
use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use serde_json::json;

use super::Wallet;
use crate::limits::WALLET_UNCONFIRMED_MAX;
use crate::rpc::{Rpc, RpcError};

/// Sends transactions to the server until the task is dropped: one per `interval`, while few are unconfirmed. Errors
/// are logged, and the call is repeated.
pub async fn run(rpc: Rpc, interval: Duration) {
    let mut feed = Feed { rpc, wallet: Wallet::new(), tip: None };
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = feed.step().await {
            tracing::warn!(%error, "wallet restarts");
            feed.wallet = Wallet::new();
            feed.tip = None;
        }
    }
}

struct Feed {
    rpc: Rpc,
    wallet: Wallet,
    tip: Option<String>,
}

impl Feed {
    async fn step(&mut self) -> Result<(), RpcError> {
        self.follow().await?;
        let info = self.rpc.call("getmempoolinfo", json!([])).await?;
        if info["size"].as_u64().unwrap_or(0) >= WALLET_UNCONFIRMED_MAX as u64 {
            return Ok(());
        }
        if let Some(spend) = self.wallet.spend() {
            let hex = serialize_hex(&spend.transaction);
            self.rpc.call("sendrawtransaction", json!([hex])).await?;
        }
        Ok(())
    }

    /// Shows the wallet the blocks it has not seen.
    async fn follow(&mut self) -> Result<(), RpcError> {
        let best = self.rpc.call_str("getbestblockhash", json!([])).await?;
        if self.tip.as_ref() == Some(&best) {
            return Ok(());
        }
        if let Some(seen) = &self.tip {
            let still = self.rpc.call_str("getblockhash", json!([self.wallet.height()])).await;
            if still.ok().as_ref() != Some(seen) {
                self.wallet = Wallet::new();
            }
        }
        loop {
            let height = self.wallet.height() + 1;
            let hash = match self.rpc.call_str("getblockhash", json!([height])).await {
                Ok(hash) => hash,
                // Bitcoin's code for a height above the tip: all blocks have been seen.
                Err(RpcError::Failed { code: -8, .. }) => return Ok(()),
                Err(error) => return Err(error),
            };
            let hex = self.rpc.call_str("getblock", json!([hash, 0])).await?;
            let block: Block = deserialize_hex(&hex).map_err(|_| RpcError::Unexpected { method: "getblock" })?;
            self.wallet.connect(height, &block);
            self.tip = Some(hash);
        }
    }
}
