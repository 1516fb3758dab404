//! The loop: nodes that send each other messages, miners that find proofs, and what happens to them. Generic over what a
//! node is, so that the pool's real nodes and the classic share-chains live in the same world.

use std::sync::Arc;

use rand::Rng;
use rand_distr::Exp1;

use super::queue::Queue;
use super::rng::{SimRng, stream};
use super::time::Micros;
use super::transport::Transport;

/// A node, by its place in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The node at an index.
    ///
    /// # Panics
    /// There are more than 2^32 nodes.
    #[must_use]
    pub fn of(index: usize) -> Self {
        Self(u32::try_from(index).expect("a world has fewer than 2^32 nodes"))
    }

    /// Its index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A miner, by its place in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MinerId(pub u32);

impl MinerId {
    /// Its index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a node does. It reacts to events and has no other way to learn of time.
pub trait Node: Sized {
    /// What nodes send each other.
    type Message;
    /// What a node sets itself to be reminded of.
    type Timer;
    /// What all nodes live in: Bitcoin, say. Everything that nodes may only learn by messages stays out of it.
    type Environment: Environment<Self>;

    /// Takes in what happened.
    fn on_event(&mut self, event: Event<Self>, context: &mut Context<'_, Self>);
}

/// What all nodes live in.
pub trait Environment<N: Node> {
    /// What it sets itself to be reminded of.
    type Timer;

    /// Takes in a reminder; tells nodes by [`Schedule::remind`].
    fn on_timer(&mut self, timer: Self::Timer, schedule: &mut Schedule<N>);
}

/// What happens to a node.
#[derive(Debug)]
pub enum Event<N: Node> {
    /// The world begins, or the node joins it.
    Start,
    /// A message arrived.
    Message {
        /// From whom.
        from: NodeId,
        /// Which.
        message: Arc<N::Message>,
    },
    /// A reminder is due.
    Timer(N::Timer),
    /// A miner of this node finds a proof of as much work as [`Schedule::work`] last said.
    Found(MinerId),
    /// A line to a peer is there.
    Connected(NodeId),
    /// It is gone.
    Disconnected(NodeId),
    /// The process dies at once. It hears nothing more until [`Event::Start`].
    Crash,
}

/// What a node has at hand while it takes in an event.
pub struct Context<'a, N: Node> {
    /// Which node this is.
    pub id: NodeId,
    /// What all live in.
    pub environment: &'a mut N::Environment,
    /// Time, and what is to come.
    pub schedule: &'a mut Schedule<N>,
}

/// Hash rate that belongs to a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Miner {
    /// Whose.
    pub node: NodeId,
    /// Hashes a second.
    pub hashrate_hs: f64,
    /// Hashes that a proof takes now; not a number while it has no work.
    hashes: f64,
    /// Raised whenever what it works on changes, so that older plans are void.
    generation: u32,
}

/// What waits in the queue.
enum Planned<N: Node> {
    Deliver { to: NodeId, from: NodeId, message: Arc<N::Message>, life: u32 },
    Timer { node: NodeId, timer: N::Timer, life: u32 },
    Found { miner: MinerId, generation: u32 },
    Environment(<N::Environment as Environment<N>>::Timer),
    Line { node: NodeId, peer: NodeId, up: bool },
    Start(NodeId),
    Crash(NodeId),
}

/// Time, and what is to come.
pub struct Schedule<N: Node> {
    now: Micros,
    queue: Queue<Planned<N>>,
    transport: Transport,
    miners: Vec<Miner>,
    /// How often each node was started; what was meant for an earlier life does not reach it. Even: it is down.
    lives: Vec<u32>,
    lines_rng: SimRng,
    mining_rng: SimRng,
    /// For the decisions of nodes and environment.
    pub rng: SimRng,
}

impl<N: Node> Schedule<N> {
    /// The present.
    #[must_use]
    pub fn now(&self) -> Micros {
        self.now
    }

