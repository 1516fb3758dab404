//! Commands to a network and events from it, whether its connections are sockets or simulated.

use crate::PeerId;
use crate::message::{Failure, Gossip, Request, Response};
use crate::score::Misbehaviour;
use crate::sync::RequestId;

/// Identifies a gossip message until its verdict. The network assigns tokens in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerdictToken(pub u64);

/// Identifies a peer's request until its reply. The network assigns tokens in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyToken(pub u64);

/// Verdict on a gossip message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The message is valid: the network forwards it.
    Accept,
    /// The message was not judged or is useless: the network does not forward it, and its sender is not punished.
    Ignore,
    /// The message is invalid: the network does not forward it, and punishes its sender.
    Reject(Misbehaviour),
}

/// A command to the network.
#[derive(Debug)]
pub enum Command {
    /// Publish a message to all peers.
    Publish(Gossip),
    /// Send a request to one peer. An [`Event::Response`] always follows.
    Request {
        /// Peer to ask.
        peer: PeerId,
        /// Id that the response will have.
        id: RequestId,
        /// Request to send.
        request: Request,
    },
    /// Answer a peer's request. Without a reply in time, the peer counts the request as rejected.
    Reply {
        /// Token of the request.
        token: ReplyToken,
        /// Response to send.
        response: Response,
    },
    /// Answer a peer that this node is too busy for its request, so that it asks elsewhere without waiting.
    Busy(ReplyToken),
    /// Give the verdict on a gossip message. Without one in [`crate::limits::VERDICT_SECONDS_MAX`] seconds, the message
    /// is ignored.
    Verdict {
        /// Token of the message.
        token: VerdictToken,
        /// Verdict on the message.
        verdict: Verdict,
    },
    /// Punish a peer for misbehavior.
    Punish {
        /// Peer that misbehaved.
        peer: PeerId,
        /// Kind of misbehavior.
        misbehaviour: Misbehaviour,
    },
    /// Connect to this multiaddress and stay connected. An unusable address is logged and ignored.
    Dial(String),
    /// Close all connections with the peer and accept no new ones. For operators and fault injection; this is not a
    /// ban.
    Block(PeerId),
    /// Undo [`Command::Block`].
    Unblock(PeerId),
}

/// An event from the network.
#[derive(Debug)]
pub enum Event {
    /// The node listens on this multiaddress, which ends in its peer id.
    Listening(String),
    /// A peer of this network connected.
    PeerConnected {
        /// The peer.
        peer: PeerId,
        /// Its multiaddress.
        addr: String,
        /// True if the peer opened the connection.
        inbound: bool,
    },
    /// The last connection with a peer closed.
    PeerDisconnected {
        /// The peer.
        peer: PeerId,
    },
    /// A node with this node's key answers at another address: two nodes with one key push each other out.
    OwnKeyElsewhere {
        /// Its address, a multiaddr.
        addr: String,
    },
    /// A node that this one dialed belongs to another share-chain: another network, pool, coinbase size, or version. It
    /// is disconnected without any exchange.
    OtherPool {
        /// The node.
        peer: PeerId,
        /// Its multiaddress.
        addr: String,
    },
    /// A gossip message arrived. Answer it with [`Command::Verdict`].
    Gossip {
        /// Token of the message.
        token: VerdictToken,
        /// Peer that sent or forwarded it.
        peer: PeerId,
        /// Decoded message, not judged yet.
        message: Gossip,
    },
    /// A request arrived. Answer it with [`Command::Reply`].
    Request {
        /// Token of the request.
        token: ReplyToken,
        /// Peer that asks.
        peer: PeerId,
        /// Decoded request.
        request: Request,
    },
    /// A [`Command::Request`] ended.
    Response {
        /// Peer that was asked.
        peer: PeerId,
        /// Id of the request.
        id: RequestId,
        /// Response of the request's kind, or the reason why there is none.
        result: Result<Response, Failure>,
    },
    /// A peer's points reached [`crate::limits::BAN_POINTS`]. The network disconnects it and rejects it until the ban
    /// ends.
    PeerBanned {
        /// The peer.
        peer: PeerId,
    },
}
