//! Blocks without transactions for the embedded Bitcoin.

use std::time::Duration;

use bitcoin::block::{Header, Version};
use bitcoin::consensus::encode::serialize_hex;
use bitcoin::hashes::Hash;
use bitcoin::{Block, CompactTarget, Target, TxMerkleNode};
use serde_json::{Value, json};
use sim::hash::HeaderHasher;

use super::StratumError;
use super::node::Node;
use crate::rpc::{Rpc, RpcError};
use crate::scale::load::now_us;
use crate::signet;
use crate::wallet::Wallet;

/// Bitcoin tips before the measurement: after as many, the node forgets about as many job templates as it adds.
const WARM_UP_TIPS: u32 = 30;

/// Makes a block on the current tip. It takes a second or two of one core.
pub(super) async fn next(rpc: &Rpc) -> Result<Block, RpcError> {
    let template = rpc.call("getblocktemplate", json!([{ "rules": ["segwit", "signet"] }])).await?;
    let header = header(&template).ok_or(RpcError::Unexpected { method: "getblocktemplate" })?;
    let height = template["height"].as_u64().and_then(|height| u32::try_from(height).ok()).unwrap_or(0);
    let coinbase = signet::coinbase(height, b"bench".into(), Wallet::new().script(0));
    let mut block = Block { header, txdata: vec![coinbase] };
    block.header.merkle_root = TxMerkleNode::from_raw_hash(block.txdata[0].compute_txid().to_raw_hash());
    let target = Target::from_compact(block.header.bits);
    let nonce = HeaderHasher::new(&block.header).search(target, 0, u32::MAX);
    block.header.nonce = nonce.ok_or(RpcError::Unexpected { method: "getblocktemplate" })?;
    Ok(block)
}

/// Submits a block.
///
/// # Errors
/// The Bitcoin refuses it, or does not answer.
pub(super) async fn submit(rpc: &Rpc, block: &Block) -> Result<(), StratumError> {
    let verdict = rpc.call("submitblock", json!([serialize_hex(block)])).await?;
    if verdict.is_null() { Ok(()) } else { Err(StratumError::Refused(verdict)) }
}

/// Lets some tips pass while the node has no miners, so that its own memory for templates is not taken for that of connections.
/// Returns its resident memory, in bytes.
///
/// # Errors
/// The Bitcoin refuses a block, or the node gets no template.
pub(super) async fn warm_up(rpc: &Rpc, node: &mut Node) -> Result<u64, StratumError> {
    for _ in 0..WARM_UP_TIPS {
        let block = next(rpc).await?;
        let submitted_us = now_us();
        submit(rpc, &block).await?;
        tokio::time::sleep(Duration::from_millis(500)).await;
        node.newest_tip_us(submitted_us)?;
    }
    Ok(node.memory_bytes())
}

fn header(template: &Value) -> Option<Header> {
    Some(Header {
        version: Version::from_consensus(0x2000_0000),
        prev_blockhash: template["previousblockhash"].as_str()?.parse().ok()?,
        merkle_root: TxMerkleNode::all_zeros(),
        time: u32::try_from(template["curtime"].as_u64()?).ok()?,
        bits: CompactTarget::from_unprefixed_hex(template["bits"].as_str()?).ok()?,
        nonce: 0,
    })
}
