//! To whom a node pushes gossip: a mesh of about eight of its peers, kept as gossipsub keeps it, with the numbers of
//! `p2p/src/net/behaviour.rs`. One mesh stands for those of all topics, and what gossipsub tells beside its mesh is left
//! out: it repairs what gets lost, as the exchange of unlisted shares does here.

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::SliceRandom;

use super::wire::Message;
use crate::rng::SimRng;
use crate::time::Micros;
use crate::world::NodeId;

/// Peers in a mesh as it should be, at least, and at most.
const WANTED: usize = 8;
const LEAST: usize = 5;
const MOST: usize = 12;

/// After a prune neither side grafts the other for so long.
const BACKOFF: Micros = Micros::from_secs(5);

/// Peers, and those of them in the mesh.
#[derive(Debug, Default)]
pub struct Mesh {
    connected: BTreeSet<NodeId>,
    mesh: BTreeSet<NodeId>,
    backoff_until: BTreeMap<NodeId, Micros>,
}

impl Mesh {
    /// Peers in the mesh.
    pub fn peers(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.mesh.iter().copied()
    }

    /// All connected peers.
    pub fn connected(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.connected.iter().copied()
    }

    /// Whether a peer is connected.
    #[must_use]
    pub fn is_connected(&self, peer: NodeId) -> bool {
        self.connected.contains(&peer)
    }

    /// A peer is there. True if it is grafted at once, which it must be told; see [`Message::Graft`].
    pub fn connect(&mut self, peer: NodeId) -> bool {
        self.connected.insert(peer) && self.mesh.len() < LEAST && self.mesh.insert(peer)
    }

    /// A peer is gone. True if it was there.
    pub fn disconnect(&mut self, peer: NodeId) -> bool {
        self.mesh.remove(&peer);
        self.connected.remove(&peer)
    }

    /// A peer grafts or prunes this node. Returns the answer, if there is one.
    pub fn hear(&mut self, peer: NodeId, message: &Message, now: Micros) -> Option<Message> {
        match message {
            Message::Graft if self.mesh.len() >= MOST || !self.connected.contains(&peer) => {
                self.backoff_until.insert(peer, now + BACKOFF);
                return (!self.mesh.contains(&peer)).then_some(Message::Prune);
            }
            Message::Graft => {
                self.mesh.insert(peer);
            }
            Message::Prune => {
                self.mesh.remove(&peer);
                self.backoff_until.insert(peer, now + BACKOFF);
            }
            _ => {}
        }
        None
    }

    /// A second passed: what to tell whom.
    pub fn heartbeat(&mut self, now: Micros, rng: &mut SimRng) -> Vec<(NodeId, Message)> {
        self.backoff_until.retain(|_, until| *until > now);
        if self.mesh.len() > MOST {
            return self.draw(&self.mesh.clone(), self.mesh.len() - WANTED, rng, |mesh, peer| {
                mesh.mesh.remove(&peer);
                mesh.backoff_until.insert(peer, now + BACKOFF);
                Message::Prune
            });
        }
        if self.mesh.len() >= LEAST {
            return Vec::new();
        }
        let free = self.connected.iter().filter(|peer| !self.mesh.contains(peer));
        let free = free.filter(|peer| !self.backoff_until.contains_key(peer)).copied().collect();
        self.draw(&free, WANTED - self.mesh.len(), rng, |mesh, peer| {
            mesh.mesh.insert(peer);
            Message::Graft
        })
    }

    fn draw(
        &mut self,
        from: &BTreeSet<NodeId>,
        count: usize,
        rng: &mut SimRng,
        mut act: impl FnMut(&mut Self, NodeId) -> Message,
    ) -> Vec<(NodeId, Message)> {
        let mut drawn: Vec<NodeId> = from.iter().copied().collect();
        drawn.shuffle(rng);
        drawn.truncate(count);
        drawn.into_iter().map(|peer| (peer, act(self, peer))).collect()
    }
}
