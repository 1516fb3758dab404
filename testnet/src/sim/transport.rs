//! How long a message takes from one node to another: distance, the sender's and the receiver's lines, losses, cuts.

use rand::Rng;

use super::rng::SimRng;
use super::time::Micros;
use super::world::NodeId;

/// A node's place and line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// One way to any other node, before distance: the last mile.
    pub base: Micros,
    /// Bits a second that it sends.
    pub up_bps: f64,
    /// Bits a second that it receives.
    pub down_bps: f64,
    /// Chance that a message needs sending again, which costs a second way there and back.
    pub loss: f64,
}

/// All lines between nodes.
#[derive(Clone, Debug)]
pub struct Transport {
    lines: Vec<Line>,
    /// One way between two nodes, row by row.
    distances: Vec<Micros>,
    /// When each node's line is free again, sending and receiving.
    sending_until: Vec<Micros>,
    receiving_until: Vec<Micros>,
    /// Group of each node; messages pass only within a group.
    groups: Vec<u8>,
    /// Bytes that each node sent and received.
    traffic: Vec<Traffic>,
}

/// Bytes over a node's line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Sent.
    pub sent_bytes: u64,
    /// Received.
    pub received_bytes: u64,
}

impl Transport {
    /// Lines between nodes; `distance` gives the one-way time between two of them.
    pub fn new(lines: Vec<Line>, distance: impl Fn(NodeId, NodeId) -> Micros) -> Self {
        let nodes = lines.len();
        let ids = || (0..nodes).map(NodeId::of);
        let distances = ids().flat_map(|from| ids().map(move |to| (from, to))).map(|(from, to)| distance(from, to));
        Self {
            distances: distances.collect(),
            sending_until: vec![Micros::ZERO; nodes],
            receiving_until: vec![Micros::ZERO; nodes],
            groups: vec![0; nodes],
            traffic: vec![Traffic::default(); nodes],
            lines,
        }
    }

    /// When a message that is sent now arrives; never, if the line is cut.
    pub fn send(&mut self, from: NodeId, to: NodeId, size_bytes: u32, now: Micros, rng: &mut SimRng) -> Option<Micros> {
        if !self.connected(from, to) {
            return None;
        }
        let (sender, receiver) = (self.lines[from.index()], self.lines[to.index()]);
        let bits = f64::from(size_bytes) * 8.0;
        let sent = self.sending_until[from.index()].max(now) + Micros::from_secs_f64(bits / sender.up_bps);
        self.sending_until[from.index()] = sent;
        let way = self.distances[from.index() * self.lines.len() + to.index()] + sender.base + receiver.base;
        // Queues on the way: up to a fifth more than the bare distance.
        let mut travel = way + Micros(way.0 / 5 * rng.random_range(0..=1_000) / 1_000);
        if rng.random_bool((sender.loss + receiver.loss).min(1.0)) {
            travel = travel + way + way;
        }
        let earliest = self.receiving_until[to.index()].max(sent + travel);
        let arrived = earliest + Micros::from_secs_f64(bits / receiver.down_bps);
        self.receiving_until[to.index()] = earliest.min(arrived);
        self.traffic[from.index()].sent_bytes += u64::from(size_bytes);
        self.traffic[to.index()].received_bytes += u64::from(size_bytes);
        Some(arrived)
    }

    /// Whether messages pass between two nodes.
    #[must_use]
    pub fn connected(&self, from: NodeId, to: NodeId) -> bool {
        self.groups[from.index()] == self.groups[to.index()]
    }

    /// Puts a node into a group: messages pass only within one.
    pub fn set_group(&mut self, node: NodeId, group: u8) {
        self.groups[node.index()] = group;
    }

    /// The node's line, to be changed.
    pub fn line_mut(&mut self, node: NodeId) -> &mut Line {
        &mut self.lines[node.index()]
    }

    /// What went over a node's line so far.
    #[must_use]
    pub fn traffic(&self, node: NodeId) -> Traffic {
        self.traffic[node.index()]
    }
}
