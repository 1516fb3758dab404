//! The methods that a miner may call, with their parameters as types.

use crate::pool::EXTRANONCE2_BYTES;

/// Why the parameters of a request are invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// `params` is not a list.
    #[error("params must be a list")]
    NotAList,
    /// A parameter is missing or has the wrong type or format.
    #[error("parameter {index} ({name}) must be {expected}")]
    Wrong {
        /// Position in `params`, starting at 0.
        index: usize,
        /// Name of the parameter.
        name: &'static str,
        /// Expected type or format, such as `a string`.
        expected: &'static str,
    },
}

/// A method call of a miner.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// `mining.configure`, from
    /// [BIP-0310](https://github.com/bitcoin/bips/blob/master/bip-0310.mediawiki).
    Configure(Configure),
    /// `mining.subscribe`. The server ignores the session id that some miners send along.
    Subscribe {
        /// User agent as sent, if any.
        agent: Option<String>,
    },
    /// `mining.authorize`.
    Authorize(Login),
    /// `mining.submit`.
    Submit(Submission),
    /// `mining.suggest_difficulty`: a finite number above 0.
    SuggestDifficulty(f64),
    /// `mining.extranonce.subscribe`.
    ExtranonceSubscribe,
    /// `mining.ping`.
    Ping,
    /// A response to the server, or a `pong`. The server ignores both.
    Response,
    /// A method that this server does not implement.
    Unknown(String),
}

/// The extensions that a miner requests with `mining.configure`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configure {
    /// Names of the extensions, as sent. The length of the line bounds their number.
    pub extensions: Vec<String>,
    /// `version-rolling.mask`. `None` requests all bits.
    pub mask: Option<u32>,
    /// `version-rolling.min-bit-count`.
    pub min_bits: Option<u32>,
    /// `minimum-difficulty.value`: a finite number above 0.
    pub min_difficulty: Option<f64>,
}

/// The parameters of `mining.authorize`.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// User name as sent, usually `address.worker`.
    pub user: String,
    /// Minimum difficulty from `d=NUMBER` or `diff=NUMBER` in the password.
    pub difficulty: Option<f64>,
}

/// The parameters of `mining.submit`: a miner's choices for one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// User name as sent.
    pub worker: String,
    /// Job id from `mining.notify`.
    pub job: u32,
    /// Extranonce2, as in the coinbase.
    pub extranonce2: [u8; EXTRANONCE2_BYTES],
    /// Header time, in seconds since 1970 (UTC).
    pub time: u32,
    /// Header nonce.
    pub nonce: u32,
    /// Rolled version bits. `None` if the miner does not roll the version.
    pub version_bits: Option<u32>,
}
