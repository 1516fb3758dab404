//! What a session asks its caller to do.

use serde_json::Value;

use super::start::Welcome;
use crate::limits;
use crate::message::{self, Login, Notify, ParseError};
use crate::pool::{Account, EXTRANONCE1_BYTES, Found, Refusal};

/// One instruction to the caller of a session. [The module docs](super) explain the order.
#[derive(Debug)]
pub enum Action {
    /// Write this line to the miner. It includes its line ending.
    Send(String),
    /// Write this job's line to the miner.
    SendJob(Notify),
    /// Pass what the server may offer to [`Session::handle_subscription`](super::Session::handle_subscription): a
    /// refusal if [`Pool::readiness`](crate::Pool::readiness) has one; otherwise a [`Welcome`] with the extranonce that
    /// [`PendingSubscription::resumes`] names, if it is free.
    Subscribe(PendingSubscription),
    /// Pass the user name to [`Pool::authorize`](crate::Pool::authorize), and the result to
    /// [`Session::handle_verdict`](super::Session::handle_verdict).
    Authorize(PendingLogin),
    /// Pass the account to [`Pool::work`](crate::Pool::work), and the work unit, if any, to
    /// [`Session::handle_work`](super::Session::handle_work).
    Fetch(Account),
    /// Pass the proof of work to [`Pool::submit`](crate::Pool::submit).
    Found(Box<Found>),
    /// Write all earlier lines, then close the connection. This is the session's last action.
    Close(CloseReason),
}

/// The pool's response to a login: the account, or why the pool rejects the user.
pub type Verdict = Result<Account, Refusal>;

/// What the server offers to a miner that subscribes, or why it refuses the miner.
pub type Offer = Result<Welcome, Refusal>;

/// A subscription that waits for the server's [`Offer`].
#[derive(Debug)]
pub struct PendingSubscription {
    /// Request id.
    pub(super) id: Value,
    pub(super) session_id: Option<[u8; EXTRANONCE1_BYTES]>,
}

impl PendingSubscription {
    /// Returns the extranonce1 of the earlier connection that the miner wants to resume.
    pub fn resumes(&self) -> Option<[u8; EXTRANONCE1_BYTES]> {
        self.session_id
    }
}

/// A login that waits for the pool's [`Verdict`].
#[derive(Debug)]
pub struct PendingLogin {
    /// Request id.
    pub(super) id: Value,
    pub(super) login: Login,
    /// Whether the session keeps the user name, if it has room for it.
    pub(super) keep: bool,
}

impl PendingLogin {
    /// Returns the user name as the miner sent it.
    pub fn user(&self) -> &str {
        &self.login.user
    }

    /// Has the session accept the user without keeping its name, as it does beyond [`limits::WORKERS_MAX`].
    pub fn keep_no_name(&mut self) {
        self.keep = false;
    }
}

/// Why the server closes a connection. The miner reads the sentence.
#[derive(Debug, thiserror::Error)]
pub enum CloseReason {
    /// A line is not a request.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// A line is longer than [`limits::LINE_BYTES_MAX`]. The caller detects this.
    #[error("the line is longer than {} bytes", limits::LINE_BYTES_MAX)]
    LineTooLong,
    /// A line is not UTF-8. The caller detects this.
    #[error("the line is not UTF-8")]
    NotText,
    /// The pool has no work.
    #[error("{0}")]
    NoWork(Refusal),
    /// The server stops.
    #[error("this server is stopping")]
    Stopping,
    /// The miner's program cannot hold the coinbase.
    #[error(
        "this device's program holds a coinbase of {max} bytes and the pool's has {bytes}, so its work would be worth nothing: \
         use Stratum v2 if this node offers it, other firmware, or another device"
    )]
    Coinbase {
        /// Bytes of the coinbase.
        bytes: usize,
        /// Bytes that the program holds.
        max: usize,
    },
    /// The miner's shares are none of its jobs': it hashes another coinbase than the one that it was sent.
    #[error(
        "none of the last {} shares fits its job: this device's program probably cannot hold the coinbase of {bytes} \
         bytes; use Stratum v2 if this node offers it, other firmware, or another device",
        limits::MISMATCHES_MAX
    )]
    Mismatch {
        /// Bytes of the coinbase.
        bytes: usize,
    },
    /// The miner exceeds [`limits::LINES_PER_SECOND`] and its burst allowance.
    #[error("too many messages: the sustained limit is {} per second", limits::LINES_PER_SECOND)]
    Flood,
    /// The miner sent more than [`limits::STRIKES_MAX`] invalid requests in a short time.
    #[error("too many invalid requests")]
    Strikes,
    /// The miner did not subscribe and authorize in time. Holds the limit in seconds.
    #[error("no mining.subscribe and mining.authorize within {0} s of connecting")]
    Handshake(u64),
    /// The miner sent no line for too long. Holds the limit in seconds.
    #[error("no message received for {0} s")]
    Idle(u64),
    /// The rest of a line did not arrive in time. Holds the limit in seconds. The caller detects this.
    #[error("incomplete line: the rest did not arrive within {0} s")]
    PartialLine(u64),
}

impl CloseReason {
    /// Name of the reason in the statistics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Parse(_) | Self::LineTooLong | Self::NotText => "malformed",
            Self::NoWork(_) => "no_work",
            Self::Stopping => "stopping",
            Self::Coinbase { .. } => "coinbase",
            Self::Mismatch { .. } => "mismatch",
            Self::Flood => "flood",
            Self::Strikes => "strikes",
            Self::Handshake(_) => "no_login",
            Self::Idle(_) => "idle",
            Self::PartialLine(_) => "partial",
        }
    }

    /// Returns the error response that tells the miner, with its line ending.
    pub fn line(&self) -> String {
        message::rejected(&Value::Null, 20, self)
    }
}
