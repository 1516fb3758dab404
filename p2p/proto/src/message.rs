//! Messages between peers, and their encoding.
//!
//! The encoding is canonical, like that of proofs: decoded data always encodes to the same bytes. The first byte names
//! the kind of the message. Messages of this version are never extended: a new version has new protocol names.

mod block;
mod gossip;
mod kinds;
mod request;
mod response;

pub use block::{Announcement, SHORT_ID_BYTES, ShortIds};
pub use gossip::{Gossip, Topic};
pub use request::{Request, RequestKind};
pub use response::{Item, Response, TipInfo};

use sharechain::RuleError;

/// Reason why bytes are not a message. Such bytes are garbage: no honest implementation sends them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes end before the message does.
    #[error("the message ends early")]
    Truncated,
    /// Bytes follow the end of the message.
    #[error("bytes follow the message")]
    TrailingBytes,
    /// No message of this version starts with this byte.
    #[error("unknown message kind {0}")]
    Kind(u8),
    /// A flag is neither 0 nor 1.
    #[error("flag {0} is neither 0 nor 1")]
    Flag(u8),
    /// The message has more elements or bytes than its kind allows.
    #[error("{count} elements, but at most {max} are allowed")]
    TooMany {
        /// Number that the message announced.
        count: usize,
        /// Maximum number.
        max: usize,
    },
    /// The user agent is not printable ASCII.
    #[error("the user agent is not printable ASCII")]
    UserAgent,
    /// A record has no address, a duplicate one, or one that is not canonical.
    #[error("an address of a node record is not canonical")]
    Address,
    /// The encoding of a proof or list breaks a rule.
    #[error(transparent)]
    Proof(#[from] RuleError),
}

/// Reason why a request has no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No response arrived in time.
    #[error("no response in time")]
    Timeout,
    /// The peer is not connected anymore, or never was.
    #[error("the peer is not connected")]
    Disconnected,
    /// The peer closed the stream: it is overloaded or does not serve this request.
    #[error("the peer rejected the request")]
    Refused,
    /// The response was not a message, or was of another kind than the request. The network has already punished the
    /// peer.
    #[error("the response was garbage")]
    Garbage,
    /// The peer is too busy or has no upload left for this node's address, or too many requests are in flight, see
    /// [`crate::limits::REQUESTS_MAX`]. The peer is not at fault.
    #[error("the peer is too busy, or too many requests are in flight")]
    Busy,
}

#[cfg(test)]
mod tests;
