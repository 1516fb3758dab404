//! Lines to typed requests, and answers to lines.

use serde_json::Value;

mod answer;
mod params;
mod reject;
#[cfg(test)]
mod tests;

pub use answer::{accepted, configured, notify, refused, set_difficulty, set_version_mask, subscribed};
pub use reject::{Reject, RejectReason};

use crate::limits;

/// Why a line is no request at all. The connection is closed after the answer.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// The line is not JSON.
    #[error("not a Stratum message: {0}")]
    NotJson(#[from] serde_json::Error),
    /// The line is JSON, but not an object.
    #[error("not a Stratum message: expected a JSON object")]
    NotAnObject,
    /// The id is not a string, an integer or null, or is too long.
    #[error("the id must be an integer, null or a string of at most {} characters", limits::ID_CHARS_MAX)]
    BadId,
    /// The object has neither a method nor a result.
    #[error("the message has no method")]
    NoMethod,
}

/// What is wrong with a request's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// `params` is not a list.
    #[error("params must be a list")]
    NotAList,
    /// A parameter is missing or of the wrong type.
    #[error("parameter {index} ({name}) must be {expected}")]
    Wrong {
        /// Position, from 0.
        index: usize,
        /// What the parameter is called.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

/// One message of a miner.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The id, to be echoed.
    pub id: Value,
    /// What is asked, or what is wrong with the parameters.
    pub call: Result<Call, ParamError>,
}

/// What a miner asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// `mining.configure`, BIP-0310.
    Configure(Configure),
    /// `mining.subscribe` with the user agent, if it gave one.
    Subscribe {
        /// The user agent as sent.
        agent: Option<String>,
    },
    /// `mining.authorize`.
    Authorize(Login),
    /// `mining.submit`.
    Submit(Submission),
    /// `mining.suggest_difficulty`.
    SuggestDifficulty(f64),
    /// `mining.extranonce.subscribe`.
    ExtranonceSubscribe,
    /// `mining.ping`.
    Ping,
    /// An answer to something the server asked, or a `pong`: taken, never answered.
    Answer,
    /// A method this server does not know.
    Unknown(String),
}

/// The extensions a miner asks for in `mining.configure`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configure {
    /// Names of the extensions, as sent, bounded by the line.
    pub extensions: Vec<String>,
    /// `version-rolling.mask`; all bits when absent.
    pub mask: Option<u32>,
    /// `version-rolling.min-bit-count`.
    pub min_bits: Option<u32>,
    /// `minimum-difficulty.value`.
    pub min_difficulty: Option<f64>,
}

/// A user name, and the difficulty its password asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// The user name, `address.worker`.
    pub user: String,
    /// The number after `d=` or `diff=` in the password.
    pub difficulty: Option<f64>,
}

/// A miner's choices for one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The user name.
    pub worker: String,
    /// The job's id.
    pub job: u32,
    /// The extranonce2.
    pub extranonce2: [u8; 8],
    /// The header's time.
    pub time: u32,
    /// The header's nonce.
    pub nonce: u32,
    /// The rolled version bits, if it sent any.
    pub version_bits: Option<u32>,
}

impl Request {
    /// Reads a line.
    ///
    /// # Errors
    /// Says why the line is no request; wrong parameters of a request are in [`Request::call`].
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
                Ok(Call::Answer)
            }
            _ => return Err(ParseError::NoMethod),
        };
        Ok(Self { id, call })
    }
}
