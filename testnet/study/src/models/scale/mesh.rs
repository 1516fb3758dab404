//! Who forwards to whom: gossipsub's mesh of one topic, formed by its rules over the connections that there are.

use rand::seq::SliceRandom;

use super::peers::Connections;
use sim::rng::SimRng;

/// Heartbeats after which the mesh is taken as it is; it settles within a few.
const HEARTBEATS_MAX: u32 = 60;

/// The numbers of gossipsub, as `p2p/src/net/behaviour.rs` sets them or leaves them at libp2p's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MeshRules {
    /// Peers in the mesh that a node aims at.
    pub aim: usize,
    /// Fewer than these: it asks others in.
    pub low: usize,
    /// So many or more: it takes nobody in, and puts some out.
    pub high: usize,
    /// Peers in the mesh that it dialled itself, at least.
    pub outbound_min: usize,
    /// Heartbeats before it asks a peer again that put it out, or that it put out.
    pub backoff_heartbeats: u32,
    /// Peers surroundings the mesh that it tells at each heartbeat which messages it has (`IHAVE`), at least.
    pub lazy: usize,
    /// The same as a part of all peers surroundings the mesh, where that is more; one in so many.
    pub lazy_divisor: usize,
    /// Heartbeats, one a second, for which a message is told of.
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
    /// The rules for another degree, its neighbours in the proportions of the default.
    #[must_use]
    pub fn with_aim(aim: usize) -> Self {
        let default = Self::default();
        let scaled = |value: usize| (value * aim).div_ceil(default.aim);
        Self { aim, low: scaled(default.low), high: scaled(default.high), ..default }
    }

    /// Peers that hear at a heartbeat which messages there are, of so many surroundings the mesh.
    #[must_use]
    pub fn told(&self, surroundings: usize) -> usize {
        self.lazy.max(surroundings / self.lazy_divisor).min(surroundings)
    }
}

/// Each node's peers in the mesh of a topic, ascending; always mutual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mesh(pub Vec<Vec<u32>>);

/// A mesh while it forms.
struct Forming<'a> {
    rules: MeshRules,
    connections: &'a Connections,
    members: Vec<Vec<u32>>,
    /// Peers not to be asked before a heartbeat.
    backoff: Vec<Vec<(u32, u32)>>,
    heartbeat: u32,
}

impl Mesh {
    /// The mesh of nodes that connected one after the other and then had time to settle.
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
            // Each takes the other in when it hears its subscriptions and has few peers yet.
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

    /// A node's peers in the mesh.
    #[must_use]
    pub fn of(&self, node: u32) -> &[u32] {
        &self.0[node as usize]
    }

    /// A node's peers that are not in the mesh.
    #[must_use]
    pub fn surroundings(&self, node: u32, connections: &Connections) -> Vec<u32> {
        let ids = connections.of(node).iter().map(|peer| peer.id);
        ids.filter(|peer| self.of(node).binary_search(peer).is_err()).collect()
    }
}

impl Forming<'_> {
    /// A heartbeat of every node; false when nothing changed and nobody waits.
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

    /// Asks so many peers surroundings the mesh in; true when there was one to ask.
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

    /// A node takes a peer in and tells it, which takes the node in as well or puts it out again.
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

    /// Puts random members out until as many are left as the node aims at, though not its last dialled ones.
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
