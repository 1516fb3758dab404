//! Methods for mining: templates, proposals, submitted blocks.

use std::sync::Arc;
use std::time::Duration;

use bitcoin::block::Header;
use bitcoin::consensus::encode::deserialize_hex;
use bitcoin::{Block, BlockHash, Target};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::failure::{Answer, RpcFailure, code};
use super::params::{Params, parse_hash, wrong_type};
use crate::embedded::engine::Verdict;
use crate::embedded::index::Status;
use crate::embedded::proposal;
use crate::embedded::state::{State, now_s};
use crate::embedded::template::hex_target;
use crate::limits::LONG_POLL_TRANSACTIONS_AFTER;
use crate::signet;

pub(super) async fn block_template(state: &Arc<State>, params: &Params<'_>) -> Answer {
    let request = params.required(0)?;
    if !request.is_object() {
        return Err(wrong_type(0, "template_request", request, "object"));
    }
    match request.get("mode").filter(|mode| !mode.is_null()).map(Value::as_str) {
        None | Some(Some("template")) => {}
        Some(Some("proposal")) => return propose(state, request.get("data")).await,
        Some(_) => return Err(RpcFailure::new(code::INVALID_PARAMETER, "Invalid mode")),
    }
    if let Some(Value::String(id)) = request.get("longpollid") {
        long_poll(state, id).await?;
    }
    for rule in ["signet", "segwit"] {
        let rules = request.get("rules").and_then(Value::as_array);
        if !rules.is_some_and(|rules| rules.iter().any(|known| known == rule)) {
            return Err(missing_rule(rule));
        }
    }
    let template = state.templates().borrow().clone();
    Ok(template.answer(now_s()))
}

fn missing_rule(rule: &str) -> RpcFailure {
    let call = match rule {
        "signet" => r#"{"rules": ["segwit", "signet"]}"#,
        _ => r#"{"rules": ["segwit"]}"#,
    };
    let message = format!("getblocktemplate must be called with the {rule} rule set (call with {call})");
    RpcFailure::new(code::INVALID_PARAMETER, message)
}

/// Waits until the tip differs from the one in the id. After some seconds, other transactions end the wait too.
async fn long_poll(state: &State, id: &str) -> Result<(), RpcFailure> {
    let hash_part = id.get(..64).unwrap_or(id);
    let watched: BlockHash = parse_hash(hash_part, "longpollid")?;
    let pool_version: u64 = id.get(64..).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    let mut templates = state.templates();
    let transactions_from = Instant::now() + LONG_POLL_TRANSACTIONS_AFTER;
    loop {
        let (tip, version) = {
            let template = templates.borrow_and_update();
            (template.tip, template.pool_version)
        };
        let wait = transactions_from.saturating_duration_since(Instant::now());
        if tip != watched || (version != pool_version && wait.is_zero()) {
            return Ok(());
        }
        // A change that came early still ends the wait when the time is up.
        let deadline = if wait.is_zero() { Duration::MAX } else { wait };
        if let Ok(Err(_closed)) = tokio::time::timeout(deadline, templates.changed()).await {
            return Ok(());
        }
    }
}

async fn propose(state: &Arc<State>, data: Option<&Value>) -> Answer {
    let missing = || RpcFailure::new(code::TYPE, "Missing data String key for proposal");
    let block = decode_block(data.and_then(Value::as_str).ok_or_else(missing)?)?;
    let view = state.view();
    if let Some(known) = view.index.get(&block.block_hash()) {
        return Ok(json!(match known.status {
            Status::Valid => "duplicate",
            Status::Invalid => "duplicate-invalid",
            Status::HeaderOnly | Status::Stored => "duplicate-inconclusive",
        }));
    }
    Ok(proposal::judge(&block, &view, state.engine())?.map_or(Value::Null, Value::String))
}

pub(super) async fn submit_block(state: &Arc<State>, params: &Params<'_>) -> Answer {
    let mut block = decode_block(params.text(0, "hexdata")?)?;
    add_reserved_value(&mut block);
    let hash = block.block_hash();
    let judging = state.clone();
    let verdict = blocking(move || judging.submit(&block)).await??;
    tracing::info!(%hash, ?verdict, "block submitted to the embedded Bitcoin");
    Ok(match verdict {
        Verdict::Accepted => Value::Null,
        Verdict::Duplicate => json!("duplicate"),
        Verdict::Inconclusive => json!("inconclusive"),
        Verdict::Invalid(reason) => json!(reason),
    })
}

pub(super) async fn submit_header(state: &Arc<State>, params: &Params<'_>) -> Answer {
    let header: Header = deserialize_hex(params.text(0, "hexdata")?)
        .map_err(|_| RpcFailure::new(code::DESERIALIZATION, "Block header decode failed"))?;
    if state.view().index.get(&header.prev_blockhash).is_none() {
        let message = format!("Must submit previous header ({}) first", header.prev_blockhash);
        return Err(RpcFailure::new(code::VERIFY, message));
    }
    let judging = state.clone();
    match blocking(move || judging.submit_header(&header)).await?? {
        Ok(()) => Ok(Value::Null),
        Err(reason) => Err(RpcFailure::new(code::VERIFY, reason)),
    }
}

pub(super) fn mining_info(state: &State) -> Answer {
    let view = state.view();
    let (hash, tip) = view.index.tip();
    let next_bits = view.index.next_bits(&hash);
    let next_target = Target::from_compact(next_bits);
    Ok(json!({
        "blocks": tip.height,
        "bits": format!("{:08x}", tip.header.bits.to_consensus()),
        "difficulty": tip.header.target().difficulty_float(),
        "target": hex_target(tip.header.target()),
        "networkhashps": 0,
        "pooledtx": view.pool.waiting().len(),
        "chain": "signet",
        "next": {
            "height": tip.height + 1,
            "bits": format!("{:08x}", next_bits.to_consensus()),
            "difficulty": next_target.difficulty_float(),
            "target": hex_target(next_target),
        },
        "signet_challenge": signet::CHALLENGE_HEX,
        "warnings": [],
    }))
}

fn decode_block(hex: &str) -> Result<Block, RpcFailure> {
    deserialize_hex(hex).map_err(|_| RpcFailure::new(code::DESERIALIZATION, "Block decode failed"))
}

/// Adds the coinbase's witness of zeros if the miner left it out, as bitcoind does.
fn add_reserved_value(block: &mut Block) {
    let commits = block.txdata.first().is_some_and(|coinbase| {
        coinbase.output.iter().any(|output| output.script_pubkey.as_bytes().starts_with(&signet::COMMITMENT_START))
    });
    let coinbase_input = block.txdata.first_mut().and_then(|coinbase| coinbase.input.first_mut());
    if let Some(input) = coinbase_input.filter(|input| commits && input.witness.is_empty()) {
        input.witness.push(signet::RESERVED_VALUE);
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, RpcFailure> {
    tokio::task::spawn_blocking(work).await.map_err(|_| RpcFailure::new(code::INTERNAL, "The judgement was cut off"))
}
