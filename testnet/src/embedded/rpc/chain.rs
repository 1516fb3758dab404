//! Methods about blocks and the chain.

use bitcoin::consensus::encode::serialize_hex;
use bitcoin::{Block, BlockHash, Target};
use serde_json::{Map, Value, json};

use super::failure::{Answer, RpcFailure, code};
use super::params::{Params, wrong_type};
use crate::embedded::index::{Entry, Index, Status};
use crate::embedded::state::State;
use crate::embedded::template::hex_target;
use crate::signet;

pub(super) fn best_block_hash(state: &State) -> Answer {
    Ok(json!(state.view().index.tip().0.to_string()))
}

pub(super) fn block_count(state: &State) -> Answer {
    Ok(json!(state.view().index.tip().1.height))
}

pub(super) fn difficulty(state: &State) -> Answer {
    Ok(json!(state.view().index.tip().1.header.target().difficulty_float()))
}

pub(super) fn block_hash(state: &State, params: &Params<'_>) -> Answer {
    let height = params.integer(0, "height")?;
    let hash = usize::try_from(height).ok().and_then(|height| state.view().index.at_height(height));
    let out_of_range = || RpcFailure::new(code::INVALID_PARAMETER, "Block height out of range");
    Ok(json!(hash.ok_or_else(out_of_range)?.to_string()))
}

pub(super) fn block_header(state: &State, params: &Params<'_>) -> Answer {
    let hash = params.hash(0, "hash")?;
    let verbose = match params.optional(1) {
        None => true,
        Some(value) => value.as_bool().ok_or_else(|| wrong_type(1, "verbose", value, "bool"))?,
    };
    let view = state.view();
    let entry = view.index.get(&hash).ok_or_else(not_found)?;
    if !verbose {
        return Ok(json!(serialize_hex(&entry.header)));
    }
    Ok(Value::Object(header_fields(&view.index, &hash, entry)))
}

pub(super) fn block(state: &State, params: &Params<'_>) -> Answer {
    let hash = params.hash(0, "blockhash")?;
    let verbosity = match params.optional(1) {
        None => 1,
        Some(Value::Bool(verbose)) => i64::from(*verbose),
        Some(value) => value.as_i64().ok_or_else(|| wrong_type(1, "verbosity", value, "number"))?,
    };
    if state.view().index.get(&hash).is_none() {
        return Err(not_found());
    }
    let stored = state.engine().block(&hash)?;
    let not_stored = || RpcFailure::new(code::MISC, "Block not available (not fully downloaded)");
    let block = stored.ok_or_else(not_stored)?;
    match verbosity {
        ..=0 => Ok(json!(serialize_hex(&block))),
        1 => {
            let view = state.view();
            let entry = view.index.get(&hash).ok_or_else(not_found)?;
            let mut fields = header_fields(&view.index, &hash, entry);
            fields.extend(body_fields(&block));
            Ok(Value::Object(fields))
        }
        _ => Err(RpcFailure::new(code::INVALID_PARAMETER, "The embedded Bitcoin serves verbosity 0 and 1")),
    }
}

pub(super) fn chain_tips(state: &State) -> Answer {
    let tips = state.view().index.chain_tips();
    let tip = |tip: &crate::embedded::index::ChainTip| {
        let status = match tip.status {
            _ if tip.active => "active",
            Status::HeaderOnly => "headers-only",
            Status::Stored => "valid-headers",
            Status::Valid => "valid-fork",
            Status::Invalid => "invalid",
        };
        json!({
            "height": tip.height,
            "hash": tip.hash.to_string(),
            "branchlen": tip.branch_length,
            "status": status,
        })
    };
    Ok(tips.iter().map(tip).collect())
}

pub(super) fn blockchain_info(state: &State) -> Answer {
    let view = state.view();
    let (hash, tip) = view.index.tip();
    Ok(json!({
        "chain": "signet",
        "blocks": tip.height,
        "headers": view.index.best_header_height(),
        "bestblockhash": hash.to_string(),
        "bits": bits(tip),
        "target": hex_target(tip.header.target()),
        "difficulty": tip.header.target().difficulty_float(),
        "time": tip.header.time,
        "mediantime": view.index.median_time(&hash),
        "verificationprogress": 1,
        // There are no peers to sync with.
        "initialblockdownload": false,
        "chainwork": chainwork(tip),
        "size_on_disk": 0,
        "pruned": false,
        "signet_challenge": signet::CHALLENGE_HEX,
        "warnings": [],
    }))
}

fn not_found() -> RpcFailure {
    RpcFailure::new(code::NOT_FOUND, "Block not found")
}

fn bits(entry: &Entry) -> String {
    format!("{:08x}", entry.header.bits.to_consensus())
}

fn chainwork(entry: &Entry) -> String {
    format!("{:x}", entry.chainwork)
}

fn header_fields(index: &Index, hash: &BlockHash, entry: &Entry) -> Map<String, Value> {
    let header = &entry.header;
    let active = index.is_active(hash);
    let tip_height = index.tip().1.height;
    let confirmations = if active { i64::from(tip_height - entry.height) + 1 } else { -1 };
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("hash", json!(hash.to_string()));
    put("confirmations", json!(confirmations));
    put("height", json!(entry.height));
    put("version", json!(header.version.to_consensus()));
    put("versionHex", json!(format!("{:08x}", header.version.to_consensus())));
    put("merkleroot", json!(header.merkle_root.to_string()));
    put("time", json!(header.time));
    put("mediantime", json!(index.median_time(hash)));
    put("nonce", json!(header.nonce));
    put("bits", json!(bits(entry)));
    put("target", json!(hex_target(Target::from_compact(header.bits))));
    put("difficulty", json!(header.target().difficulty_float()));
    put("chainwork", json!(chainwork(entry)));
    put("nTx", json!(entry.transaction_count));
    if entry.height > 0 {
        put("previousblockhash", json!(header.prev_blockhash.to_string()));
    }
    if let Some(next) = index.at_height(entry.height as usize + 1).filter(|_| active) {
        put("nextblockhash", json!(next.to_string()));
    }
    fields
}

fn body_fields(block: &Block) -> Map<String, Value> {
    let txids: Vec<String> = block.txdata.iter().map(|tx| tx.compute_txid().to_string()).collect();
    let weight = block.weight().to_wu();
    let size = block.total_size() as u64;
    let mut fields = Map::new();
    // Weight is three times the size without witnesses plus once the size with them.
    fields.insert("strippedsize".to_owned(), json!((weight - size) / 3));
    fields.insert("size".to_owned(), json!(size));
    fields.insert("weight".to_owned(), json!(weight));
    fields.insert("tx".to_owned(), json!(txids));
    fields
}
