//! The loop: nodes that send each other messages, miners that find proofs, and what happens to them. Generic over what a
//! node is, so that the pool's real nodes and the classic share-chains live in the same world.

mod schedule;

use std::sync::Arc;

use schedule::{Delivery, Planned};
pub use schedule::{Miner, Schedule};

use super::faults::{Action, NodeFault, Plan};
use super::time::Micros;
use super::topology::Topology;
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

    /// Takes in what goes wrong with the node itself, while it runs or is down. Nodes without clocks, devices and
    /// bitcoinds need not care.
    fn on_fault(&mut self, fault: NodeFault, context: &mut Context<'_, Self>) {
        let _ = (fault, context);
    }
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
    /// The world begins, or the node joins it. It has no connections.
    Start,
    /// A message arrived. Its sender may have sent it before one of the two lost or noticed their connection.
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
    /// The process dies at once. It hears nothing more until [`Event::Start`], and its miners have no work.
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

/// A world.
pub struct World<N: Node> {
    /// The nodes.
    pub nodes: Vec<N>,
    /// What they live in.
    pub environment: N::Environment,
    /// Time, and what is to come.
    pub schedule: Schedule<N>,
    /// What is planned to go wrong.
    actions: Vec<Action>,
    steps: u64,
}

impl<N: Node> World<N> {
    /// A world in which no node runs yet, and nobody is connected. `miners` gives each one's node and hashes a second.
    #[must_use]
    pub fn new(
        nodes: Vec<N>,
        environment: N::Environment,
        miners: &[(NodeId, f64)],
        transport: Transport,
        seed: u64,
    ) -> Self {
        let schedule = Schedule::new(nodes.len(), miners, transport, seed);
        Self { nodes, environment, schedule, actions: Vec::new(), steps: 0 }
    }

    /// Gives nodes connections, which are dialled when they start, and again when they are lost.
    pub fn connect(&mut self, topology: &Topology) {
        self.schedule.connect(topology);
    }

    /// Plans what happens when; adds to what was planned.
    ///
    /// # Panics
    /// There are more than 2^32 actions.
    pub fn plan(&mut self, plan: &Plan) {
        for (at, action) in plan.actions() {
            let index = u32::try_from(self.actions.len()).expect("a plan has fewer than 2^32 actions");
            self.schedule.plan_action(*at, index);
            self.actions.push(action.clone());
        }
    }

    /// Steps so far: with the seed, the name of a moment.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Does what comes next, unless that is later than `end`. Returns the node that it happened to, if it was one.
    /// `None` when nothing is left to do; the clock then stands at `end`.
    pub fn step(&mut self, end: Micros) -> Option<Step> {
        let Some(planned) = self.schedule.next(end) else {
            self.schedule.wait_until(end);
            return None;
        };
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
            Planned::Deliver(delivery) => {
                let Delivery { to, from, message, .. } = self.schedule.arrive(delivery)?;
                Some(self.tell(to, Event::Message { from, message }))
            }
            Planned::Timer { node, timer, life } => {
                let alive = self.schedule.life(node) == Some(life);
                alive.then(|| self.tell(node, Event::Timer(timer)))
            }
            Planned::Found { miner, generation } => {
                let node = self.schedule.found(miner, generation)?;
                Some(self.tell(node, Event::Found(miner)))
            }
            Planned::Environment(timer) => {
                self.environment.on_timer(timer, &mut self.schedule);
                None
            }
            Planned::Line { node, peer, up, life } => {
                let alive = self.schedule.life(node) == Some(life);
                alive.then(|| self.tell(node, if up { Event::Connected(peer) } else { Event::Disconnected(peer) }))
            }
            Planned::Attempt(attempt) => {
                self.schedule.attempt(attempt);
                None
            }
            Planned::Start(node) => self.start(node),
            Planned::Crash(node) => self.crash(node),
            Planned::Action(index) => {
                let action = self.actions[index as usize].clone();
                self.apply(action)
            }
        }
    }

    fn apply(&mut self, action: Action) -> Option<NodeId> {
        match action {
            Action::Start(node) => return self.start(node),
            Action::Crash(node) => return self.crash(node),
            Action::Groups(groups) => self.schedule.regroup(&groups),
            Action::Stretch(factor) => self.schedule.transport_mut().set_stretch(factor),
            Action::Line(node, line) => self.schedule.change_line(node, line),
            Action::Hashrate(miner, hashrate_hs) => self.schedule.set_hashrate(miner, hashrate_hs),
            Action::Node(id, fault) => {
                let Self { nodes, environment, schedule, .. } = self;
                nodes[id.index()].on_fault(fault, &mut Context { id, environment, schedule });
                return Some(id);
            }
        }
        None
    }

    fn start(&mut self, node: NodeId) -> Option<NodeId> {
        self.schedule.begin_life(node).then(|| self.tell(node, Event::Start))
    }

    fn crash(&mut self, node: NodeId) -> Option<NodeId> {
        self.schedule.life(node)?;
        self.tell(node, Event::Crash);
        self.schedule.end_life(node);
        Some(node)
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

#[cfg(test)]
mod tests;
