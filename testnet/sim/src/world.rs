//! The event loop: nodes that send messages, miners that find proofs, and faults. It is generic over the node, so that
//! real nodes of the pool and classic share-chains live in the same world.

mod schedule;

use std::sync::Arc;

use schedule::{Delivery, Planned};
pub use schedule::{Miner, Schedule};

use super::faults::{Action, NodeFault, Plan};
use super::ids::{MinerId, NodeId};
use super::time::Micros;
use super::topology::Topology;
use super::transport::Transport;

/// A node. It reacts to events and has no other way to learn the time.
pub trait Node: Sized {
    /// Messages between nodes.
    type Message;
    /// Reminders that a node sets for itself.
    type Timer;
    /// The common environment of all nodes, such as Bitcoin. It must not hold anything that nodes may learn only by
    /// messages.
    type Environment: Environment<Self>;

    /// Handles an event.
    fn on_event(&mut self, event: Event<Self>, context: &mut Context<'_, Self>);

    /// Handles a fault of the node itself, while it runs or is down. Nodes without clocks, devices and bitcoinds can
    /// ignore it.
    fn on_fault(&mut self, fault: NodeFault, context: &mut Context<'_, Self>) {
        let _ = (fault, context);
    }
}

/// The common environment of all nodes.
pub trait Environment<N: Node> {
    /// Reminders that the environment sets for itself.
    type Timer;

    /// Handles a reminder. It notifies nodes by [`Schedule::remind`].
    fn on_timer(&mut self, timer: Self::Timer, schedule: &mut Schedule<N>);
}

/// An event at a node.
#[derive(Debug)]
pub enum Event<N: Node> {
    /// The world begins, or the node joins. It has no connections.
    Start,
    /// A message arrived. It may have been sent before one of the two lost or noticed their connection.
    Message {
        /// The sender.
        from: NodeId,
        /// The message itself.
        message: Arc<N::Message>,
    },
    /// A reminder is due.
    Timer(N::Timer),
    /// A miner of this node finds a proof of as much work as [`Schedule::work`] last said.
    Found(MinerId),
    /// A connection to a peer is up.
    Connected(NodeId),
    /// A connection to a peer is down.
    Disconnected(NodeId),
    /// The process dies. It gets no event until the next [`Event::Start`], and its miners have no work.
    Crash,
}

/// A node's surroundings while it handles an event.
pub struct Context<'a, N: Node> {
    /// Id of the node.
    pub id: NodeId,
    /// The common environment.
    pub environment: &'a mut N::Environment,
    /// Time and future events.
    pub schedule: &'a mut Schedule<N>,
}

/// A simulated world.
pub struct World<N: Node> {
    /// The nodes.
    pub nodes: Vec<N>,
    /// The common environment.
    pub environment: N::Environment,
    /// Time and future events.
    pub schedule: Schedule<N>,
    /// Planned faults.
    actions: Vec<Action>,
    steps: u64,
}

impl<N: Node> World<N> {
    /// Creates a world in which no node runs or is connected. `miners` gives each miner's node and hashes per second.
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

    /// Sets the nodes' connections. They are dialed when a node starts, and redialed when they are lost.
    pub fn connect(&mut self, topology: &Topology) {
        self.schedule.connect(topology);
    }

    /// Adds planned actions.
    ///
    /// # Panics
    /// If there are more than 2^32 actions.
    pub fn plan(&mut self, plan: &Plan) {
        for (at, action) in plan.actions() {
            let index = u32::try_from(self.actions.len()).expect("a plan has fewer than 2^32 actions");
            self.schedule.plan_action(*at, index);
            self.actions.push(action.clone());
        }
    }

    /// Returns the number of steps so far. With the seed, it identifies a moment.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Executes the next event, if it is not later than `end`. Returns the node concerned, if any. Returns `None` if no
    /// event is left; the clock is then at `end`.
    pub fn step(&mut self, end: Micros) -> Option<Step> {
        let Some(planned) = self.schedule.next(end) else {
            self.schedule.wait_until(end);
            return None;
        };
        self.steps += 1;
        let node = self.act(planned);
        Some(Step { node })
    }

    /// Runs the world until `end`.
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

/// The result of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The node that the event happened to, if any.
    pub node: Option<NodeId>,
}

#[cfg(test)]
mod tests;
