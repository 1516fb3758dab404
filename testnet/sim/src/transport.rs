//! The travel time of messages: distances, the lines of sender and receiver, losses, cuts.
//!
//! A message waits for the sender's line, travels, and occupies the receiver's line for as long as its bits take. The
//! load of the receiver's line is known only when messages arrive. So [`Transport::send`] returns the arrival of the
//! last bit on a free line, and [`Transport::receive`] is called then. A message sent later that arrives earlier does
//! not wait behind one that is still far away. Messages between two nodes may overtake each other by their jitter, as
//! they do over QUIC.

mod line;

use rand::RngCore;

pub use line::{Line, LineKind};

use super::geography::City;
use super::ids::NodeId;
use super::rng::SimRng;
use super::time::Micros;

/// Largest number of nodes in one transport. It stores little for each node, but nodes themselves store more.
pub const NODES_MAX: usize = 100_000;

/// Payload bytes of a packet. Each packet may be lost.
const PACKET_BYTES: u32 = 1_400;

/// Queueing delay on the way is up to the bare travel time divided by this number.
const JITTER_PARTS: u64 = 5;

/// Largest number of retransmissions. Beyond it, a real connection would close.
const REPEATS_MAX: u32 = 6;

/// Distances between nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distances {
    /// Each node's city.
    Cities(Vec<City>),
    /// The same one-way time between any two nodes.
    Even(Micros),
}

/// The lines of all nodes.
#[derive(Clone, Debug)]
pub struct Transport {
    lines: Vec<Line>,
    distances: Distances,
    /// Factor of all travel times, in thousandths.
    stretch_thousandths: u64,
    /// The load of each node's line.
    busy: Vec<Busy>,
    /// The group of each node. Messages pass only within a group.
    groups: Vec<u8>,
    /// Bytes that each node has sent and received.
    traffic: Vec<Traffic>,
}

/// The times at which a node's line is free again.
#[derive(Clone, Copy, Debug, Default)]
struct Busy {
    sending_until: Micros,
    receiving_until: Micros,
}

/// Bytes over a node's line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Bytes received.
    pub received_bytes: u64,
}

impl Transport {
    /// Creates the lines between nodes.
    ///
    /// # Panics
    /// If there are more than [`NODES_MAX`] nodes, or if the numbers of cities and lines differ.
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

    /// Sends a message. Returns the arrival of its last bit if the receiver's line is free then, or never if the path
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
        // One draw decides jitter and losses, with 32 bits each.
        let draw = rng.next_u64();
        let jitter = Micros((way.0 / JITTER_PARTS * (draw >> 32)) >> 32);
        let repeats = repeats(sender.loss + receiver.loss, size_bytes, draw);
        // A loss is noticed after a round trip. Then the message travels once more.
        let travel = way + jitter + Micros(2 * way.0 * u64::from(repeats));
        Some(sent + travel + span(size_bytes, receiver.down_bps))
    }

    /// Receives a message whose last bit is due. Returns `None` if it has arrived. Otherwise returns the time at which
    /// the busy line will have it. The message then has its slot and must not be received again.
    pub fn receive(&mut self, to: NodeId, size_bytes: u32, now: Micros) -> Option<Micros> {
        self.traffic[to.index()].received_bytes += u64::from(size_bytes);
        let busy = &mut self.busy[to.index()].receiving_until;
        let done = now.max(*busy + span(size_bytes, self.lines[to.index()].down_bps));
        *busy = done;
        (done > now).then_some(done)
    }

    /// Occupies the receiver's line for a copy that the node ignores.
    pub fn receive_copy(&mut self, to: NodeId, size_bytes: u32, now: Micros) {
        self.traffic[to.index()].received_bytes += u64::from(size_bytes);
        let busy = &mut self.busy[to.index()].receiving_until;
        *busy = now.max(*busy) + span(size_bytes, self.lines[to.index()].down_bps);
    }

    /// Returns the one-way time between two connected nodes, without queues: the distance and both last miles.
    #[must_use]
    pub fn way(&self, from: NodeId, to: NodeId) -> Micros {
        let distance = match &self.distances {
            Distances::Cities(cities) => cities[from.index()].one_way(cities[to.index()]),
            Distances::Even(distance) => *distance,
        };
        let way = distance + self.lines[from.index()].base + self.lines[to.index()].base;
        Micros(way.0 * self.stretch_thousandths / 1_000)
    }

    /// Returns whether messages pass between two nodes.
    #[must_use]
    pub fn connected(&self, from: NodeId, to: NodeId) -> bool {
        self.groups[from.index()] == self.groups[to.index()]
    }

    /// Sets the group of a node. Messages pass only within one group.
    pub fn set_group(&mut self, node: NodeId, group: u8) {
        self.groups[node.index()] = group;
    }

    /// Sets the factor of all travel times.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates; factors are small")]
    pub fn set_stretch(&mut self, factor: f64) {
        self.stretch_thousandths = (factor * 1e3).round() as u64;
    }

    /// Returns a node's line.
    #[must_use]
    pub fn line(&self, node: NodeId) -> &Line {
        &self.lines[node.index()]
    }

    /// Replaces a node's line. Queued messages continue at the new speed.
    pub fn set_line(&mut self, node: NodeId, line: Line, now: Micros) {
        let before = std::mem::replace(&mut self.lines[node.index()], line);
        let rest = |until: Micros, factor: f64| now + Micros::from_secs_f64(until.since(now).as_secs_f64() * factor);
        let busy = &mut self.busy[node.index()];
        busy.sending_until = rest(busy.sending_until, before.up_bps / line.up_bps);
        busy.receiving_until = rest(busy.receiving_until, before.down_bps / line.down_bps);
    }

    /// Returns how long a message sent now waits for the sender's own line.
    #[must_use]
    pub fn wait(&self, from: NodeId, now: Micros) -> Micros {
        self.busy[from.index()].sending_until.since(now)
    }

    /// Returns the number of nodes.
    #[must_use]
    pub fn nodes(&self) -> usize {
        self.lines.len()
    }

    /// Returns a node's traffic so far. Received bytes include useless copies.
    #[must_use]
    pub fn traffic(&self, node: NodeId) -> Traffic {
        self.traffic[node.index()]
    }
}

/// Returns the time that a message occupies a line of `bps` bits per second.
fn span(size_bytes: u32, bps: f64) -> Micros {
    Micros::from_secs_f64(f64::from(size_bytes) * 8.0 / bps)
}

/// Returns how often a message is retransmitted if each of its packets is lost with probability `loss`. Uses the lower
/// 32 bits of a draw.
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
