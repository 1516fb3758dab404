//! Nodes that leave and return, and the data that they then fetch.

use rand::Rng;
use rand_distr::Exp1;

use super::Setup;
use super::flood::Flood;
use super::wave::Cell;
use super::wire::Weight;
use sim::queue::Queue;
use sim::rng::{SimRng, stream};
use sim::time::Micros;

/// Mean times for which nodes run and are away. Both are exponential.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Churn {
    /// Mean time for which a node runs.
    pub up: Micros,
    /// Mean time for which it is away.
    pub down: Micros,
}

/// A node leaves, or has returned and fetched what it missed.
#[derive(Clone, Copy, Debug)]
enum Move {
    Leave(u32),
    Return(u32),
    Ready(u32),
}

/// Nodes that leave and return.
#[derive(Debug)]
pub struct Churning {
    churn: Churn,
    queue: Queue<Move>,
    rng: SimRng,
    left_us: Vec<u64>,
    /// Bytes on the line that each node fetched after it returned.
    pub fetched_bytes: Vec<u64>,
    /// Bytes on the line that each node served to others.
    pub served_bytes: Vec<u64>,
    /// Number of departures.
    pub leaves: u64,
}

impl Churning {
    /// Creates the state in which all nodes run.
    #[must_use]
    pub fn new(churn: Churn, nodes: usize, seed: u64) -> Self {
        let mut churning = Self {
            churn,
            queue: Queue::default(),
            rng: stream(seed, "scale churn", 0),
            left_us: vec![0; nodes],
            fetched_bytes: vec![0; nodes],
            served_bytes: vec![0; nodes],
            leaves: 0,
        };
        for node in (0u32..).take(nodes) {
            let at = churning.draw(churn.up);
            churning.queue.push(at, Move::Leave(node));
        }
        churning
    }

    fn draw(&mut self, mean: Micros) -> Micros {
        let draw: f64 = self.rng.sample(Exp1);
        Micros::from_secs_f64(mean.as_secs_f64() * draw)
    }

    /// Returns the time of the next move, in microseconds.
    #[must_use]
    pub fn next_us(&self) -> Option<u64> {
        self.queue.next_at().map(|at| at.0)
    }

    /// Executes the next move.
    pub fn step(&mut self, setup: &Setup, flood: &mut Flood) {
        let Some((now, step)) = self.queue.pop() else { return };
        match step {
            Move::Leave(node) => {
                self.leaves += 1;
                self.left_us[node as usize] = now.0;
                flood.set_running(node, false);
                let back = self.draw(self.churn.down);
                self.queue.push(now + back, Move::Return(node));
            }
            Move::Return(node) => {
                let takes = self.catch_up(setup, flood, node, now);
                self.queue.push(now + takes, Move::Ready(node));
            }
            Move::Ready(node) => {
                ready(flood, node, now);
                let stays = self.draw(self.churn.up);
                self.queue.push(now + stays, Move::Leave(node));
            }
        }
    }

    /// Fetches the links and shares that a node missed from one of its peers. Returns how long that takes.
    fn catch_up(&mut self, setup: &Setup, flood: &Flood, node: u32, now: Micros) -> Micros {
        let missed_s = Micros(now.0 - self.left_us[node as usize]).as_secs_f64();
        let bytes = missed_line_bytes(setup, missed_s);
        self.fetched_bytes[node as usize] += bytes;
        let peers = setup.connections.of(node);
        let running = |peer: &&super::peers::Peer| flood.is_running(peer.id);
        let Some(server) = peers.iter().find(running) else { return Micros::ZERO };
        self.served_bytes[server.id as usize] += bytes;
        #[expect(clippy::cast_precision_loss, reason = "a day of the chain has 200 MB")]
        let bytes = bytes as f64;
        Micros::from_secs_f64(flood.transfer_s(server.id, node, bytes))
    }
}

/// Returns the bytes on the line to fetch the proofs of `missed_s` seconds: links with their lists, and every other
/// proof.
#[must_use]
pub fn missed_line_bytes(setup: &Setup, missed_s: f64) -> u64 {
    let proofs = missed_s * setup.proofs_per_s();
    let bytes = proofs * f64::from(setup.sizes.item + setup.sizes.id);
    // Bytes of an answer with a few hundred proofs. The part of the headers is that of a large answer.
    const LARGE: u32 = 170_000;
    let headers = f64::from(Weight::of_exchange(LARGE).line) / f64::from(LARGE);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and far below 2^64")]
    let whole = (bytes * headers) as u64;
    whole
}

/// Makes all messages known to a node that has caught up, except those still in transit.
fn ready(flood: &mut Flood, node: u32, now: Micros) {
    flood.set_running(node, true);
    for wave in flood.waves.iter_mut().rev() {
        const OLD_US: u64 = 600_000_000;
        if wave.born_us + OLD_US < now.0 {
            break;
        }
        let after_us = wave.since_born_us(now.0);
        if wave.under_way == 0
            && let Some(cell) = wave.cells.get_mut(node as usize).filter(|cell| !cell.is_valid())
        {
            *cell = Cell::valid(after_us);
        }
    }
}
