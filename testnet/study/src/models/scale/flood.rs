//! Messages over the mesh: the first arrival of each message at each node. The senders' lines are shared by all
//! messages in transit, copies are counted, and a message that needs another one is held until that arrives.
//!
//! A copy later than another one in transit to the same node is only counted. So a message causes two or three events
//! per node, not one for each of its eight copies.

use super::calendar::{Calendar, span_of};
use super::count_f64;
use super::ground::Ground;
use super::peers::Graph;
use super::wave::{Cell, Wave, WaveId};
use super::wire::REQUEST_ROUND_TRIPS;
use sim::transport::LineKind;

/// Shortest time until a lost packet is retransmitted, in microseconds: the least retransmission timeout of Linux.
const RETRANSMIT_US: u64 = 200_000;

/// An event: a node looks at a message.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    wave: WaveId,
    node: u32,
}

/// A node's line and counters.
#[derive(Clone, Copy, Debug)]
pub struct Station {
    /// Nanoseconds to send a byte, after subtracting all other traffic.
    pub up_ns_per_byte: f32,
    /// Time at which its line is free to send, in nanoseconds.
    pub sending_until_ns: u64,
    /// Copies of shares and of links that it sent.
    pub sent: [u32; 2],
    /// Items that it requested from a peer because a later item needed them.
    pub fetched: u32,
    /// Shares and links that waited for another item.
    pub held: [u32; 2],
}

/// Losses: one copy in this many is lost and retransmitted. The distance from one loss to the next is drawn.
#[derive(Debug)]
struct Losses {
    rng: sim::rng::SimRng,
    chance: f64,
    left: u64,
}

impl Losses {
    fn new(chance: f64, seed: u64) -> Self {
        let mut losses = Self { rng: sim::rng::stream(seed, "scale losses", 0), chance, left: u64::MAX };
        losses.draw();
        losses
    }

    fn draw(&mut self) {
        if self.chance > 0.0 {
            let distance = rand_distr::Geometric::new(self.chance.min(1.0)).expect("a chance lies between 0 and 1");
            self.left = rand::Rng::sample(&mut self.rng, distance);
        }
    }

    fn next(&mut self) -> bool {
        if self.left == 0 {
            self.draw();
            return true;
        }
        self.left -= 1;
        false
    }
}

/// A node as its senders see it.
#[derive(Clone, Copy, Debug)]
struct End {
    kind: u8,
    is_running: bool,
}

/// All messages and nodes.
#[derive(Debug)]
pub struct Flood {
    /// The meshes for shares and for links.
    pub meshes: [Graph; 2],
    /// All connections. A node's own messages go to every peer.
    pub all: Graph,
    /// The nodes.
    pub stations: Vec<Station>,
    /// All messages so far.
    pub waves: Vec<Wave>,
    /// Data that is read for every copy is kept apart, so that it fits into the processor's caches: each node's kind of
    /// line, and whether it runs.
    ends: Vec<End>,
    /// Copies of shares and of links that each node received.
    pub received: [Vec<u32>; 2],
    /// Nanoseconds to receive a byte, for each kind of line.
    down_ns_per_byte: [f32; LineKind::ALL.len()],
    /// Microseconds to judge and store an item.
    pub hop_us: u32,
    events: Calendar<Arrival>,
    losses: Losses,
    turn: u32,
    /// Number of events so far.
    pub steps: u64,
}

impl Flood {
    /// Creates idle nodes. Control traffic occupies these bytes per second of each line, up and down.
    #[must_use]
    pub fn new(ground: &Ground, meshes: [Graph; 2], all: Graph, taken: &[(f64, f64)], hop_us: u32, seed: u64) -> Self {
        let kinds = (0u32..).take(ground.nodes()).map(|node| ground.kind(node));
        let mean_down = taken.iter().map(|(_, down)| down).sum::<f64>() / count_f64(taken.len().max(1));
        let station = |(kind, (up, _)): (LineKind, &(f64, f64))| Station {
            up_ns_per_byte: ns_per_byte(kind.line().up_bps, *up),
            sending_until_ns: 0,
            sent: [0; 2],
            fetched: 0,
            held: [0; 2],
        };
        Self {
            meshes,
            all,
            stations: kinds.clone().zip(taken).map(station).collect(),
            waves: Vec::new(),
            ends: kinds.map(|kind| End { kind: kind as u8, is_running: true }).collect(),
            received: [vec![0; ground.nodes()], vec![0; ground.nodes()]],
            down_ns_per_byte: LineKind::ALL.map(|kind| ns_per_byte(kind.line().down_bps, mean_down)),
            hop_us,
            events: Calendar::default(),
            losses: Losses::new(ground.mean_loss(), seed),
            turn: 0,
            steps: 0,
        }
    }

