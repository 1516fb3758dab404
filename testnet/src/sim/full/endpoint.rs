//! What p2p's network task does for a real node, without sockets: names for gossip and requests, rates, points and bans.

use std::collections::BTreeMap;

use p2p::limits::{REQUEST_TIMEOUT_MS, VERDICT_SECONDS_MAX, VERDICTS_MAX};
use p2p::message::RequestKind;
use p2p::rate::Rates;
use p2p::score::{Scores, Sentence};
use p2p::sync::RequestId;
use p2p::{Millis, Misbehaviour, PeerId, ReplyToken, Request, VerdictToken};

use super::gossip::SpreadId;
use super::mesh::Mesh;
use crate::sim::world::NodeId;

/// Bytes at the end of a made-up identity that say whose it is.
const INDEX_BYTES: usize = 4;

/// A node's identity: bytes in no particular order, and its number at their end.
#[must_use]
pub fn peer_id(node: NodeId) -> PeerId {
    /// 2^64 divided by the golden ratio: its multiples lie scattered.
    const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;
    let scattered = (u64::from(node.0) + 1).wrapping_mul(SCATTER);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&scattered.to_be_bytes());
    bytes[32 - INDEX_BYTES..].copy_from_slice(&node.0.to_le_bytes());
    PeerId(bytes)
}

/// Whose identity it is.
#[must_use]
pub fn node_of(peer: &PeerId) -> NodeId {
    let mut bytes = [0; INDEX_BYTES];
    bytes.copy_from_slice(&peer.0[32 - INDEX_BYTES..]);
    NodeId(u32::from_le_bytes(bytes))
}

/// Gossip that waits for its verdict.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// The message.
    pub spread: SpreadId,
    /// Who sent it.
    pub from: NodeId,
    size_bytes: u32,
    since: Millis,
}

/// A request under way.
#[derive(Clone, Copy, Debug)]
struct Asked {
    peer: NodeId,
    kind: RequestKind,
    since: Millis,
}

/// One node's side of the network.
#[derive(Debug, Default)]
pub struct Endpoint {
    /// Peers, and to whom gossip is pushed.
    pub mesh: Mesh,
    scores: Scores,
    rates: Rates,
    waiting: BTreeMap<VerdictToken, Waiting>,
    asked: BTreeMap<RequestId, Asked>,
    replies: BTreeMap<ReplyToken, (NodeId, RequestId)>,
    next_token: u64,
    /// Peers that this node banned, for whoever counts.
    pub bans: Vec<NodeId>,
}

impl Endpoint {
    fn token(&mut self) -> u64 {
        self.next_token += 1;
        self.next_token
    }

    /// Whether a peer is banned.
    #[must_use]
    pub fn is_banned(&self, peer: NodeId) -> bool {
        self.scores.is_banned(&peer_id(peer))
    }

    /// Gossip of a peer: its name, if it may be looked at.
    ///
    /// # Errors
    /// Why not: what it costs the peer, if anything.
    pub fn admit(
        &mut self,
        from: NodeId,
        spread: SpreadId,
        size_bytes: u32,
        now: Millis,
    ) -> Result<VerdictToken, Option<Misbehaviour>> {
        if !self.rates.gossip(peer_id(from), size_bytes as usize, now) {
            return Err(Some(Misbehaviour::TooFast));
        }
        if self.waiting.len() >= VERDICTS_MAX {
            return Err(None);
        }
        let token = VerdictToken(self.token());
        self.waiting.insert(token, Waiting { spread, from, size_bytes, since: now });
        Ok(token)
    }

    /// The gossip behind a name, which is used once.
    pub fn judged(&mut self, token: VerdictToken) -> Option<Waiting> {
        self.waiting.remove(&token)
    }

    /// Valid gossip gives its sender back what it cost.
    pub fn give_back(&mut self, judged: &Waiting) {
        self.rates.give_back(peer_id(judged.from), judged.size_bytes as usize);
    }

    /// A request of a peer: its name, if it may be answered.
    pub fn asked_by(&mut self, peer: NodeId, id: RequestId, request: &Request, now: Millis) -> Option<ReplyToken> {
        if !self.rates.request(peer_id(peer), request.kind(), now) {
            return None;
        }
        let token = ReplyToken(self.token());
        self.replies.insert(token, (peer, id));
        Some(token)
    }

    /// Who waits for a reply, and what it calls its request.
    pub fn reply_to(&mut self, token: ReplyToken) -> Option<(NodeId, RequestId)> {
        self.replies.remove(&token)
    }

    /// Gossip that waits for its verdict.
    #[must_use]
    pub fn undecided(&self) -> Vec<VerdictToken> {
        self.waiting.keys().copied().collect()
    }

    /// [`crate::sim::plant::Plant::Leak`]: a reply is not forgotten when it is given.
    pub fn keep_reply(&mut self, token: ReplyToken, asker: NodeId, id: RequestId) {
        self.replies.insert(token, (asker, id));
    }

    /// Gossip without a verdict, own requests under way, and requests to answer.
    #[must_use]
    pub fn sizes(&self) -> [usize; 3] {
        [self.waiting.len(), self.asked.len(), self.replies.len()]
    }

    /// Notes an own request.
    pub fn ask(&mut self, peer: NodeId, id: RequestId, kind: RequestKind, now: Millis) {
        self.asked.insert(id, Asked { peer, kind, since: now });
    }

    /// The kind of an own request to this peer that has ended; none if it is not awaited.
    pub fn answered(&mut self, peer: NodeId, id: RequestId) -> Option<RequestKind> {
        let asked = self.asked.get(&id).filter(|asked| asked.peer == peer)?;
        let kind = asked.kind;
        self.asked.remove(&id);
        Some(kind)
    }

    /// A peer is gone: its requests, and those under way to it, which this returns.
    pub fn lost(&mut self, peer: NodeId) -> Vec<RequestId> {
        self.replies.retain(|_, (asker, _)| *asker != peer);
        self.take_asked(|asked| asked.peer == peer).into_iter().map(|(_, id)| id).collect()
    }

    fn take_asked(&mut self, ended: impl Fn(&Asked) -> bool) -> Vec<(NodeId, RequestId)> {
        self.asked.extract_if(.., |_, asked| ended(asked)).map(|(id, asked)| (asked.peer, id)).collect()
    }

    /// Adds what a misbehaviour costs. True when the peer is banned from now on.
    pub fn punish(&mut self, peer: NodeId, misbehaviour: Misbehaviour, now: Millis) -> bool {
        let banned = matches!(self.scores.punish(peer_id(peer), misbehaviour, now), Sentence::Banned { .. });
        if banned {
            self.bans.push(peer);
        }
        banned
    }

    /// A second passed: requests that took too long, each with who was asked, and peers whose ban is over.
    pub fn second(&mut self, now: Millis) -> (Vec<(NodeId, RequestId)>, Vec<NodeId>) {
        let late = |waiting: &Waiting| now.since(waiting.since) >= VERDICT_SECONDS_MAX * 1_000;
        while let Some(oldest) = self.waiting.first_entry().filter(|oldest| late(oldest.get())) {
            oldest.remove();
        }
        let mesh = &self.mesh;
        self.rates.forget(now, |peer| mesh.is_connected(node_of(peer)));
        let released = self.scores.release(now).iter().map(node_of).collect();
        (self.take_asked(|asked| now.since(asked.since) >= REQUEST_TIMEOUT_MS), released)
    }
}
