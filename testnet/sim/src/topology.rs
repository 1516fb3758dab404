//! Who keeps connections to whom.

use std::collections::BTreeSet;

use rand::Rng;
use rand::seq::SliceRandom;

use super::rng::SimRng;
use super::world::NodeId;

/// Nodes up to which everyone is connected with everyone: an operator of so few adds all addresses by hand.
pub const EVERYONE_MAX: usize = 12;

/// Tries to find a peer that a node is not connected with yet, before it makes do with fewer.
const TRIES_MAX: usize = 64;

/// Connections that nodes keep, each from the node that opens it to the one that accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    nodes: usize,
    edges: Vec<(NodeId, NodeId)>,
}

impl Topology {
    /// Everyone with everyone for [`EVERYONE_MAX`] nodes or fewer, else a random connected graph.
    #[must_use]
    pub fn usual(nodes: usize, outbound: usize, rng: &mut SimRng) -> Self {
        if nodes <= EVERYONE_MAX { Self::everyone(nodes) } else { Self::random(nodes, outbound, rng) }
    }

    /// Everyone with everyone.
    #[must_use]
    pub fn everyone(nodes: usize) -> Self {
        let pairs = (0..nodes).flat_map(|a| (a + 1..nodes).map(move |b| (NodeId::of(a), NodeId::of(b))));
        Self { nodes, edges: pairs.collect() }
    }

    /// Each node opens `outbound` connections to others at random, fewer if there are not so many others. A ring through
    /// all nodes in random order takes one of them, so that the graph is connected.
    #[must_use]
    pub fn random(nodes: usize, outbound: usize, rng: &mut SimRng) -> Self {
        let mut ring: Vec<usize> = (0..nodes).collect();
        ring.shuffle(rng);
        let mut seen = BTreeSet::new();
        let mut edges = Vec::with_capacity(nodes * outbound);
        let mut open = |from: usize, to: usize| {
            let new = from != to && seen.insert((from.min(to), from.max(to)));
            if new {
                edges.push((NodeId::of(from), NodeId::of(to)));
            }
            new
        };
        for (place, node) in ring.iter().enumerate() {
            open(*node, ring[(place + 1) % nodes]);
        }
        for from in 0..nodes {
            for _ in 1..outbound {
                (0..TRIES_MAX).any(|_| open(from, rng.random_range(0..nodes)));
            }
        }
        Self { nodes, edges }
    }

    /// Number of nodes.
    #[must_use]
    pub const fn nodes(&self) -> usize {
        self.nodes
    }

    /// The connections: who opens it, who accepts it.
    #[must_use]
    pub fn edges(&self) -> &[(NodeId, NodeId)] {
        &self.edges
    }

    /// Who is connected with each node, ascending.
    #[must_use]
    pub fn neighbours(&self) -> Vec<Vec<NodeId>> {
        let mut of = vec![Vec::new(); self.nodes];
        for (a, b) in &self.edges {
            of[a.index()].push(*b);
            of[b.index()].push(*a);
        }
        of.iter_mut().for_each(|peers| peers.sort_unstable());
        of
    }
}

#[cfg(test)]
mod tests;
