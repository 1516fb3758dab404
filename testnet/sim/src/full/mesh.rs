//! The peers that a node pushes gossip to: a mesh of about eight, maintained by gossipsub's rules with the numbers of
//! `p2p/src/net/behaviour.rs`. One mesh stands for those of all topics. Gossipsub's messages outside the mesh are left
//! out: they repair losses, which the exchange of unlisted shares does here.

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::SliceRandom;

use super::wire::Message;
use crate::ids::NodeId;
use crate::rng::SimRng;
use crate::time::Micros;

/// The intended, smallest and largest number of peers in a mesh.
const WANTED: usize = 8;
const LEAST: usize = 5;
const MOST: usize = 12;

/// After a prune, neither side grafts the other for this long.
const BACKOFF: Micros = Micros::from_secs(5);

/// Connected peers, and those in the mesh.
#[derive(Debug, Default)]
pub struct Mesh {
    connected: BTreeSet<NodeId>,
    mesh: BTreeSet<NodeId>,
    backoff_until: BTreeMap<NodeId, Micros>,
}

impl Mesh {
    /// Returns the peers in the mesh.
    pub fn peers(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.mesh.iter().copied()
    }

    /// Returns all connected peers.
    pub fn connected(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.connected.iter().copied()
    }

    /// Returns whether a peer is connected.
    #[must_use]
    pub fn is_connected(&self, peer: NodeId) -> bool {
        self.connected.contains(&peer)
    }

    /// Adds a peer. Returns true if it is grafted at once; the caller then sends [`Message::Graft`].
    pub fn connect(&mut self, peer: NodeId) -> bool {
        self.connected.insert(peer) && self.mesh.len() < LEAST && self.mesh.insert(peer)
    }

    /// Removes a peer. Returns true if it was connected.
    pub fn disconnect(&mut self, peer: NodeId) -> bool {
        self.mesh.remove(&peer);
        self.connected.remove(&peer)
    }

    /// Handles a graft or prune. Returns the answer, if any.
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

    /// Runs once per second. Returns messages to send.
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
