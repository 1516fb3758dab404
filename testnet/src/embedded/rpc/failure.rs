//! The answer of a call, and its errors.

use serde_json::{Value, json};

use crate::embedded::engine::EngineError;

/// bitcoind's error codes, from `rpc/protocol.h`.
pub(crate) mod code {
    /// Any error without its own code, such as a missing argument.
    pub(crate) const MISC: i32 = -1;
    /// An argument of the wrong type.
    pub(crate) const TYPE: i32 = -3;
    /// An unknown block, or an invalid address.
    pub(crate) const NOT_FOUND: i32 = -5;
    /// An argument out of range.
    pub(crate) const INVALID_PARAMETER: i32 = -8;
    /// Bytes that do not decode to a block or header.
    pub(crate) const DESERIALIZATION: i32 = -22;
    /// An invalid header.
    pub(crate) const VERIFY: i32 = -25;
    /// JSON-RPC: unknown method.
    pub(crate) const METHOD_NOT_FOUND: i32 = -32601;
    /// JSON-RPC: not a valid request.
    pub(crate) const INVALID_REQUEST: i32 = -32600;
    /// JSON-RPC: invalid JSON.
    pub(crate) const PARSE: i32 = -32700;
    /// JSON-RPC: an internal error of the server.
    pub(crate) const INTERNAL: i32 = -32603;
}

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RpcFailure {
    /// One of [`code`].
    pub(crate) code: i32,
    /// The error message, in bitcoind's words if they are known.
    pub(crate) message: String,
}

impl RpcFailure {
    pub(crate) fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({ "code": self.code, "message": self.message })
    }
}

impl From<EngineError> for RpcFailure {
    fn from(error: EngineError) -> Self {
        tracing::error!(%error, "the embedded Bitcoin's engine failed");
        Self::new(code::INTERNAL, error.to_string())
    }
}

/// A result, or an error answer.
pub(super) type Answer = Result<Value, RpcFailure>;
