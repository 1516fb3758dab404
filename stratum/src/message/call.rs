//! The methods that a miner may call, with their parameters as types.

use crate::pool::{EXTRANONCE1_BYTES, EXTRANONCE2_BYTES};

/// Why the parameters of a request are invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamError {
    /// `params` is not a list.
    #[error("params must be a list")]
    NotAList,
    /// A suggested difficulty is no finite number above 0, or a suggested target no number of 64 hex digits above 0.
    #[error("the suggestion is no number above 0, so it changes nothing")]
    Suggestion,
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
    /// `mining.subscribe`.
    Subscribe {
        /// User agent as sent, if any.
        agent: Option<String>,
        /// Session id of an earlier subscription, if it can be one of this server's: that connection's extranonce1.
        session_id: Option<[u8; EXTRANONCE1_BYTES]>,
    },
    /// `mining.authorize`.
    Authorize(Login),
    /// `mining.submit`.
    Submit(Submission),
    /// `mining.suggest_difficulty` or `mining.suggest_target`: a finite difficulty above 0.
    SuggestDifficulty(f64),
    /// `mining.extranonce.subscribe`.
    ExtranonceSubscribe,
    /// `mining.ping`.
    Ping,
    /// `mining.get_transactions`. Some programs send it after each job.
    GetTransactions,
    /// A response to the server with its result, if that is a text; or a `pong`.
    Response(Option<String>),
    /// A method that this server does not implement.
    Unknown(String),
}

/// The extensions that a miner requests with `mining.configure`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Configure {
    /// Names of the first extensions, as sent: at most [`crate::limits::EXTENSIONS_MAX`].
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
    /// Minimum difficulty from the password, such as `d=NUMBER`.
    pub difficulty: Option<f64>,
}

/// The parameters of `mining.submit`: a miner's choices for one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// User name as sent.
    pub worker: String,
    /// Job id from `mining.notify`. `None` if it cannot be one of this server's.
    pub job: Option<u32>,
    /// Extranonce2, as in the coinbase. `None` if it has another size than this server's.
    pub extranonce2: Option<[u8; EXTRANONCE2_BYTES]>,
    /// Header time, in seconds since 1970 (UTC).
    pub time: u32,
    /// Header nonce.
    pub nonce: u32,
    /// Rolled version bits. `None` if the miner does not roll the version.
    pub version_bits: Option<u32>,
}
