//! The part of bitcoind's JSON-RPC that pool nodes use, in bitcoind's shapes and error codes.

mod chain;
mod mining;
mod network;
mod params;

use std::sync::Arc;

use serde_json::{Value, json};

use self::params::Params;
use super::engine::EngineError;
use super::state::State;

/// bitcoind's error codes, `rpc/protocol.h`.
pub(super) mod code {
    /// Anything without a code of its own, such as a missing argument.
    pub(crate) const MISC: i32 = -1;
    /// An argument of the wrong type.
    pub(crate) const TYPE: i32 = -3;
    /// No such block, or no valid address.
    pub(crate) const NOT_FOUND: i32 = -5;
    /// An argument out of its range.
    pub(crate) const INVALID_PARAMETER: i32 = -8;
    /// Bytes that are no block or header.
    pub(crate) const DESERIALIZATION: i32 = -22;
    /// A header that is not valid.
    pub(crate) const VERIFY: i32 = -25;
    /// JSON-RPC: no such method.
    pub(crate) const METHOD_NOT_FOUND: i32 = -32601;
    /// JSON-RPC: not a request.
    pub(crate) const INVALID_REQUEST: i32 = -32600;
    /// JSON-RPC: not JSON.
    pub(crate) const PARSE: i32 = -32700;
    /// JSON-RPC: the server's own fault.
    pub(crate) const INTERNAL: i32 = -32603;
}

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RpcFailure {
    /// One of [`code`].
    pub(super) code: i32,
    /// What is wrong, in bitcoind's words where they are known.
    pub(super) message: String,
}

impl RpcFailure {
    pub(super) fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "code": self.code, "message": self.message })
    }
}

impl From<EngineError> for RpcFailure {
    fn from(error: EngineError) -> Self {
        tracing::error!(%error, "the embedded Bitcoin's engine failed");
        Self::new(code::INTERNAL, error.to_string())
    }
}

type Answer = Result<Value, RpcFailure>;

/// Calls one method.
pub(super) async fn call(state: &Arc<State>, method: &str, params: &Value) -> Answer {
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
