//! The graph of connections.

use std::collections::BTreeSet;

use rand::Rng;
use rand::seq::SliceRandom;

use super::ids::NodeId;
use super::rng::SimRng;

/// Number of nodes up to which all are connected with each other: the operator of so few adds all addresses by hand.
pub const EVERYONE_MAX: usize = 12;

/// Number of tries to find an unconnected peer, before a node makes do with fewer.
const TRIES_MAX: usize = 64;

/// The connections of all nodes. Each one goes from the node that opens it to the node that accepts it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    nodes: usize,
    edges: Vec<(NodeId, NodeId)>,
}

impl Topology {
    /// Connects all nodes with each other if there are [`EVERYONE_MAX`] or fewer. Otherwise builds a random connected
    /// graph.
    #[must_use]
    pub fn usual(nodes: usize, outbound: usize, rng: &mut SimRng) -> Self {
        if nodes <= EVERYONE_MAX { Self::everyone(nodes) } else { Self::random(nodes, outbound, rng) }
    }

    /// Connects all nodes with each other.
    #[must_use]
    pub fn everyone(nodes: usize) -> Self {
        let pairs = (0..nodes).flat_map(|a| (a + 1..nodes).map(move |b| (NodeId::of(a), NodeId::of(b))));
        Self { nodes, edges: pairs.collect() }
    }

    /// Lets each node open `outbound` connections to random others, or fewer if there are not enough. One of them
    /// belongs to a ring through all nodes in random order, so that the graph is connected.
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

    /// Returns the number of nodes.
    #[must_use]
    pub const fn nodes(&self) -> usize {
        self.nodes
    }

    /// Returns the connections: the node that opens each, and the one that accepts it.
    #[must_use]
    pub fn edges(&self) -> &[(NodeId, NodeId)] {
        &self.edges
    }

    /// Returns the peers of each node, ascending.
    #[must_use]
    pub fn neighbors(&self) -> Vec<Vec<NodeId>> {
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
