//! Messages over the mesh: each one's first arrival at each node, with the senders' lines shared by all that is under
//! way, copies counted, and what must wait for something else held until it comes.
//!
//! A copy that is later than another one known to be under way to the same node is only counted. So a message makes two
//! or three events a node, not one for each of its eight copies.

use super::calendar::{Calendar, span_of};
use super::count_f64;
use super::ground::Ground;
use super::peers::Graph;
use super::wave::{Cell, Wave, WaveId};
use super::wire::REQUEST_ROUND_TRIPS;
use sim::transport::LineKind;

/// Time after which a lost packet is sent again at the soonest (Linux's least retransmission timeout), microseconds.
const RETRANSMIT_US: u64 = 200_000;

/// An event: a message is to be looked at by a node.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    wave: WaveId,
    node: u32,
}

/// What a node has at hand when it sends, and what was counted of it.
#[derive(Clone, Copy, Debug)]
pub struct Station {
    /// Nanoseconds that it takes to send a byte, what is taken by everything but gossip being gone.
    pub up_ns_per_byte: f32,
    /// When its line is free to send, nanoseconds.
    pub sending_until_ns: u64,
    /// Copies of shares and of links that it sent.
    pub sent: [u32; 2],
    /// Items that it asked a peer for, because something that came before needed them.
    pub fetched: u32,
    /// Shares and links that waited for something.
    pub held: [u32; 2],
}

/// Losses: a copy in so many is lost and sent again, drawn as the distance from one loss to the next.
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

/// A node as those see it that send to it.
#[derive(Clone, Copy, Debug)]
struct End {
    kind: u8,
    is_running: bool,
}

/// All messages and nodes.
#[derive(Debug)]
pub struct Flood {
    /// The mesh of each topic: of shares, of links.
    pub meshes: [Graph; 2],
    /// All connections: what a node makes itself goes to every peer.
    pub all: Graph,
    /// The nodes.
    pub stations: Vec<Station>,
    /// All messages so far.
    pub waves: Vec<Wave>,
    /// What is looked at for every copy stands apart, so that it fits into the processor's caches: each node's kind of
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
    /// Events so far.
    pub steps: u64,
}

impl Flood {
    /// Nodes at rest, whose control traffic takes so many bytes a second of each line, up and down.
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

    /// Whether a node runs.
    #[must_use]
    pub fn is_running(&self, node: u32) -> bool {
        self.ends[node as usize].is_running
    }

    /// Starts or stops a node.
    pub fn set_running(&mut self, node: u32, is_running: bool) {
        self.ends[node as usize].is_running = is_running;
    }

    /// Microseconds that a node's line takes to receive so many bytes.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative; `as` saturates")]
    fn receiving_us(&self, node: u32, bytes: f32) -> u64 {
        (bytes * self.down_ns_per_byte[usize::from(self.ends[node as usize].kind)] / 1e3) as u64
    }

    /// Seconds to bring so many bytes from one node to another, their lines being all that counts.
    #[must_use]
    pub fn transfer_s(&self, from: u32, to: u32, bytes: f64) -> f64 {
        let up = self.stations[from as usize].up_ns_per_byte;
        let down = self.down_ns_per_byte[usize::from(self.ends[to as usize].kind)];
        bytes * f64::from(up.max(down)) / 1e9
    }

    /// A node makes a message and sends it to all its peers.
    pub fn publish(&mut self, wave: Wave) -> WaveId {
        let id = WaveId::try_from(self.waves.len()).expect("fewer than 2^32 messages");
        let (origin, born_us) = (wave.origin, wave.born_us);
        self.waves.push(wave);
        self.waves[id as usize].cells[origin as usize] = Cell::valid(self.hop_us);
        self.send(id, origin, born_us + u64::from(self.hop_us), true);
        id
    }

    /// Start of the next span with events, microseconds.
    pub fn next_us(&mut self) -> Option<u64> {
        self.events.next_us()
    }

    /// Handles the events of the next span. Messages of which nothing more is to come are added to `done`.
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
        // Looked at before; or it was held meanwhile, and another event will come.
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

    /// Whether a moment lies in the span that is being handled, or before.
    fn is_due(&self, at_us: u64) -> bool {
        span_of(at_us) < self.events.taken()
    }

    /// A node sends on what it found valid: to its mesh, or to all its peers when it is its own.
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
        // Whom a node sends to first is a matter of chance in gossipsub.
        for edge in edges[turn..].iter().chain(&edges[..turn]) {
            let cell = wave.cells[edge.to as usize];
            // It came from there, or did so while it was judged.
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

    /// Puts a message aside if the node lacks what it depends on, and asks whoever sent it for that. True when it waits.
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

    /// A node asks whoever sent it `by` for a message, unless gossip is faster; when it will have it and have judged it,
    /// microseconds.
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

    /// Microseconds to the peer from which a message came: the one whose copy is the first, lines' occupation aside.
    fn way_from_sender(&self, id: WaveId, node: u32) -> u64 {
        let wave = &self.waves[id as usize];
        let kind = wave.kind as usize;
        let sent = |edge: &super::peers::Edge| {
            let cell = wave.cells[edge.to as usize];
            cell.is_valid().then(|| (u64::from(cell.after_us()) + u64::from(edge.way_us), edge.way_us))
        };
        let first = self.meshes[kind].of(node).iter().filter_map(sent).min();
        // Only its maker sends to peers surroundings the mesh.
        let (_, way_us) = first.unwrap_or_else(|| (0, self.way_between(node, wave.origin)));
        u64::from(way_us)
    }

    fn way_between(&self, node: u32, other: u32) -> u32 {
        const FAR_US: u32 = 100_000;
        self.all.of(node).iter().find(|edge| edge.to == other).map_or(FAR_US, |edge| edge.way_us)
    }
}

/// Nanoseconds a byte over a line of which so many bytes a second are taken. A line that is full still has a hundredth.
#[expect(clippy::cast_possible_truncation, reason = "seven digits are plenty")]
fn ns_per_byte(bps: f64, taken: f64) -> f32 {
    const LEFT: f64 = 0.01;
    (8e9 / (bps - 8.0 * taken).max(bps * LEFT)) as f32
}
