//! Parses a line from a miner into a request.

use serde_json::Value;

use super::call::{Call, ParamError};
use super::params;
use crate::limits;

/// Why a line is not a request. The session responds with this error and closes the connection.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// The line is not JSON.
    #[error("not a Stratum message: {0}")]
    NotJson(#[from] serde_json::Error),
    /// The line is JSON, but not an object.
    #[error("not a Stratum message: expected a JSON object")]
    NotAnObject,
    /// The id is not a string, an integer or null, or it is too long.
    #[error("the id must be an integer, null or a string of at most {} characters", limits::ID_CHARS_MAX)]
    BadId,
    /// The object has neither a method nor a result or error.
    #[error("the message has no method")]
    NoMethod,
}

/// One message from a miner.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Request id, which the response echoes. Null if the miner sent none.
    pub id: Value,
    /// The method call, or why its parameters are invalid.
    pub call: Result<Call, ParamError>,
}

impl Request {
    /// Parses a line. Its line ending is optional.
    ///
    /// # Errors
    /// Returns why the line is not a request. Invalid parameters are not an error here: they are in
    /// [`Request::call`], because the response needs the id.
    pub fn parse(line: &str) -> Result<Self, ParseError> {
        let Value::Object(mut fields) = serde_json::from_str(line)? else {
            return Err(ParseError::NotAnObject);
        };
        let id = fields.remove("id").unwrap_or(Value::Null);
        let fits = match &id {
            Value::Null => true,
            Value::Number(number) => number.is_i64() || number.is_u64(),
            Value::String(text) => text.chars().count() <= limits::ID_CHARS_MAX,
            _ => false,
        };
        if !fits {
            return Err(ParseError::BadId);
        }
        let params = fields.remove("params").unwrap_or(Value::Null);
        let call = match fields.remove("method") {
            Some(Value::String(method)) => params::parse_call(method, &params),
            None | Some(Value::Null) if fields.contains_key("result") || fields.contains_key("error") => {
                Ok(Call::Response(fields.get("result").and_then(Value::as_str).map(str::to_owned)))
            }
            _ => return Err(ParseError::NoMethod),
        };
        Ok(Self { id, call })
    }
}
