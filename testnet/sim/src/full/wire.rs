//! The messages between nodes and their size: the real encoding, with the overhead of the network's layers.

use p2p_proto::sync::RequestId;
use p2p_proto::{Failure, Gossip, Request, Response};

/// Overhead of a gossip message in bytes: topic, lengths, and the frames of Yamux, Noise, TCP and IP.
pub const GOSSIP_AROUND_BYTES: u32 = 130;

/// Overhead of a request or response in bytes: stream opening, length, and the frames.
pub const REQUEST_AROUND_BYTES: u32 = 160;

/// Bytes of a message that controls a connection.
const CONTROL_BYTES: u32 = 150;

/// The number of a gossip message, counted from 0 over all nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpreadId(pub(super) u64);

/// A message from one node to another.
#[derive(Clone, Debug)]
pub enum Message {
    /// Gossip. It is sent by [`super::gossip::Spreads`].
    Gossip {
        /// Number of the message.
        id: SpreadId,
        /// The gossip itself.
        message: Gossip,
        /// Bytes on the line.
        size_bytes: u32,
    },
    /// A request to a peer.
    Request {
        /// The asker's id of the request.
        id: RequestId,
        /// The request itself.
        request: Request,
    },
    /// The response to a request.
    Response {
        /// The asker's id of the request.
        id: RequestId,
        /// The response, or the reason why there is none.
        result: Result<Response, Failure>,
    },
    /// The sender starts to push gossip to the receiver, and asks for the same.
    Graft,
    /// The sender stops pushing gossip to the receiver.
    Prune,
    /// The sender has banned the receiver and closes the connection.
    Close,
    /// The ban has ended. The sender accepts the receiver again.
    Reopen,
}

impl Message {
    /// Returns the bytes on the line.
    #[must_use]
    pub fn size_bytes(&self) -> u32 {
        match self {
            Self::Gossip { size_bytes, .. } => *size_bytes,
            Self::Request { request, .. } => REQUEST_AROUND_BYTES + bytes(request.encode().len()),
            Self::Response { result: Ok(response), .. } => REQUEST_AROUND_BYTES + bytes(response.encode().len()),
            Self::Response { result: Err(_), .. } => REQUEST_AROUND_BYTES,
            Self::Graft | Self::Prune | Self::Close | Self::Reopen => CONTROL_BYTES,
        }
    }
}

/// Returns the bytes of a gossip message on the line.
#[must_use]
pub fn gossip_bytes(message: &Gossip) -> u32 {
    GOSSIP_AROUND_BYTES + bytes(message.encode().len())
}

fn bytes(len: usize) -> u32 {
    u32::try_from(len).expect("messages are bounded by 4 MB")
}
