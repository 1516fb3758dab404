//! Time and future events.

use std::sync::Arc;

use rand::Rng;
use rand_distr::Exp1;

use super::{Environment, Node};
use crate::connections::{Attempt, AttemptResult, Connections};
use crate::ids::{MinerId, NodeId};
use crate::queue::Queue;
use crate::rng::{SimRng, stream};
use crate::time::Micros;
use crate::topology::Topology;
use crate::transport::{Line, Transport};

/// Longest wait of a copy for its sender's line; then it is dropped. Gossipsub in libp2p drops a node's own messages
/// after 5 s, and forwarded ones after 1 s.
const COPY_WAITS_MAX: Micros = Micros::from_secs(5);

/// A miner: hashrate that belongs to a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Miner {
    /// The node that it mines with.
    pub node: NodeId,
    /// Hashes per second.
    pub hashrate_hs: f64,
    /// Hashes that a proof takes now, on average. NaN while it has no work.
    hashes: f64,
    /// Incremented whenever its work changes, which voids older plans.
    generation: u32,
}

/// An entry of the event queue. It is small, because it is moved often.
pub(super) enum Planned<N: Node> {
    Deliver(Delivery<N>),
    Timer { node: NodeId, timer: N::Timer, life: u32 },
    Found { miner: MinerId, generation: u32 },
    Environment(<N::Environment as Environment<N>>::Timer),
    Line { node: NodeId, peer: NodeId, up: bool, life: u32 },
    Attempt(Attempt),
    Start(NodeId),
    Crash(NodeId),
    Action(u32),
}

/// A message in transit.
pub(super) struct Delivery<N: Node> {
    pub(super) message: Arc<N::Message>,
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    /// The life of the receiver.
    life: u32,
    /// Zero once the message has its slot on the receiver's line.
    size_bytes: u32,
}

/// Time and future events.
pub struct Schedule<N: Node> {
    now: Micros,
    queue: Queue<Planned<N>>,
    transport: Transport,
    connections: Connections,
    miners: Vec<Miner>,
    /// Number of starts and deaths of each node. Events of an earlier life are dropped. Even while the node is down.
    lives: Vec<u32>,
    lines_rng: SimRng,
    connections_rng: SimRng,
    mining_rng: SimRng,
    /// Randomness of nodes and environment.
    pub rng: SimRng,
}

impl<N: Node> Schedule<N> {
    pub(super) fn new(nodes: usize, miners: &[(NodeId, f64)], transport: Transport, seed: u64) -> Self {
        let idle = |&(node, hashrate_hs): &(NodeId, f64)| Miner { node, hashrate_hs, hashes: f64::NAN, generation: 0 };
        Self {
            now: Micros::ZERO,
            queue: Queue::default(),
            transport,
            connections: Connections::default(),
            miners: miners.iter().map(idle).collect(),
            lives: vec![0; nodes],
            lines_rng: stream(seed, "lines", 0),
            connections_rng: stream(seed, "links", 0),
            mining_rng: stream(seed, "mining", 0),
            rng: stream(seed, "nodes", 0),
        }
    }

