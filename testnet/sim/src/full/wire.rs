//! What nodes send each other, and how large it is: the real messages in their real length, with what the network puts
//! around them.

use p2p_proto::sync::RequestId;
use p2p_proto::{Failure, Gossip, Request, Response};

use super::gossip::SpreadId;

/// Bytes around a message of gossip: topic, lengths, and the frames of yamux, Noise, TCP and IP.
pub const GOSSIP_AROUND_BYTES: u32 = 130;

/// Bytes around a request or response: its stream's opening, length, and the frames.
pub const REQUEST_AROUND_BYTES: u32 = 160;

/// Bytes of everything that is said of connections.
const CONTROL_BYTES: u32 = 150;

/// A message from one node to another.
#[derive(Clone, Debug)]
pub enum Message {
    /// Gossip, which is sent by [`super::gossip::Spreads`].
    Gossip {
        /// Which.
        id: SpreadId,
        /// What.
        message: Gossip,
        /// Bytes on the line.
        size_bytes: u32,
    },
    /// A question.
    Request {
        /// What the asker calls it.
        id: RequestId,
        /// What.
        request: Request,
    },
    /// Its end.
    Response {
        /// What the asker calls it.
        id: RequestId,
        /// What came of it.
        result: Result<Response, Failure>,
    },
    /// The sender pushes gossip to the receiver from now on, and asks for the same.
    Graft,
    /// It does no longer.
    Prune,
    /// The sender banned the receiver and closes the connection.
    Close,
    /// The ban is over: the sender takes the receiver back.
    Reopen,
}

impl Message {
    /// Bytes on the line.
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

/// Bytes of a message of gossip on the line.
#[must_use]
pub fn gossip_bytes(message: &Gossip) -> u32 {
    GOSSIP_AROUND_BYTES + bytes(message.encode().len())
}

fn bytes(len: usize) -> u32 {
    u32::try_from(len).expect("messages are bounded by 4 MB")
}
