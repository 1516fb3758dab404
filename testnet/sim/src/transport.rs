//! How long a message takes from one node to another: distance, the sender's and the receiver's lines, losses, cuts.
//!
//! A message waits for the sender's line, travels, and takes the receiver's line for as long as its bits need. What a
//! receiver's line is busy with is only known when messages arrive, so [`Transport::send`] gives the time at which the
//! last bit comes if the receiver's line is free, and [`Transport::receive`] is asked then: a message sent later that
//! arrives earlier does not wait behind one that is still far away. Messages between two nodes may overtake each other
//! by their jitter, as they do over QUIC.

mod line;

use rand::RngCore;

pub use line::{Line, LineKind};

use super::geography::City;
use super::rng::SimRng;
use super::time::Micros;
use super::world::NodeId;

/// Nodes that one transport has at most: what it keeps for each is small, but what nodes keep themselves is not.
pub const NODES_MAX: usize = 100_000;

/// Payload bytes of a packet, each of which may be lost.
const PACKET_BYTES: u32 = 1_400;

/// Queues on the way add up to one part in so many of the bare way.
const JITTER_PARTS: u64 = 5;

/// Times that a message is sent again at most; beyond that a connection would be given up.
const REPEATS_MAX: u32 = 6;

/// How far nodes are from each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distances {
    /// Each node's city.
    Cities(Vec<City>),
    /// One way between any two nodes.
    Even(Micros),
}

/// All lines between nodes.
#[derive(Clone, Debug)]
pub struct Transport {
    lines: Vec<Line>,
    distances: Distances,
    /// All ways are that many times as long as usual, in thousandths.
    stretch_thousandths: u64,
    /// What each node's line is busy with.
    busy: Vec<Busy>,
    /// Group of each node; messages pass only within a group.
    groups: Vec<u8>,
    /// Bytes that each node sent and received.
    traffic: Vec<Traffic>,
}

/// When a node's line is free again.
#[derive(Clone, Copy, Debug, Default)]
struct Busy {
    sending_until: Micros,
    receiving_until: Micros,
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
    /// Lines between nodes.
    ///
    /// # Panics
    /// There are more than [`NODES_MAX`] nodes, or not as many cities as lines.
    #[must_use]
    pub fn new(lines: Vec<Line>, distances: Distances) -> Self {
        let nodes = lines.len();
        assert!(nodes <= NODES_MAX, "at most {NODES_MAX} nodes");
        if let Distances::Cities(cities) = &distances {
            assert_eq!(cities.len(), nodes, "each node has a line and a city");
        }
        Self {
            distances,
            stretch_thousandths: 1_000,
            busy: vec![Busy::default(); nodes],
            groups: vec![0; nodes],
            traffic: vec![Traffic::default(); nodes],
            lines,
        }
    }

    /// When the last bit of a message that is sent now arrives, if the receiver's line is free then; never, if the way
    /// is cut.
    pub fn send(&mut self, from: NodeId, to: NodeId, size_bytes: u32, now: Micros, rng: &mut SimRng) -> Option<Micros> {
        if !self.connected(from, to) {
            return None;
        }
        let (sender, receiver) = (&self.lines[from.index()], &self.lines[to.index()]);
        let busy = &mut self.busy[from.index()].sending_until;
        let sent = (*busy).max(now) + span(size_bytes, sender.up_bps);
        *busy = sent;
        self.traffic[from.index()].sent_bytes += u64::from(size_bytes);
        let way = self.way(from, to);
        // One draw decides about jitter and losses: 32 bits each.
        let draw = rng.next_u64();
        let jitter = Micros((way.0 / JITTER_PARTS * (draw >> 32)) >> 32);
        let repeats = repeats(sender.loss + receiver.loss, size_bytes, draw);
        // A loss is noticed after the way there and back; then it goes once more.
        let travel = way + jitter + Micros(2 * way.0 * u64::from(repeats));
        Some(sent + travel + span(size_bytes, receiver.down_bps))
    }