    /// Returns the present time.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.now
    }

    /// Sends a message. It is lost if the path is cut or if the receiver dies before it arrives.
    pub fn send(&mut self, from: NodeId, to: NodeId, message: Arc<N::Message>, size_bytes: u32) {
        if let Some(at) = self.transport.send(from, to, size_bytes, self.now, &mut self.lines_rng) {
            self.deliver(at, from, to, message, size_bytes);
        }
    }

    /// Sends a copy of a message, of which others may be in transit to the same node. `earliest` is the first expected
    /// arrival, [`Micros::NEVER`] at the beginning. A later copy occupies both lines and counts as traffic, but causes
    /// no event, not even if the first copy is lost. A copy that would wait more than 5 s for its sender's line is not
    /// sent.
    pub fn send_copy(
        &mut self,
        from: NodeId,
        to: NodeId,
        message: &Arc<N::Message>,
        size_bytes: u32,
        earliest: &mut Micros,
    ) {
        if self.transport.wait(from, self.now) > COPY_WAITS_MAX {
            return;
        }
        let Some(at) = self.transport.send(from, to, size_bytes, self.now, &mut self.lines_rng) else { return };
        if at >= *earliest {
            self.transport.receive_copy(to, size_bytes, self.now);
            return;
        }
        *earliest = at;
        self.deliver(at, from, to, Arc::clone(message), size_bytes);
    }

    fn deliver(&mut self, at: Micros, from: NodeId, to: NodeId, message: Arc<N::Message>, size_bytes: u32) {
        let life = self.lives[to.index()];
        self.queue.push(at, Planned::Deliver(Delivery { message, from, to, life, size_bytes }));
    }

    /// Delivers a message, unless its receiver is down, its line is busy, or the path has been cut.
    pub(super) fn arrive(&mut self, mut delivery: Delivery<N>) -> Option<Delivery<N>> {
        let Delivery { from, to, life, size_bytes, .. } = delivery;
        if self.life(to) != Some(life) || !self.transport.connected(from, to) {
            return None;
        }
        if size_bytes > 0
            && let Some(later) = self.transport.receive(to, size_bytes, self.now)
        {
            delivery.size_bytes = 0;
            self.queue.push(later, Planned::Deliver(delivery));
            return None;
        }
        Some(delivery)
    }

    /// Reminds a node after a while, if it lives that long.
    pub fn remind(&mut self, node: NodeId, after: Micros, timer: N::Timer) {
        let life = self.lives[node.index()];
        self.queue.push(self.now + after, Planned::Timer { node, timer, life });
    }

    /// Reminds the environment after a while.
    pub fn remind_environment(&mut self, after: Micros, timer: <N::Environment as Environment<N>>::Timer) {
        self.queue.push(self.now + after, Planned::Environment(timer));
    }

    /// Sets the average number of hashes for a miner's next proof. `None` means no work. The time until then has an
    /// exponential distribution, which has no memory, so drawing it again changes nothing.
    pub fn work(&mut self, miner: MinerId, hashes: Option<f64>) {
        let hashes = hashes.unwrap_or(f64::NAN);
        let old = &mut self.miners[miner.index()];
        if old.hashes.to_bits() != hashes.to_bits() {
            old.hashes = hashes;
            self.draw(miner);
        }
    }

    /// Sets a miner's hashrate, in hashes per second.
    pub fn set_hashrate(&mut self, miner: MinerId, hashrate_hs: f64) {
        self.miners[miner.index()].hashrate_hs = hashrate_hs;
        self.draw(miner);
    }

    fn draw(&mut self, id: MinerId) {
        let miner = &mut self.miners[id.index()];
        miner.generation = miner.generation.wrapping_add(1);
        let generation = miner.generation;
        let mean_s = miner.hashes / miner.hashrate_hs;
        if mean_s.is_finite() {
            let share: f64 = self.mining_rng.sample(Exp1);
            self.queue.push(self.now + Micros::from_secs_f64(mean_s * share), Planned::Found { miner: id, generation });
        }
    }

    /// Handles a find, if the miner still works on that job. The miner continues.
    pub(super) fn found(&mut self, miner: MinerId, generation: u32) -> Option<NodeId> {
        let Miner { node, generation: current, .. } = self.miners[miner.index()];
        if generation != current || !self.is_up(node) {
            return None;
        }
        self.draw(miner);
        Some(node)
    }

    /// Returns the miners.
    #[must_use]
    pub fn miners(&self) -> &[Miner] {
        &self.miners
    }

    /// Returns whether a node runs.
    #[must_use]
    pub fn is_up(&self, node: NodeId) -> bool {
        self.lives[node.index()] % 2 == 1
    }

    /// Returns the number of a node's life. `None` while it is down.
    #[must_use]
    pub fn life(&self, node: NodeId) -> Option<u32> {
        Some(self.lives[node.index()]).filter(|life| life % 2 == 1)
    }

    /// Returns the lines of all nodes.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Replaces a node's line.
    pub fn change_line(&mut self, node: NodeId, line: Line) {
        self.transport.set_line(node, line, self.now);
    }

    /// Returns the lines of all nodes, to be changed. A cut made here is not announced to nodes; see
    /// [`Schedule::regroup`].
    pub fn transport_mut(&mut self) -> &mut Transport {
        &mut self.transport
    }

    /// Cuts and heals paths: messages pass only within a group. Nodes notice some time later.
    pub fn regroup(&mut self, groups: &[u8]) {
        for (index, group) in groups.iter().enumerate() {
            self.transport.set_group(NodeId::of(index), *group);
        }
        let Self { connections, transport, connections_rng, now, .. } = self;
        let attempts = connections.rewired(*now, |a, b| transport.connected(a, b), connections_rng);
        self.plan_attempts(attempts);
    }

    /// Tells two running nodes, after a while, that the connection between them is up or down. Use it in worlds without
    /// a [`Topology`], which does this by itself.
    pub fn set_line(&mut self, node: NodeId, peer: NodeId, up: bool, after: Micros) {
        for (node, peer) in [(node, peer), (peer, node)] {
            // Nodes that start before then hear of it too.
            let life = self.lives[node.index()] | 1;
            self.queue.push(self.now + after, Planned::Line { node, peer, up, life });
        }
    }

    /// Starts a node after a while. It does not affect a running node.
    pub fn start(&mut self, node: NodeId, after: Micros) {
        self.queue.push(self.now + after, Planned::Start(node));
    }

    /// Kills a node after a while.
    pub fn crash(&mut self, node: NodeId, after: Micros) {
        self.queue.push(self.now + after, Planned::Crash(node));
    }

    pub(super) fn connect(&mut self, topology: &Topology) {
        self.connections = Connections::new(topology);
    }

    pub(super) fn plan_action(&mut self, at: Micros, index: u32) {
        self.queue.push(at, Planned::Action(index));
    }

    /// Removes the next event that is not later than `end`.
    pub(super) fn next(&mut self, end: Micros) -> Option<Planned<N>> {
        self.queue.next_at().filter(|at| *at <= end)?;
        let (now, planned) = self.queue.pop()?;
        self.now = now;
        Some(planned)
    }

    pub(super) fn wait_until(&mut self, end: Micros) {
        self.now = self.now.max(end);
    }

    /// Returns false if the node runs already.
    pub(super) fn begin_life(&mut self, node: NodeId) -> bool {
        if self.is_up(node) {
            return false;
        }
        self.lives[node.index()] += 1;
        let attempts = self.connections.started(node, &mut self.connections_rng);
        self.plan_attempts(attempts);
        true
    }

    pub(super) fn end_life(&mut self, node: NodeId) {
        self.lives[node.index()] += 1;
        for miner in self.miners.iter_mut().filter(|miner| miner.node == node) {
            // The devices have no node to submit to.
            miner.hashes = f64::NAN;
            miner.generation = miner.generation.wrapping_add(1);
        }
        let attempts = self.connections.died(node, &mut self.connections_rng);
        self.plan_attempts(attempts);
    }

    fn plan_attempts(&mut self, attempts: impl IntoIterator<Item = (Micros, Attempt)>) {
        for (after, attempt) in attempts {
            self.queue.push(self.now + after, Planned::Attempt(attempt));
        }
    }

    /// Executes a due attempt.
    pub(super) fn attempt(&mut self, attempt: Attempt) {
        let Self { connections, transport, lives, now, .. } = self;
        let life = |node: NodeId| Some(lives[node.index()]).filter(|life| life % 2 == 1);
        match connections.attempt(attempt, *now, |a, b| transport.connected(a, b), life) {
            AttemptResult::None => {}
            AttemptResult::Connected(ends) => {
                self.tell_line(ends, [self.lives[ends[0].index()], self.lives[ends[1].index()]], true)
            }
            AttemptResult::Disconnected(ends, lives, next) => {
                self.tell_line(ends, lives, false);
                self.plan_attempts([next]);
            }
        }
    }

    fn tell_line(&mut self, [a, b]: [NodeId; 2], lives: [u32; 2], up: bool) {
        self.queue.push(self.now, Planned::Line { node: a, peer: b, up, life: lives[0] });
        self.queue.push(self.now, Planned::Line { node: b, peer: a, up, life: lives[1] });
    }
}
