//! The graph of forwarding: gossipsub's mesh of one topic, formed by its rules over the existing connections.

use rand::seq::SliceRandom;

use super::peers::Connections;
use sim::rng::SimRng;

/// Heartbeats after which the mesh is used as it is. It settles within a few.
const HEARTBEATS_MAX: u32 = 60;

/// The parameters of gossipsub, as `p2p/src/net/behaviour.rs` sets them or leaves them at libp2p's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeshRules {
    /// Intended number of peers in the mesh.
    pub aim: usize,
    /// With fewer peers, it grafts others.
    pub low: usize,
    /// With this many or more, it accepts no graft and prunes some peers.
    pub high: usize,
    /// Least number of peers in the mesh that it dialed itself.
    pub outbound_min: usize,
    /// Heartbeats after a prune before it grafts that peer again.
    pub backoff_heartbeats: u32,
    /// Least number of peers outside the mesh that get announcements of messages (`IHAVE`) at each heartbeat.
    pub lazy: usize,
    /// The same as a fraction of all peers outside the mesh, if that is more: one in this many.
    pub lazy_divisor: usize,
    /// Heartbeats, one per second, for which a message is announced.
    pub told_heartbeats: u32,
}

impl Default for MeshRules {
    fn default() -> Self {
        Self {
            aim: 8,
            low: 5,
            high: 12,
            outbound_min: 2,
            // Five seconds, and one of slack.
            backoff_heartbeats: 6,
            lazy: 6,
            lazy_divisor: 4,
            told_heartbeats: 3,
        }
    }
}

impl MeshRules {
    /// Returns the rules for another degree, with its limits in the default proportions.
    #[must_use]
    pub fn with_aim(aim: usize) -> Self {
        let default = Self::default();
        let scaled = |value: usize| (value * aim).div_ceil(default.aim);
        Self { aim, low: scaled(default.low), high: scaled(default.high), ..default }
    }

    /// Returns the number of peers that get announcements at a heartbeat, out of `outside` peers outside the mesh.
    #[must_use]
    pub fn told(&self, outside: usize) -> usize {
        self.lazy.max(outside / self.lazy_divisor).min(outside)
    }
}

/// Each node's peers in the mesh of a topic, ascending. Always mutual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mesh(pub Vec<Vec<u32>>);

/// A forming mesh.
struct Forming<'a> {
    rules: MeshRules,
    connections: &'a Connections,
    members: Vec<Vec<u32>>,
    /// Peers not to be grafted before a heartbeat.
    backoff: Vec<Vec<(u32, u32)>>,
    heartbeat: u32,
}

impl Mesh {
    /// Forms the mesh of nodes that connected one after the other and then had time to settle.
    #[must_use]
    pub fn form(connections: &Connections, rules: MeshRules, rng: &mut SimRng) -> Self {
        let nodes = connections.nodes();
        let mut forming = Forming {
            rules,
            connections,
            members: vec![Vec::new(); nodes],
            backoff: vec![Vec::new(); nodes],
            heartbeat: 0,
        };
        for &(dialler, other) in connections.dialled() {
            // Each grafts the other when it learns its subscriptions, if it has few peers yet.
            for (node, peer) in [(dialler, other), (other, dialler)] {
                if forming.members[node as usize].len() < rules.low {
                    forming.graft(node, peer);
                }
            }
        }
        while forming.heartbeat < HEARTBEATS_MAX && forming.beat(rng) {}
        for members in &mut forming.members {
            members.sort_unstable();
        }
        Self(forming.members)
    }

    /// Returns a node's peers in the mesh.
    #[must_use]
    pub fn of(&self, node: u32) -> &[u32] {
        &self.0[node as usize]
    }

    /// Returns a node's peers outside the mesh.
    #[must_use]
    pub fn outside(&self, node: u32, connections: &Connections) -> Vec<u32> {
        let ids = connections.of(node).iter().map(|peer| peer.id);
        ids.filter(|peer| self.of(node).binary_search(peer).is_err()).collect()
    }
}

impl Forming<'_> {
    /// Runs a heartbeat of every node. Returns false if nothing changed and no node waits.
    fn beat(&mut self, rng: &mut SimRng) -> bool {
        self.heartbeat += 1;
        let mut changed = false;
        for node in 0..self.connections.nodes() {
            let node = u32::try_from(node).expect("nodes are numbered with 32 bits");
            let count = self.members[node as usize].len();
            if count < self.rules.low {
                changed |= self.ask(node, self.rules.aim - count, false, rng);
            }
            if self.members[node as usize].len() >= self.rules.high {
                self.put_out(node, rng);
                changed = true;
            }
            if self.members[node as usize].len() >= self.rules.low {
                let dialled = self.dialled_members(node);
                if dialled < self.rules.outbound_min {
                    changed |= self.ask(node, self.rules.outbound_min - dialled, true, rng);
                }
            }
        }
        changed
    }

    fn dialled_members(&self, node: u32) -> usize {
        self.members[node as usize].iter().filter(|peer| self.connections.has_dialled(node, **peer)).count()
    }

    /// Grafts peers outside the mesh, up to `wanted`. Returns true if there was one to graft.
    fn ask(&mut self, node: u32, wanted: usize, dialled_only: bool, rng: &mut SimRng) -> bool {
        let index = node as usize;
        let waits =
            |peer: u32| self.backoff[index].iter().any(|&(other, until)| other == peer && until > self.heartbeat);
        let mut candidates: Vec<u32> = self.connections.of(node).iter().map(|peer| peer.id).collect();
        candidates.retain(|peer| {
            !self.members[index].contains(peer)
                && !waits(*peer)
                && (!dialled_only || self.connections.has_dialled(node, *peer))
        });
        let (chosen, _) = candidates.partial_shuffle(rng, wanted);
        for peer in &*chosen {
            self.graft(node, *peer);
        }
        !chosen.is_empty()
    }

    /// A node grafts a peer. The peer grafts the node as well, or prunes it.
    fn graft(&mut self, node: u32, peer: u32) {
        let (here, there) = (node as usize, peer as usize);
        if self.members[here].contains(&peer) {
            return;
        }
        let full = self.members[there].len() >= self.rules.high && !self.connections.has_dialled(peer, node);
        if full {
            return self.back_off(node, peer);
        }
        self.members[here].push(peer);
        if !self.members[there].contains(&node) {
            self.members[there].push(node);
        }
    }

    fn back_off(&mut self, node: u32, peer: u32) {
        let until = self.heartbeat + self.rules.backoff_heartbeats;
        for (here, there) in [(node, peer), (peer, node)] {
            let list = &mut self.backoff[here as usize];
            list.retain(|(other, _)| *other != there);
            list.push((there, until));
        }
    }

    /// Prunes random members down to the intended number, but not the last dialed ones.
    fn put_out(&mut self, node: u32, rng: &mut SimRng) {
        let mut shuffled = self.members[node as usize].clone();
        shuffled.shuffle(rng);
        let mut excess = shuffled.len() - self.rules.aim;
        let mut dialled = self.dialled_members(node);
        for peer in shuffled {
            if excess == 0 {
                break;
            }
            if self.connections.has_dialled(node, peer) {
                if dialled <= self.rules.outbound_min {
                    continue;
                }
                dialled -= 1;
            }
            self.members[node as usize].retain(|other| *other != peer);
            self.members[peer as usize].retain(|other| *other != node);
            self.back_off(node, peer);
            excess -= 1;
        }
    }
}

#[cfg(test)]
mod tests;
