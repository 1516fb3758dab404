//! Refusals of a request: each has Stratum's code, a text for the miner, and a class for statistics.

use super::ParamError;
use crate::pool::Refusal;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Reject {
    /// The job is not one this connection got, or too old.
    #[error("job {0:x} not found: it is unknown or too old")]
    JobNotFound(u32),
    /// Bitcoin's tip changed too long ago.
    #[error("stale: Bitcoin's tip changed {0} s ago")]
    Stale(u64),
    /// The same proof was taken before.
    #[error("duplicate share")]
    Duplicate,
    /// The hash misses the job's difficulty.
    #[error("low difficulty share: {got:.8} of {needed}")]
    LowDifficulty {
        /// Difficulty of the hash.
        got: f64,
        /// Difficulty the job was sent with.
        needed: crate::Difficulty,
    },
    /// The header's time is outside the job's window.
    #[error("ntime {time} is outside of {min} to {max}")]
    Time {
        /// The header's time, in seconds since 1970.
        time: u32,
        /// Least time of the job.
        min: u32,
        /// Greatest time of the job.
        max: u32,
    },
    /// Version bits outside of the mask were rolled.
    #[error("version bits {bits:08x} are outside of the mask {mask:08x}")]
    Version {
        /// The bits sent.
        bits: u32,
        /// The bits allowed.
        mask: u32,
    },
    /// Nothing was authorized yet.
    #[error("not authorized: send mining.authorize first")]
    NotAuthorized,
    /// The worker is not one of this connection's.
    #[error("this user name is not authorized on this connection: send mining.authorize with it")]
    UnknownWorker,
    /// The pool refuses the user.
    #[error(transparent)]
    User(#[from] Refusal),
    /// The user name is too long.
    #[error("the user name has more than {} characters", crate::limits::USER_CHARS_MAX)]
    UserTooLong,
    /// A second account on one connection.
    #[error("this connection mines for another address: open a second connection for this one")]
    OtherAccount,
    /// More user names than a connection may have.
    #[error("a connection takes at most {} user names", crate::limits::WORKERS_MAX)]
    TooManyWorkers,
    /// Nothing was subscribed yet.
    #[error("not subscribed: send mining.subscribe first")]
    NotSubscribed,
    /// The parameters are wrong.
    #[error("{0}")]
    Params(#[from] ParamError),
    /// The method is unknown.
    #[error("unknown method")]
    UnknownMethod,
}

/// Class of a refused submit, for statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// Job unknown, too old, or of an old Bitcoin tip.
    Stale,
    /// Sent before.
    Duplicate,
    /// Above the job's target.
    LowDifficulty,
    /// Time outside of the window.
    Time,
    /// Version bits outside of the mask.
    Version,
    /// Not subscribed or not authorized.
    Unauthorized,
    /// Parameters that cannot be read.
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

    /// Returns the class under which a refused submit is counted.
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
