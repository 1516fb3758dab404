//! A node's side of the simulated network.

use p2p_proto::sync::RequestId;
use p2p_proto::{Millis, Misbehaviour, PeerId};

use super::mesh::Mesh;
use super::wire::SpreadId;
use crate::ids::NodeId;

/// Number of bytes at the end of a peer id that hold the node's index.
const INDEX_BYTES: usize = 4;

/// Returns a node's peer id: scattered bytes, with the node's index at the end.
#[must_use]
pub fn peer_id(node: NodeId) -> PeerId {
    /// 2^64 divided by the golden ratio. Its multiples are scattered.
    const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;
    let scattered = (u64::from(node.0) + 1).wrapping_mul(SCATTER);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&scattered.to_be_bytes());
    bytes[32 - INDEX_BYTES..].copy_from_slice(&node.0.to_le_bytes());
    PeerId(bytes)
}

/// Returns the node with this peer id.
#[must_use]
pub fn node_of(peer: &PeerId) -> NodeId {
    let mut bytes = [0; INDEX_BYTES];
    bytes.copy_from_slice(&peer.0[32 - INDEX_BYTES..]);
    NodeId(u32::from_le_bytes(bytes))
}

/// A node's side of the simulated network: the program's real bookkeeping, and a model of gossipsub.
#[derive(Debug, Default)]
pub struct Endpoint {
    /// Connected peers, and those that gossip is pushed to.
    pub mesh: Mesh,
    /// Rates, scores, verdicts and requests, as in the program.
    pub net: p2p_proto::endpoint::Endpoint<SpreadId, (NodeId, RequestId), RequestId>,
    /// Peers that this node has banned, for reports.
    pub bans: Vec<NodeId>,
}

impl Endpoint {
    /// Returns whether a peer is banned.
    #[must_use]
    pub fn is_banned(&self, peer: NodeId) -> bool {
        self.net.is_banned(&peer_id(peer))
    }

    /// Drops a peer's requests. Returns the ids of open requests to it.
    pub fn lost(&mut self, peer: NodeId) -> Vec<RequestId> {
        self.net.retain_replies(|(asker, _)| *asker != peer);
        self.net.lost(peer_id(peer)).into_iter().map(|asked| asked.id).collect()
    }

    /// Adds the score of a misbehavior. Returns true if the peer is now banned.
    pub fn punish(&mut self, peer: NodeId, misbehaviour: Misbehaviour, now: Millis) -> bool {
        let banned = self.net.punish(peer_id(peer), misbehaviour, now).is_some();
        if banned {
            self.bans.push(peer);
        }
        banned
    }

    /// Runs once per second. Returns overdue requests with their peers, and peers whose ban has ended.
    pub fn second(&mut self, now: Millis) -> (Vec<(NodeId, RequestId)>, Vec<NodeId>) {
        self.net.late_verdicts(now);
        let mesh = &self.mesh;
        self.net.forget_rates(now, |peer| mesh.is_connected(node_of(peer)));
        let released = self.net.released(now).iter().map(node_of).collect();
        let overdue = self.net.overdue(now).into_iter().map(|asked| (node_of(&asked.peer), asked.id)).collect();
        (overdue, released)
    }
}
