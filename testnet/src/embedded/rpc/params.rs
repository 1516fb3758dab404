//! Reads the arguments of a call. Errors have bitcoind's words.

use bitcoin::BlockHash;
use serde_json::Value;

use super::failure::{RpcFailure, code};

/// The positional arguments of one call.
pub(super) struct Params<'a> {
    method: &'a str,
    values: &'a [Value],
}

impl<'a> Params<'a> {
    /// Reads the request's `params`. Named arguments are not supported.
    pub(super) fn new(method: &'a str, params: &'a Value) -> Result<Self, RpcFailure> {
        match params {
            Value::Null => Ok(Self { method, values: &[] }),
            Value::Array(values) => Ok(Self { method, values }),
            Value::Object(_) => Err(RpcFailure::new(
                code::INVALID_PARAMETER,
                "Named arguments are not served by the embedded Bitcoin, use an array",
            )),
            _ => Err(RpcFailure::new(code::INVALID_REQUEST, "Params must be an array or object")),
        }
    }

    /// Returns an argument, or `None` if it is missing or null.
    pub(super) fn optional(&self, index: usize) -> Option<&'a Value> {
        self.values.get(index).filter(|value| !value.is_null())
    }

    pub(super) fn required(&self, index: usize) -> Result<&'a Value, RpcFailure> {
        // bitcoind answers with the method's help text and this code.
        let missing = || RpcFailure::new(code::MISC, format!("{}: missing argument", self.method));
        self.optional(index).ok_or_else(missing)
    }

    pub(super) fn text(&self, index: usize, name: &str) -> Result<&'a str, RpcFailure> {
        let value = self.required(index)?;
        value.as_str().ok_or_else(|| wrong_type(index, name, value, "string"))
    }

    pub(super) fn integer(&self, index: usize, name: &str) -> Result<i64, RpcFailure> {
        let value = self.required(index)?;
        value.as_i64().ok_or_else(|| wrong_type(index, name, value, "number"))
    }

    /// Returns a block hash. bitcoind words a malformed hash differently from a value of the wrong type.
    pub(super) fn hash(&self, index: usize, malformed: &str) -> Result<BlockHash, RpcFailure> {
        parse_hash(self.text(index, "blockhash")?, malformed)
    }
}

/// Parses a block hash in bitcoind's format.
pub(super) fn parse_hash(text: &str, name: &str) -> Result<BlockHash, RpcFailure> {
    if text.len() != 64 {
        let length = text.len();
        let message = format!("{name} must be of length 64 (not {length}, for '{text}')");
        return Err(RpcFailure::new(code::INVALID_PARAMETER, message));
    }
    text.parse().map_err(|_| {
        let message = format!("{name} must be hexadecimal string (not '{text}')");
        RpcFailure::new(code::INVALID_PARAMETER, message)
    })
}

/// Returns the error for an argument of the wrong type.
pub(super) fn wrong_type(index: usize, name: &str, value: &Value, expected: &str) -> RpcFailure {
    let actual = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let position = index + 1;
    RpcFailure::new(
        code::TYPE,
        format!(
            "Wrong type passed:\n{{\n    \"Position {position} ({name})\": \"JSON value of type \
             {actual} is not of expected type {expected}\"\n}}"
        ),
    )
}