    /// Sends a message; it is lost if the line is cut.
    pub fn send(&mut self, from: NodeId, to: NodeId, message: Arc<N::Message>, size_bytes: u32) {
        let life = self.lives[to.index()];
        if let Some(at) = self.transport.send(from, to, size_bytes, self.now, &mut self.lines_rng) {
            self.queue.push(at, Planned::Deliver { to, from, message, life });
        }
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

    /// Says how many hashes a miner's next proof takes on average; `None` when it has no work. The time until then is
    /// drawn from the exponential distribution, which has no memory: drawing anew changes nothing.
    pub fn work(&mut self, miner: MinerId, hashes: Option<f64>) {
        let hashes = hashes.unwrap_or(f64::NAN);
        let old = &mut self.miners[miner.index()];
        if old.hashes.to_bits() != hashes.to_bits() {
            old.hashes = hashes;
            self.draw(miner);
        }
    }

    /// Changes a miner's hash rate.
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

    /// The miners.
    #[must_use]
    pub fn miners(&self) -> &[Miner] {
        &self.miners
    }

    /// Whether a node runs.
    #[must_use]
    pub fn is_up(&self, node: NodeId) -> bool {
        self.lives[node.index()] % 2 == 1
    }

    /// The lines between nodes.
    #[must_use]
    pub fn transport(&self) -> &Transport {
        &self.transport
    }

    /// The lines between nodes, to be changed. Cutting them tells nobody; see [`Schedule::set_line`].
    pub fn transport_mut(&mut self) -> &mut Transport {
        &mut self.transport
    }

    /// Tells two nodes, after a while, that the line between them is there, or gone.
    pub fn set_line(&mut self, node: NodeId, peer: NodeId, up: bool, after: Micros) {
        for (node, peer) in [(node, peer), (peer, node)] {
            self.queue.push(self.now + after, Planned::Line { node, peer, up });
        }
    }

    /// Starts a node after a while; one that runs is not disturbed.
    pub fn start(&mut self, node: NodeId, after: Micros) {
        self.queue.push(self.now + after, Planned::Start(node));
    }

    /// Kills a node after a while.
    pub fn crash(&mut self, node: NodeId, after: Micros) {
        self.queue.push(self.now + after, Planned::Crash(node));
    }
}

/// A world.
pub struct World<N: Node> {
    /// The nodes.
    pub nodes: Vec<N>,
    /// What they live in.
    pub environment: N::Environment,
    /// Time, and what is to come.
    pub schedule: Schedule<N>,
    steps: u64,
}

impl<N: Node> World<N> {
    /// A world in which no node runs yet. `miners` gives each one's node and hashes a second.
    #[must_use]
    pub fn new(
        nodes: Vec<N>,
        environment: N::Environment,
        miners: &[(NodeId, f64)],
        transport: Transport,
        seed: u64,
    ) -> Self {
        let idle = |&(node, hashrate_hs): &(NodeId, f64)| Miner { node, hashrate_hs, hashes: f64::NAN, generation: 0 };
        let schedule = Schedule {
            now: Micros::ZERO,
            queue: Queue::default(),
            transport,
            miners: miners.iter().map(idle).collect(),
            lives: vec![0; nodes.len()],
            lines_rng: stream(seed, "lines", 0),
            mining_rng: stream(seed, "mining", 0),
            rng: stream(seed, "nodes", 0),
        };
        Self { nodes, environment, schedule, steps: 0 }
    }

    /// Steps so far: with the seed, the name of a moment.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Does what comes next, unless that is later than `end`. Returns the node that it happened to, if it was one.
    /// `None` when nothing is left to do; the clock then stands at `end`.
    pub fn step(&mut self, end: Micros) -> Option<Step> {
        if self.schedule.queue.next_at().is_none_or(|at| at > end) {
            self.schedule.now = end;
            return None;
        }
        let (now, planned) = self.schedule.queue.pop()?;
        self.schedule.now = now;
        self.steps += 1;
        let node = self.act(planned);
        Some(Step { node })
    }

    /// Runs until `end`.
    pub fn run(&mut self, end: Micros) {
        while self.step(end).is_some() {}
    }

    fn act(&mut self, planned: Planned<N>) -> Option<NodeId> {
        match planned {
            Planned::Environment(timer) => {
                self.environment.on_timer(timer, &mut self.schedule);
                None
            }
            Planned::Deliver { to, from, message, life } => {
                let alive = self.schedule.lives[to.index()] == life && self.schedule.is_up(to);
                alive.then(|| self.tell(to, Event::Message { from, message }))
            }
            Planned::Timer { node, timer, life } => {
                let alive = self.schedule.lives[node.index()] == life && self.schedule.is_up(node);
                alive.then(|| self.tell(node, Event::Timer(timer)))
            }
            Planned::Found { miner, generation } => {
                let Miner { node, generation: current, .. } = self.schedule.miners[miner.index()];
                if generation != current || !self.schedule.is_up(node) {
                    return None;
                }
                self.schedule.draw(miner);
                Some(self.tell(node, Event::Found(miner)))
            }
            Planned::Line { node, peer, up } => {
                let alive = self.schedule.is_up(node);
                alive.then(|| self.tell(node, if up { Event::Connected(peer) } else { Event::Disconnected(peer) }))
            }
            Planned::Start(node) => {
                if self.schedule.is_up(node) {
                    return None;
                }
                self.schedule.lives[node.index()] += 1;
                Some(self.tell(node, Event::Start))
            }
            Planned::Crash(node) => {
                if !self.schedule.is_up(node) {
                    return None;
                }
                self.tell(node, Event::Crash);
                self.schedule.lives[node.index()] += 1;
                Some(node)
            }
        }
    }

    fn tell(&mut self, id: NodeId, event: Event<N>) -> NodeId {
        let Self { nodes, environment, schedule, .. } = self;
        nodes[id.index()].on_event(event, &mut Context { id, environment, schedule });
        id
    }
}

/// What one step was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The node that something happened to.
    pub node: Option<NodeId>,
}
