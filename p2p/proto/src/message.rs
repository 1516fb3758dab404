//! What peers say to each other, and its bytes.
//!
//! One canonical encoding, like that of proofs: whatever decodes, encodes to the same bytes again. The first byte names
//! the kind. A message of this version is never extended: a new version has new protocol names.

mod gossip;
mod request;
mod response;

pub use gossip::{Gossip, Topic};
pub use request::{Request, RequestKind};
pub use response::{Item, LinkItem, Response, TipInfo};

use sharechain::RuleError;

/// Why bytes are not a message. Whoever sends such bytes sends garbage: no honest implementation makes them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes end before the message does.
    #[error("the message ends early")]
    Truncated,
    /// Something follows the message.
    #[error("bytes follow the message")]
    TrailingBytes,
    /// No message of this version starts with that byte.
    #[error("unknown kind of message {0}")]
    Kind(u8),
    /// A flag is neither 0 nor 1.
    #[error("flag {0} is neither 0 nor 1")]
    Flag(u8),
    /// More elements or bytes than a message of that kind may have.
    #[error("{count} elements where {max} are allowed")]
    TooMany {
        /// How many the message announced.
        count: usize,
        /// How many it may have.
        max: usize,
    },
    /// A user agent is not printable ASCII.
    #[error("the user agent is not printable ASCII")]
    UserAgent,
    /// A proof or list is not canonical.
    #[error(transparent)]
    Proof(#[from] RuleError),
}

/// Why there is no response to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing came in time.
    #[error("no response in time")]
    Timeout,
    /// The peer is gone, or was never there.
    #[error("the peer is not connected")]
    Disconnected,
    /// The peer closed the stream: it is overloaded, or does not serve this.
    #[error("the peer refused to answer")]
    Refused,
    /// The response was no message, or answered another question. The network has punished the peer for it.
    #[error("the response was garbage")]
    Garbage,
    /// Too many requests are under way already, see [`crate::limits::REQUESTS_MAX`].
    #[error("too many requests are under way")]
    Busy,
}

#[cfg(test)]
mod tests;
