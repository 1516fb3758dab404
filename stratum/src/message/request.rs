//! Parses a line from a miner into a request.

use serde::Deserialize;
use serde_json::Value;

use super::call::{Call, ParamError};
use super::params::{self, SUBMIT};
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
        if let Some(request) = Self::parse_submit(line) {
            return Ok(request);
        }
        Self::parse_any(line)
    }

    /// Parses a submission in the form that nearly all programs use, without copying its strings. Thousands may arrive per
    /// second, and building a tree of values takes longer than every other check but the hashes. `None` for any other form.
    pub(super) fn parse_submit(line: &str) -> Option<Self> {
        /// A duplicate field is an error, so that [`Request::parse_any`] decides.
        #[derive(Deserialize)]
        struct Submit<'a> {
            #[serde(default)]
            id: Value,
            method: &'a str,
            #[serde(borrow)]
            params: Vec<&'a str>,
        }
        // Otherwise, a list would be accepted in place of an object.
        let line = Some(line).filter(|line| line.starts_with('{'))?;
        let Submit { id, params, .. } =
            serde_json::from_str(line).ok().filter(|submit: &Submit<'_>| submit.method == SUBMIT)?;
        let submission = params::submission(|index| params.get(index).copied(), params.len() > 5);
        is_id(&id).then(|| Self { id, call: submission.map(Call::Submit) })
    }

    /// Parses a line of any form.
    pub(super) fn parse_any(line: &str) -> Result<Self, ParseError> {
        let Value::Object(mut fields) = serde_json::from_str(line)? else {
            return Err(ParseError::NotAnObject);
        };
        let id = fields.remove("id").unwrap_or(Value::Null);
        if !is_id(&id) {
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

/// Returns whether a value may be the id of a request.
fn is_id(id: &Value) -> bool {
    match id {
        Value::Null => true,
        Value::Number(number) => number.is_i64() || number.is_u64(),
        Value::String(text) => text.chars().count() <= limits::ID_CHARS_MAX,
        _ => false,
    }
}
