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
    /// The job id is not one of this server's.
    #[error("job not found: another server issued it")]
    ForeignJob,
    /// Extranonce2 has another size than this server's.
    #[error("extranonce2 has another size than this server's: the work is for another server's job")]
    ForeignExtranonce,
    /// The job builds on an old Bitcoin tip, and the grace period is over. Holds the seconds since
    /// the tip changed.
    #[error("stale: Bitcoin's tip changed {0} s ago")]
    Stale(u64),
    /// The connection sent the same header before.
    #[error("duplicate share")]
    Duplicate,
    /// The hash is above the job's target.
    #[error("low difficulty share: {} of {needed}", significant(*.got))]
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
    /// The user name is longer than [`limits::USER_BYTES_MAX`].
    #[error("the user name is longer than {} bytes: shorten the worker's name", limits::USER_BYTES_MAX)]
    UserTooLong,
    /// The user name belongs to another account than the connection's earlier ones.
    #[error("this connection mines to another address: open a separate connection for this one")]
    OtherAccount,
    /// The connection has not subscribed.
    #[error("not subscribed: send mining.subscribe first")]
    NotSubscribed,
    /// The parameters are invalid.
    #[error("{0}")]
    Params(#[from] ParamError),
    /// The server does not send the transactions of a job.
    #[error("this server does not send the transactions of its jobs")]
    NoTransactions,
    /// The server does not implement this method.
    #[error("unknown method")]
    UnknownMethod,
}

/// Formats a number above 0 with three significant digits, without an exponent.
fn significant(number: f64) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0 to 60")]
    let decimals = (2.0 - number.log10().floor()).clamp(0.0, 60.0) as usize;
    format!("{number:.decimals$}")
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
            Self::JobNotFound(_) | Self::ForeignJob | Self::ForeignExtranonce | Self::Stale(_) => 21,
            Self::Duplicate => 22,
            Self::LowDifficulty { .. } => 23,
            Self::NotAuthorized | Self::UnknownWorker | Self::User(_) | Self::UserTooLong | Self::OtherAccount => 24,
            Self::NotSubscribed => 25,
            Self::Time { .. } | Self::Version { .. } | Self::Params(_) | Self::NoTransactions | Self::UnknownMethod => {
                20
            }
        }
    }

    /// Returns the class under which the statistics count this rejection.
    pub fn reason(&self) -> RejectReason {
        match self {
            Self::JobNotFound(_) | Self::ForeignJob | Self::ForeignExtranonce | Self::Stale(_) => RejectReason::Stale,
            Self::Duplicate => RejectReason::Duplicate,
            Self::LowDifficulty { .. } => RejectReason::LowDifficulty,
            Self::Time { .. } => RejectReason::Time,
            Self::Version { .. } => RejectReason::Version,
            Self::Params(_) | Self::NoTransactions | Self::UnknownMethod => RejectReason::Malformed,
            Self::NotAuthorized
            | Self::UnknownWorker
            | Self::User(_)
            | Self::UserTooLong
            | Self::OtherAccount
            | Self::NotSubscribed => RejectReason::Unauthorized,
        }
    }
}
