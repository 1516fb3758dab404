//! The part of bitcoind's JSON-RPC that pool nodes use, with bitcoind's formats and error codes.

mod chain;
mod failure;
mod mining;
mod network;
mod params;

use std::sync::Arc;

use serde_json::{Value, json};

use self::failure::Answer;
pub(crate) use self::failure::{RpcFailure, code};
use self::params::Params;
use super::http::Methods;
use super::state::State;

/// The calls that a pool node makes.
pub(super) struct Calls(pub(super) Arc<State>);

impl Methods for Calls {
    async fn call(&self, method: &str, params: &Value) -> Answer {
        call(&self.0, method, params).await
    }
}

/// Calls one method.
async fn call(state: &Arc<State>, method: &str, params: &Value) -> Answer {
    let params = Params::new(method, params)?;
    match method {
        "getbestblockhash" => chain::best_block_hash(state),
        "getblock" => chain::block(state, &params),
        "getblockchaininfo" => chain::blockchain_info(state),
        "getblockcount" => chain::block_count(state),
        "getblockhash" => chain::block_hash(state, &params),
        "getblockheader" => chain::block_header(state, &params),
        "getchaintips" => chain::chain_tips(state),
        "getdifficulty" => chain::difficulty(state),
        "getblocktemplate" => mining::block_template(state, &params).await,
        "getmininginfo" => mining::mining_info(state),
        "submitblock" => mining::submit_block(state, &params).await,
        "submitheader" => mining::submit_header(state, &params).await,
        "getnetworkinfo" => network::network_info(),
        "uptime" => Ok(json!(state.uptime_s())),
        "validateaddress" => network::validate_address(&params),
        _ => Err(RpcFailure::new(code::METHOD_NOT_FOUND, "Method not found")),
    }
}
