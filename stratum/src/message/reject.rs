//! Reasons for rejecting a request. Each has Stratum's error code, a sentence for the miner, and a
//! class for the statistics.

use super::call::ParamError;
use crate::difficulty::Difficulty;
use crate::limits;
use crate::pool::Refusal;

/// Why the server rejects a request. The miner reads the sentence.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Reject {
    /// The session never issued this job, or has dropped it. Holds the job id.
    #[error("job {0:x} not found: it is unknown or too old")]
    JobNotFound(u32),
    /// The job builds on an old Bitcoin tip, and the grace period is over. Holds the seconds since
    /// the tip changed.
    #[error("stale: Bitcoin's tip changed {0} s ago")]
    Stale(u64),
    /// The connection sent the same header before.
    #[error("duplicate share")]
    Duplicate,
    /// The hash is above the job's target.
    #[error("low difficulty share: {got:.8} of {needed}")]
    LowDifficulty {
        /// Difficulty of the hash.
        got: f64,
        /// Difficulty of the job.
        needed: Difficulty,
    },
    /// The header's time is outside the job's range.
    #[error("ntime {time} is out of range: the job allows {min} to {max}")]
    Time {
        /// Header time, in seconds since 1970 (UTC).
        time: u32,
        /// Lowest time that the job allows.
        min: u32,
        /// Highest time that the job allows.
        max: u32,
    },
    /// The miner rolled version bits outside the mask.
    #[error("version bits {bits:08x} are outside the mask {mask:08x}")]
    Version {
        /// Version bits as sent.
        bits: u32,
        /// Version bits that the miner may roll.
        mask: u32,
    },
    /// The connection has no accepted login.
    #[error("not authorized: send mining.authorize first")]
    NotAuthorized,
    /// The connection has not authorized this user name.
    #[error("this user name is not authorized on this connection: send mining.authorize for it first")]
    UnknownWorker,
    /// The pool rejects the user.
    #[error(transparent)]
    User(#[from] Refusal),
    /// The user name is longer than [`limits::USER_CHARS_MAX`].
    #[error("the user name is longer than {} characters", limits::USER_CHARS_MAX)]
    UserTooLong,
    /// The user name belongs to another account than the connection's earlier ones.
    #[error("this connection mines to another address: open a separate connection for this one")]
    OtherAccount,
    /// The connection already has [`limits::WORKERS_MAX`] user names.
    #[error("a connection can have at most {} user names", limits::WORKERS_MAX)]
    TooManyWorkers,
    /// The connection has not subscribed.
    #[error("not subscribed: send mining.subscribe first")]
    NotSubscribed,
    /// The parameters are invalid.
    #[error("{0}")]
    Params(#[from] ParamError),
    /// The server does not implement this method.
    #[error("unknown method")]
    UnknownMethod,
}

/// Class of a rejection. [`Rejected`](crate::Rejected) has one counter per class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// The job is unknown or expired, or builds on an old Bitcoin tip.
    Stale,
    /// The connection sent the same header before.
    Duplicate,
    /// The hash is above the job's target.
    LowDifficulty,
    /// The header's time is outside the job's range.
    Time,
    /// The miner rolled version bits outside the mask.
    Version,
    /// The connection has not subscribed or has not authorized this user name.
    Unauthorized,
    /// The parameters are malformed, or the method is unknown.
    Malformed,
}

impl Reject {
    /// Returns Stratum's error code.
    pub fn code(&self) -> u32 {
        match self {
            Self::JobNotFound(_) | Self::Stale(_) => 21,
            Self::Duplicate => 22,
            Self::LowDifficulty { .. } => 23,
            Self::NotAuthorized
            | Self::UnknownWorker
            | Self::User(_)
            | Self::UserTooLong
            | Self::OtherAccount
            | Self::TooManyWorkers => 24,
            Self::NotSubscribed => 25,
            Self::Time { .. } | Self::Version { .. } | Self::Params(_) | Self::UnknownMethod => 20,
        }
    }

    /// Returns the class under which the statistics count this rejection.
    pub fn reason(&self) -> RejectReason {
        match self {
            Self::JobNotFound(_) | Self::Stale(_) => RejectReason::Stale,
            Self::Duplicate => RejectReason::Duplicate,
            Self::LowDifficulty { .. } => RejectReason::LowDifficulty,
            Self::Time { .. } => RejectReason::Time,
            Self::Version { .. } => RejectReason::Version,
            Self::Params(_) | Self::UnknownMethod => RejectReason::Malformed,
            Self::NotAuthorized
            | Self::UnknownWorker
            | Self::User(_)
            | Self::UserTooLong
            | Self::OtherAccount
            | Self::TooManyWorkers
            | Self::NotSubscribed => RejectReason::Unauthorized,
        }
    }
}
