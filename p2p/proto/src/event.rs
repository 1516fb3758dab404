//! What goes into a network and what comes out of it, whether its lines are sockets or simulated.

use crate::PeerId;
use crate::message::{Failure, Gossip, Request, Response};
use crate::score::Misbehaviour;
use crate::sync::RequestId;

/// Names gossip until its verdict; whoever plays the network counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerdictToken(pub u64);

/// Names a request of another until its reply; whoever plays the network counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyToken(pub u64);

/// What becomes of gossip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Valid: it is forwarded.
    Accept,
    /// Not judged, or of no use: it is not forwarded and costs nobody.
    Ignore,
    /// Wrong: it is not forwarded and costs the sender.
    Reject(Misbehaviour),
}

/// What the task shall do.
#[derive(Debug)]
pub enum Command {
    /// Tell everybody.
    Publish(Gossip),
    /// Ask one peer; [`Event::Response`] follows in any case.
    Request {
        /// Whom.
        peer: PeerId,
        /// What the response will be named by.
        id: RequestId,
        /// What.
        request: Request,
    },
    /// Answer a request. Not answering, and answering late, is refusing.
    Reply {
        /// Which.
        token: ReplyToken,
        /// With what.
        response: Response,
    },
    /// Judge gossip. Without a verdict in [`p2p_proto::limits::VERDICT_SECONDS_MAX`] it is ignored.
    Verdict {
        /// Which.
        token: VerdictToken,
        /// How.
        verdict: Verdict,
    },
    /// A peer misbehaved.
    Punish {
        /// Which.
        peer: PeerId,
        /// How.
        misbehaviour: Misbehaviour,
    },
    /// Connect to this multiaddress and stay connected. Text that is no usable address is logged and passed over.
    Dial(String),
    /// Drop all connections with the peer and accept no more. For operators and fault injection; not a ban.
    Block(PeerId),
    /// Take that back.
    Unblock(PeerId),
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// The node can be reached at this multiaddress, which ends in its peer id.
    Listening(String),
    /// A peer of this network is there.
    PeerConnected {
        /// Which.
        peer: PeerId,
        /// Its multiaddress.
        addr: String,
        /// Whether it opened the connection.
        inbound: bool,
    },
    /// It is gone.
    PeerDisconnected {
        /// Which.
        peer: PeerId,
    },
    /// A message for everybody, to be answered by [`Command::Verdict`].
    Gossip {
        /// Names it.
        token: VerdictToken,
        /// Who sent or forwarded it.
        peer: PeerId,
        /// The message, decoded but not judged.
        message: Gossip,
    },
    /// A peer asks, to be answered by [`Command::Reply`].
    Request {
        /// Names it.
        token: ReplyToken,
        /// Who asks.
        peer: PeerId,
        /// What.
        request: Request,
    },
    /// The end of a [`Command::Request`].
    Response {
        /// Who was asked.
        peer: PeerId,
        /// Which request.
        id: RequestId,
        /// What came of it; a response is of the request's kind.
        result: Result<Response, Failure>,
    },
    /// A peer's points reached the threshold: it is let go and not accepted again for a while.
    PeerBanned {
        /// Which.
        peer: PeerId,
    },
}
