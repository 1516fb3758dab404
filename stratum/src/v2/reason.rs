//! Why the server refuses a channel, a share or a connection.

use mining_sv2::{
    ERROR_CODE_SUBMIT_SHARES_BAD_EXTRANONCE_SIZE, ERROR_CODE_SUBMIT_SHARES_DIFFICULTY_TOO_LOW,
    ERROR_CODE_SUBMIT_SHARES_DUPLICATE_SHARE, ERROR_CODE_SUBMIT_SHARES_INVALID_JOB_ID,
    ERROR_CODE_SUBMIT_SHARES_INVALID_NON_ROLLABLE_VERSION_BIT, ERROR_CODE_SUBMIT_SHARES_INVALID_SHARE,
    ERROR_CODE_SUBMIT_SHARES_STALE_SHARE,
};

use crate::limits;
use crate::message::Reject;
use crate::pool::Refusal;

/// Why the server closes a connection. The miner reads the sentence in the message that closes its channels.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// A payload is not what its message type says. Holds the type.
    #[error("the content of a message of type {0:#04x} is malformed")]
    Malformed(u8),
    /// The first message is no SetupConnection, or a later one is.
    #[error("a connection begins with SetupConnection, once")]
    Order,
    /// The server does not offer what SetupConnection asks for. Holds the code.
    #[error("the connection was set up for something that this server does not offer: {0}")]
    Setup(&'static str),
    /// The pool has no work.
    #[error("{0}")]
    NoWork(Refusal),
    /// The server stops.
    #[error("this server is stopping")]
    Stopping,
    /// The miner exceeds [`limits::LINES_PER_SECOND`] and its burst allowance.
    #[error("too many messages: the sustained limit is {} per second", limits::LINES_PER_SECOND)]
    Flood,
    /// The miner asked for more than [`limits::STRIKES_MAX`] things that it cannot have in a short time.
    #[error("too many invalid requests")]
    Strikes,
    /// The miner did not set its connection up in time. Holds the limit in seconds.
    #[error("no setup within {0} s of connecting")]
    Handshake(u64),
    /// The miner sent no message for too long. Holds the limit in seconds.
    #[error("no message received for {0} s")]
    Idle(u64),
    /// The rest of a frame did not arrive in time. Holds the limit in seconds.
    #[error("incomplete message: the rest did not arrive within {0} s")]
    PartialFrame(u64),
}

impl CloseReason {
    /// Name of the reason in the statistics; those of v1 have the same.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Order => "malformed",
            Self::Setup(_) => "setup",
            Self::NoWork(_) => "no_work",
            Self::Stopping => "stopping",
            Self::Flood => "flood",
            Self::Strikes => "strikes",
            Self::Handshake(_) => "no_login",
            Self::Idle(_) => "idle",
            Self::PartialFrame(_) => "partial",
        }
    }
}

/// Returns the specification's code for a rejected share.
pub(super) fn share_code(reject: &Reject) -> &'static str {
    match reject {
        Reject::JobNotFound(_) => ERROR_CODE_SUBMIT_SHARES_INVALID_JOB_ID,
        Reject::ForeignExtranonce => ERROR_CODE_SUBMIT_SHARES_BAD_EXTRANONCE_SIZE,
        Reject::Stale(_) => ERROR_CODE_SUBMIT_SHARES_STALE_SHARE,
        Reject::Duplicate => ERROR_CODE_SUBMIT_SHARES_DUPLICATE_SHARE,
        Reject::LowDifficulty { .. } => ERROR_CODE_SUBMIT_SHARES_DIFFICULTY_TOO_LOW,
        Reject::Version { .. } => ERROR_CODE_SUBMIT_SHARES_INVALID_NON_ROLLABLE_VERSION_BIT,
        _ => ERROR_CODE_SUBMIT_SHARES_INVALID_SHARE,
    }
}