    /// Returns whether a node runs.
    #[must_use]
    pub fn is_running(&self, node: u32) -> bool {
        self.ends[node as usize].is_running
    }

    /// Starts or stops a node.
    pub fn set_running(&mut self, node: u32, is_running: bool) {
        self.ends[node as usize].is_running = is_running;
    }

    /// Returns the microseconds that a node's line takes to receive this many bytes.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative; `as` saturates")]
    fn receiving_us(&self, node: u32, bytes: f32) -> u64 {
        (bytes * self.down_ns_per_byte[usize::from(self.ends[node as usize].kind)] / 1e3) as u64
    }

    /// Returns the seconds to transfer this many bytes from one node to another, limited only by their lines.
    #[must_use]
    pub fn transfer_s(&self, from: u32, to: u32, bytes: f64) -> f64 {
        let up = self.stations[from as usize].up_ns_per_byte;
        let down = self.down_ns_per_byte[usize::from(self.ends[to as usize].kind)];
        bytes * f64::from(up.max(down)) / 1e9
    }

    /// Publishes a node's own message to all its peers.
    pub fn publish(&mut self, wave: Wave) -> WaveId {
        let id = WaveId::try_from(self.waves.len()).expect("fewer than 2^32 messages");
        let (origin, born_us) = (wave.origin, wave.born_us);
        self.waves.push(wave);
        self.waves[id as usize].cells[origin as usize] = Cell::valid(self.hop_us);
        self.send(id, origin, born_us + u64::from(self.hop_us), true);
        id
    }

    /// Returns the start of the next span with events, in microseconds.
    pub fn next_us(&mut self) -> Option<u64> {
        self.events.next_us()
    }

    /// Handles the events of the next span. Finished messages are added to `done`.
    pub fn step(&mut self, done: &mut Vec<WaveId>) {
        let events = self.events.take();
        for &Arrival { wave, node } in &events {
            self.arrive(wave, node);
            let under_way = &mut self.waves[wave as usize].under_way;
            *under_way -= 1;
            if *under_way == 0 {
                done.push(wave);
            }
        }
        self.steps += events.len() as u64;
        self.events.recycle(events);
    }

    fn arrive(&mut self, id: WaveId, node: u32) {
        let wave = &self.waves[id as usize];
        let cell = wave.cells[node as usize];
        let at_us = wave.born_us + u64::from(cell.after_us());
        // The node has it already, or holds it and another event will come.
        if cell.is_valid() || !self.is_due(at_us) {
            return;
        }
        if !self.is_running(node) {
            self.waves[id as usize].cells[node as usize] = Cell::NOTHING;
            return;
        }
        if self.hold(id, node, at_us) {
            return;
        }
        let valid_us = at_us + u64::from(self.hop_us);
        let wave = &mut self.waves[id as usize];
        wave.cells[node as usize] = Cell::valid(wave.since_born_us(valid_us));
        if wave.fetched.is_empty() || !wave.fetched.contains(&node) {
            self.send(id, node, valid_us, false);
        } else {
            self.stations[node as usize].fetched += 1;
        }
    }

    /// Returns whether a moment is in the span being handled, or before.
    fn is_due(&self, at_us: u64) -> bool {
        span_of(at_us) < self.events.taken()
    }

    /// Forwards a valid message to the node's mesh, or sends the node's own message to all its peers.
    fn send(&mut self, id: WaveId, node: u32, at_us: u64, own: bool) {
        let wave = &mut self.waves[id as usize];
        let kind = wave.kind as usize;
        let edges = if own { self.all.of(node) } else { self.meshes[kind].of(node) };
        let Some(turn) = (self.turn as usize).checked_rem(edges.len()) else { return };
        self.turn = self.turn.wrapping_add(1);
        let bytes = wave.line_bytes as f32;
        let receive_us = self.down_ns_per_byte.map(|byte_ns| (bytes * byte_ns / 1e3) as u32);
        let received = &mut self.received[kind];
        let station = &mut self.stations[node as usize];
        let take_ns = (bytes * station.up_ns_per_byte) as u64;
        let mut free_ns = station.sending_until_ns.max(at_us * 1_000);
        let after_us = wave.since_born_us(at_us);
        let mut copies = 0;
        // Gossipsub sends to its peers in random order.
        for edge in edges[turn..].iter().chain(&edges[..turn]) {
            let cell = wave.cells[edge.to as usize];
            // The peer has sent it, or sent it while the node judged it.
            if cell.is_valid() && cell.after_us().saturating_add(edge.way_us) <= after_us {
                continue;
            }
            let end = self.ends[edge.to as usize];
            if !end.is_running {
                continue;
            }
            free_ns += take_ns;
            copies += 1;
            received[edge.to as usize] += 1;
            let lost = self.losses.next();
            if cell.is_valid() {
                continue;
            }
            let mut way_us = u64::from(edge.way_us) + u64::from(receive_us[usize::from(end.kind)]);
            if lost {
                way_us += 2 * u64::from(edge.way_us) + RETRANSMIT_US;
            }
            let there_us = free_ns / 1_000 + way_us;
            let after = Cell::arriving(u32::try_from(there_us - wave.born_us).unwrap_or(u32::MAX));
            if after.after_us() < cell.after_us() {
                wave.cells[edge.to as usize] = after;
                wave.under_way += 1;
                if !wave.fetched.is_empty() {
                    wave.fetched.remove(&edge.to);
                }
                self.events.push(there_us, Arrival { wave: id, node: edge.to });
            }
        }
        station.sending_until_ns = free_ns;
        station.sent[kind] += copies;
    }

