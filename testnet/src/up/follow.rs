//! Follows Bitcoin's best chain. The pool found every block after the premined ones, if there are any.

use std::time::Duration;

use bitcoin::consensus::encode::deserialize_hex;
use bitcoin::{Block, Transaction};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::rpc::{Rpc, RpcError};

/// Pause between two polls.
const PAUSE: Duration = Duration::from_millis(300);

/// Largest number of found blocks that are not shown yet.
const QUEUE: usize = 64;

/// A block of the best chain.
#[derive(Debug)]
pub(super) struct ChainBlock {
    pub(super) height: u32,
    pub(super) hash: String,
    pub(super) coinbase: Transaction,
}

/// Follows the chain until it is dropped.
#[derive(Debug)]
pub(super) struct Follower {
    blocks: mpsc::Receiver<ChainBlock>,
    task: JoinHandle<()>,
}

impl Follower {
    pub(super) fn start(rpc: Rpc, premined: u32) -> Self {
        let (sender, blocks) = mpsc::channel(QUEUE);
        let task = tokio::spawn(async move {
            // Hashes of the reported blocks, by height above the premined ones.
            let mut reported: Vec<String> = Vec::new();
            loop {
                // Bitcoin may be busy. Missed blocks are reported later.
                if let Err(error) = follow(&rpc, premined, &mut reported, &sender).await {
                    tracing::debug!(%error, "Bitcoin does not answer");
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self { blocks, task }
    }

    /// Waits for the next block.
    pub(super) async fn next(&mut self) -> ChainBlock {
        match self.blocks.recv().await {
            Some(found) => found,
            None => std::future::pending().await,
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reports new blocks of the best chain, lowest first. After a reorganization, these include the replacements.
async fn follow(
    rpc: &Rpc,
    premined: u32,
    reported: &mut Vec<String>,
    sender: &mpsc::Sender<ChainBlock>,
) -> Result<(), RpcError> {
    let mut new = Vec::new();
    let mut hash = rpc.call_str("getbestblockhash", json!([])).await?;
    loop {
        let header = rpc.call("getblockheader", json!([hash, true])).await?;
        let unexpected = RpcError::Unexpected { method: "getblockheader" };
        let height = header["height"].as_u64().and_then(|height| u32::try_from(height).ok()).ok_or(unexpected)?;
        let Some(place) = height.checked_sub(premined + 1) else { break };
        if reported.get(place as usize) == Some(&hash) {
            break;
        }
        new.push((place as usize, height, hash));
        hash = header.get("previousblockhash").and_then(Value::as_str).unwrap_or_default().to_owned();
    }
    for (place, height, hash) in new.into_iter().rev() {
        let hex = rpc.call_str("getblock", json!([hash, 0])).await?;
        let unexpected = RpcError::Unexpected { method: "getblock" };
        let block: Block = deserialize_hex(&hex).map_err(|_| unexpected)?;
        let coinbase = block.txdata.into_iter().next().ok_or(RpcError::Unexpected { method: "getblock" })?;
        reported.truncate(place);
        reported.push(hash.clone());
        if sender.send(ChainBlock { height, hash, coinbase }).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}
