//! Who is connected to whom.

use rand::seq::SliceRandom;

use sim::rng::SimRng;
use sim::topology::Topology;

/// A peer of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Which.
    pub id: u32,
    /// Whether the node dialled it, not the other way round.
    pub dialled: bool,
}

/// All connections.
#[derive(Clone, Debug)]
pub struct Connections {
    peers: Vec<Vec<Peer>>,
    dialled: Vec<(u32, u32)>,
}

impl Connections {
    /// Those of a topology, made in random order.
    #[must_use]
    pub fn new(topology: &Topology, rng: &mut SimRng) -> Self {
        let mut dialled: Vec<(u32, u32)> = topology.edges().iter().map(|(node, other)| (node.0, other.0)).collect();
        dialled.shuffle(rng);
        Self::given(topology.nodes(), dialled)
    }

    /// Those that are given, in the order in which they are made: who dials, and whom.
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

    /// How many nodes there are.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.peers.len()
    }

    /// The peers of a node.
    #[must_use]
    pub fn of(&self, node: u32) -> &[Peer] {
        &self.peers[node as usize]
    }

    /// All connections in the order in which they were made, each as (who dialled, whom).
    #[must_use]
    pub fn dialled(&self) -> &[(u32, u32)] {
        &self.dialled
    }

    /// Whether two nodes are connected.
    #[must_use]
    pub fn are_connected(&self, node: u32, other: u32) -> bool {
        self.of(node).iter().any(|peer| peer.id == other)
    }

    /// Whether a node dialled another.
    #[must_use]
    pub fn has_dialled(&self, node: u32, other: u32) -> bool {
        self.of(node).iter().any(|peer| peer.id == other && peer.dialled)
    }
}

/// Where a node's messages go: for each node, its neighbours and the time that a message is under way to each.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// Where each node's edges start; one more than there are nodes.
    first: Vec<u32>,
    edges: Vec<Edge>,
}

/// A way to a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Which.
    pub to: u32,
    /// Time under way, microseconds, lines' occupation not counted.
    pub way_us: u32,
}

impl Graph {
    /// A graph from each node's neighbours and the time between two nodes.
    pub fn new<L: AsRef<[u32]>>(neighbours: &[L], way_us: impl Fn(u32, u32) -> u32) -> Self {
        let mut graph = Self { first: vec![0], edges: Vec::new() };
        for (node, neighbours) in (0..).zip(neighbours) {
            graph.edges.extend(neighbours.as_ref().iter().map(|to| Edge { to: *to, way_us: way_us(node, *to) }));
            graph.first.push(u32::try_from(graph.edges.len()).expect("fewer than 2^32 connections"));
        }
        graph
    }

    /// The ways out of a node.
    #[must_use]
    pub fn of(&self, node: u32) -> &[Edge] {
        &self.edges[self.first[node as usize] as usize..self.first[node as usize + 1] as usize]
    }

    /// Ways in all, each direction counted.
    #[must_use]
    pub fn edges(&self) -> usize {
        self.edges.len()
    }
}
