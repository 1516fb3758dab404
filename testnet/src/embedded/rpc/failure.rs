//! What a call answers, and how it fails.

use serde_json::{Value, json};

use crate::embedded::engine::EngineError;

/// bitcoind's error codes, `rpc/protocol.h`.
pub(in crate::embedded) mod code {
    /// Anything without a code of its own, such as a missing argument.
    pub(in crate::embedded) const MISC: i32 = -1;
    /// An argument of the wrong type.
    pub(in crate::embedded) const TYPE: i32 = -3;
    /// No such block, or no valid address.
    pub(in crate::embedded) const NOT_FOUND: i32 = -5;
    /// An argument out of its range.
    pub(in crate::embedded) const INVALID_PARAMETER: i32 = -8;
    /// Bytes that are no block or header.
    pub(in crate::embedded) const DESERIALIZATION: i32 = -22;
    /// A header that is not valid.
    pub(in crate::embedded) const VERIFY: i32 = -25;
    /// JSON-RPC: no such method.
    pub(in crate::embedded) const METHOD_NOT_FOUND: i32 = -32601;
    /// JSON-RPC: not a request.
    pub(in crate::embedded) const INVALID_REQUEST: i32 = -32600;
    /// JSON-RPC: not JSON.
    pub(in crate::embedded) const PARSE: i32 = -32700;
    /// JSON-RPC: the server's own fault.
    pub(in crate::embedded) const INTERNAL: i32 = -32603;
}

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::embedded) struct RpcFailure {
    /// One of [`code`].
    pub(in crate::embedded) code: i32,
    /// What is wrong, in bitcoind's words where they are known.
    pub(in crate::embedded) message: String,
}

impl RpcFailure {
    pub(in crate::embedded) fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(in crate::embedded) fn to_json(&self) -> Value {
        json!({ "code": self.code, "message": self.message })
    }
}

impl From<EngineError> for RpcFailure {
    fn from(error: EngineError) -> Self {
        tracing::error!(%error, "the embedded Bitcoin's engine failed");
        Self::new(code::INTERNAL, error.to_string())
    }
}

/// A result, or the error answer in its place.
pub(super) type Answer = Result<Value, RpcFailure>;