    /// Takes in a message whose last bit would be there by now: `None` when it is, or else when the line, busy with
    /// what came before, will have it. That message has its place then and must not be asked about again.
    pub fn receive(&mut self, to: NodeId, size_bytes: u32, now: Micros) -> Option<Micros> {
        self.traffic[to.index()].received_bytes += u64::from(size_bytes);
        let busy = &mut self.busy[to.index()].receiving_until;
        let done = now.max(*busy + span(size_bytes, self.lines[to.index()].down_bps));
        *busy = done;
        (done > now).then_some(done)
    }

    /// Takes the receiver's line for a copy that nobody will look at.
    pub fn receive_copy(&mut self, to: NodeId, size_bytes: u32, now: Micros) {
        self.traffic[to.index()].received_bytes += u64::from(size_bytes);
        let busy = &mut self.busy[to.index()].receiving_until;
        *busy = now.max(*busy) + span(size_bytes, self.lines[to.index()].down_bps);
    }

    /// One way between two nodes that are connected, without queues: distance and both last miles.
    #[must_use]
    pub fn way(&self, from: NodeId, to: NodeId) -> Micros {
        let distance = match &self.distances {
            Distances::Cities(cities) => cities[from.index()].one_way(cities[to.index()]),
            Distances::Even(distance) => *distance,
        };
        let way = distance + self.lines[from.index()].base + self.lines[to.index()].base;
        Micros(way.0 * self.stretch_thousandths / 1_000)
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

    /// Makes all ways that many times as long as usual.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates; factors are small")]
    pub fn set_stretch(&mut self, factor: f64) {
        self.stretch_thousandths = (factor * 1e3).round() as u64;
    }

    /// A node's line.
    #[must_use]
    pub fn line(&self, node: NodeId) -> &Line {
        &self.lines[node.index()]
    }

    /// Gives a node another line; what waits goes on at its speed.
    pub fn set_line(&mut self, node: NodeId, line: Line, now: Micros) {
        let before = std::mem::replace(&mut self.lines[node.index()], line);
        let rest = |until: Micros, factor: f64| now + Micros::from_secs_f64(until.since(now).as_secs_f64() * factor);
        let busy = &mut self.busy[node.index()];
        busy.sending_until = rest(busy.sending_until, before.up_bps / line.up_bps);
        busy.receiving_until = rest(busy.receiving_until, before.down_bps / line.down_bps);
    }

    /// For how long a message that is sent now waits for the sender's own line.
    #[must_use]
    pub fn wait(&self, from: NodeId, now: Micros) -> Micros {
        self.busy[from.index()].sending_until.since(now)
    }

    /// Number of nodes.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.lines.len()
    }

    /// What went over a node's line so far. Received is what arrived, and what did so for nothing.
    #[must_use]
    pub fn traffic(&self, node: NodeId) -> Traffic {
        self.traffic[node.index()]
    }
}

/// Time that a line of so many bits a second takes for a message.
fn span(size_bytes: u32, bps: f64) -> Micros {
    Micros::from_secs_f64(f64::from(size_bytes) * 8.0 / bps)
}

/// How often a message is sent again when each of its packets is lost with a chance, from the lower 32 bits of a draw.
fn repeats(loss: f64, size_bytes: u32, draw: u64) -> u32 {
    if loss <= 0.0 {
        return 0;
    }
    let packets = size_bytes.div_ceil(PACKET_BYTES).max(1);
    let chance = 1.0 - (1.0 - loss.min(0.9)).powi(packets.try_into().unwrap_or(i32::MAX));
    let mut uniform = f64::from(u32::try_from(draw & 0xffff_ffff).unwrap_or(u32::MAX)) / 4_294_967_296.0;
    let mut repeats = 0;
    while uniform < chance && repeats < REPEATS_MAX {
        uniform /= chance;
        repeats += 1;
    }
    repeats
}

#[cfg(test)]
mod tests;
