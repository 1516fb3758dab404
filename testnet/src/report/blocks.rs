//! Bitcoin blocks: the nodes' accounts of them, and Bitcoin's own data.

use bitcoin::consensus::encode::{deserialize_hex, serialize_hex};
use bitcoin::{Block, Transaction};
use serde_json::{Value, json};

use super::model::{BlockReport, Output, Weight};
use crate::api_client::{self, Api, ApiError};
use crate::network::Plan;
use crate::rpc::{Rpc, RpcError};

/// One node's account of a block.
#[derive(Debug)]
struct NodeAccount {
    node: String,
    block: api_client::Block,
}

/// Describes one block. `None` if no node knows it.
///
/// # Errors
/// If a node does not answer, or Bitcoin's block cannot be decoded.
pub(super) async fn describe(
    hash: &str,
    plan: &Plan,
    apis: &[(String, Api)],
    rpc: &Rpc,
) -> Result<Option<BlockReport>, DescribeError> {
    let mut accounts = Vec::new();
    for (node, api) in apis {
        if let Some(block) = api.block(hash).await? {
            accounts.push(NodeAccount { node: node.clone(), block });
        }
    }
    let found = bitcoin_block(rpc, hash).await?;
    // Prefer a node that has the weights: one that joined late may lack those of the snapshot.
    let Some(best) =
        accounts.iter().max_by_key(|account| account.block.weights.len()).map(|account| account.block.clone())
    else {
        return Ok(None);
    };
    let coinbase = match &found {
        Some((block, _)) => block.txdata.first().cloned(),
        None => deserialize_hex(&best.coinbase_hex).ok(),
    }
    .ok_or(DescribeError::NoCoinbase)?;
    let accepted =
        |account: &&NodeAccount| account.block.bitcoind.as_ref().is_some_and(api_client::BitcoindSays::is_accepted);
    let finder = plan.miner_of(&best.finder_script);
    Ok(Some(BlockReport {
        hash: hash.to_owned(),
        height: best.height,
        prev_hash: best.prev_hash,
        finder_node: finder.map(|miner| plan.nodes[miner.node].name.clone()),
        finder_script: best.finder_script,
        accepted_by: accounts
            .iter()
            .filter(accepted)
            .filter(|_| found.is_some())
            .map(|account| account.node.clone())
            .collect(),
        is_active: found.is_some_and(|(_, is_active)| is_active),
        coinbase_hex: serialize_hex(&coinbase),
        value_sat: coinbase.output.iter().map(|output| output.value.to_sat()).sum(),
        outputs: payouts(&coinbase),
        snapshot: best.snapshot,
        snapshot_listed: best.snapshot_listed_total,
        seed: best.seed,
        weights: best.weights.into_iter().map(|due| Weight { script: due.script, weight: due.weight }).collect(),
    }))
}

/// An error while describing a block.
#[derive(Debug, thiserror::Error)]
pub enum DescribeError {
    /// A node does not answer.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// Bitcoin does not answer.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The block has no coinbase.
    #[error("it has no readable coinbase")]
    NoCoinbase,
}

/// Returns the outputs that pay a script, without the two commitments.
pub fn payouts(coinbase: &Transaction) -> Vec<Output> {
    let pays = |output: &&bitcoin::TxOut| !output.script_pubkey.is_op_return();
    let output =
        |output: &bitcoin::TxOut| Output { script: output.script_pubkey.clone(), value_sat: output.value.to_sat() };
    coinbase.output.iter().filter(pays).map(output).collect()
}

/// Returns a block as Bitcoin has it, and whether it is in the best chain. `None` if Bitcoin does not have it.
async fn bitcoin_block(rpc: &Rpc, hash: &str) -> Result<Option<(Block, bool)>, RpcError> {
    let hex = match rpc.call_str("getblock", json!([hash, 0])).await {
        // Bitcoin's code for a block that it does not have.
        Err(RpcError::Failed { code: -5 | -1, .. }) => return Ok(None),
        other => other?,
    };
    let block = deserialize_hex(&hex).map_err(|_| RpcError::Unexpected { method: "getblock" })?;
    let header = rpc.call("getblockheader", json!([hash, true])).await?;
    let is_active = header.get("confirmations").and_then(Value::as_i64).is_some_and(|confirmations| confirmations > 0);
    Ok(Some((block, is_active)))
}
