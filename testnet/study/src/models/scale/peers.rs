//! The graph of connections.

use rand::seq::SliceRandom;

use sim::rng::SimRng;
use sim::topology::Topology;

/// A peer of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Index of the peer.
    pub id: u32,
    /// True if the node dialed it, false if the connection is inbound.
    pub dialled: bool,
}

/// All connections.
#[derive(Clone, Debug)]
pub struct Connections {
    peers: Vec<Vec<Peer>>,
    dialled: Vec<(u32, u32)>,
}

impl Connections {
    /// Creates the connections of a topology, opened in random order.
    #[must_use]
    pub fn new(topology: &Topology, rng: &mut SimRng) -> Self {
        let mut dialled: Vec<(u32, u32)> = topology.edges().iter().map(|(node, other)| (node.0, other.0)).collect();
        dialled.shuffle(rng);
        Self::given(topology.nodes(), dialled)
    }

    /// Creates the given connections, in the order in which they are opened: the dialing node, and the dialed one.
    #[must_use]
    pub fn given(nodes: usize, dialled: Vec<(u32, u32)>) -> Self {
        let mut connections = Self { peers: vec![Vec::new(); nodes], dialled: Vec::new() };
        for (node, other) in &dialled {
            connections.connect(*node, *other);
        }
        connections.dialled = dialled;
        connections
    }

    fn connect(&mut self, node: u32, other: u32) {
        self.peers[node as usize].push(Peer { id: other, dialled: true });
        self.peers[other as usize].push(Peer { id: node, dialled: false });
    }

    /// Returns the number of nodes.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.peers.len()
    }

    /// Returns the peers of a node.
    #[must_use]
    pub fn of(&self, node: u32) -> &[Peer] {
        &self.peers[node as usize]
    }

    /// Returns all connections in the order in which they were opened, each as (dialing node, dialed node).
    #[must_use]
    pub fn dialled(&self) -> &[(u32, u32)] {
        &self.dialled
    }

    /// Returns whether two nodes are connected.
    #[must_use]
    pub fn are_connected(&self, node: u32, other: u32) -> bool {
        self.of(node).iter().any(|peer| peer.id == other)
    }

    /// Returns whether a node dialed another.
    #[must_use]
    pub fn has_dialled(&self, node: u32, other: u32) -> bool {
        self.of(node).iter().any(|peer| peer.id == other && peer.dialled)
    }
}

/// The paths of a node's messages: its neighbors, and the travel time to each.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Index of each node's first edge, with one entry more than there are nodes.
    first: Vec<u32>,
    edges: Vec<Edge>,
}

/// A path to a neighbor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Index of the neighbor.
    pub to: u32,
    /// Travel time in microseconds, without the load of lines.
    pub way_us: u32,
}

impl Graph {
    /// Creates a graph from each node's neighbors and the time between two nodes.
    pub fn new<L: AsRef<[u32]>>(neighbors: &[L], way_us: impl Fn(u32, u32) -> u32) -> Self {
        let mut graph = Self { first: vec![0], edges: Vec::new() };
        for (node, neighbors) in (0..).zip(neighbors) {
            graph.edges.extend(neighbors.as_ref().iter().map(|to| Edge { to: *to, way_us: way_us(node, *to) }));
            graph.first.push(u32::try_from(graph.edges.len()).expect("fewer than 2^32 connections"));
        }
        graph
    }

    /// Returns the edges of a node.
    #[must_use]
    pub fn of(&self, node: u32) -> &[Edge] {
        &self.edges[self.first[node as usize] as usize..self.first[node as usize + 1] as usize]
    }

    /// Returns the number of edges. Each direction counts.
    #[must_use]
    pub fn edges(&self) -> usize {
        self.edges.len()
    }
}