    /// Holds a message if the node lacks an item it depends on, and requests that item from the sender. Returns true if
    /// the message waits.
    fn hold(&mut self, id: WaveId, node: u32, at_us: u64) -> bool {
        let wave = &self.waves[id as usize];
        let needs = wave.parent.into_iter().chain(wave.list.iter().copied());
        let missing: Vec<WaveId> = needs.filter(|need| !self.waves[*need as usize].is_valid_at(node, at_us)).collect();
        if missing.is_empty() {
            return false;
        }
        let (kind, bytes) = (wave.kind as usize, wave.line_bytes);
        if self.waves[id as usize].held.insert(node) {
            self.stations[node as usize].held[kind] += 1;
        }
        let mut until_us = at_us;
        for need in missing {
            until_us = until_us.max(self.fetch(need, id, node, at_us, bytes));
        }
        let wave = &mut self.waves[id as usize];
        wave.cells[node as usize] = Cell::arriving(wave.since_born_us(until_us));
        wave.under_way += 1;
        self.events.push(until_us, Arrival { wave: id, node });
        true
    }

    /// Requests an item from the sender of `by`, unless gossip is faster. Returns the microseconds at which the node
    /// will have judged it.
    fn fetch(&mut self, need: WaveId, by: WaveId, node: u32, at_us: u64, bytes: u32) -> u64 {
        let way_us = self.way_from_sender(by, node);
        let take_us = self.receiving_us(node, bytes as f32);
        let there_us = at_us + 2 * u64::from(REQUEST_ROUND_TRIPS) * way_us + u64::from(self.hop_us) + take_us;
        let wave = &mut self.waves[need as usize];
        let cell = wave.cells[node as usize];
        let known_us = wave.born_us + u64::from(cell.after_us());
        if cell.is_valid() {
            return known_us.max(at_us + 1);
        }
        if known_us <= there_us {
            return known_us.max(at_us) + u64::from(self.hop_us) + 1;
        }
        wave.cells[node as usize] = Cell::arriving(wave.since_born_us(there_us));
        wave.fetched.insert(node);
        wave.under_way += 1;
        self.events.push(there_us, Arrival { wave: need, node });
        there_us + u64::from(self.hop_us) + 1
    }

    /// Returns the microseconds to the peer that sent a message: the peer whose copy is the first, ignoring the load of
    /// lines.
    fn way_from_sender(&self, id: WaveId, node: u32) -> u64 {
        let wave = &self.waves[id as usize];
        let kind = wave.kind as usize;
        let sent = |edge: &super::peers::Edge| {
            let cell = wave.cells[edge.to as usize];
            cell.is_valid().then(|| (u64::from(cell.after_us()) + u64::from(edge.way_us), edge.way_us))
        };
        let first = self.meshes[kind].of(node).iter().filter_map(sent).min();
        // Only the origin sends to peers outside the mesh.
        let (_, way_us) = first.unwrap_or_else(|| (0, self.way_between(node, wave.origin)));
        u64::from(way_us)
    }

    fn way_between(&self, node: u32, other: u32) -> u32 {
        const FAR_US: u32 = 100_000;
        self.all.of(node).iter().find(|edge| edge.to == other).map_or(FAR_US, |edge| edge.way_us)
    }
}

/// Returns the nanoseconds per byte of a line of which other traffic takes `taken` bytes per second. At least a
/// hundredth of the line is left.
#[expect(clippy::cast_possible_truncation, reason = "seven digits are plenty")]
fn ns_per_byte(bps: f64, taken: f64) -> f32 {
    const LEFT: f64 = 0.01;
    (8e9 / (bps - 8.0 * taken).max(bps * LEFT)) as f32
}
