//! Connections of nodes: dialed when a node starts, lost some time after a cut or a crash, redialed.
//!
//! This module is pure: it returns actions and their times. A connection is in one of three states: down, up, or lost
//! while not all of its nodes have noticed.

use rand::Rng;

use super::ids::NodeId;
use super::rng::SimRng;
use super::time::Micros;
use super::topology::Topology;

/// A starting node dials each of its peers within this time.
const FIRST_DIAL: Micros = Micros::from_secs(2);

/// Earliest and latest time after which a cut is noticed: a ping every 15 s without an answer, or the transport's
/// timeout.
const CUT_NOTICED: [Micros; 2] = [Micros::from_secs(10), Micros::from_secs(30)];

/// Half of a dead process's peers notice at once, within this time, because its machine tells them. The others notice
/// as they notice a cut.
const DEATH_NOTICED: Micros = Micros::from_secs(1);

/// Pause before a lost connection is redialed. It doubles with each failure up to [`REDIAL_MAX`].
const REDIAL: Micros = Micros::from_millis(p2p_proto::limits::REDIAL_MS);

/// The longest pause.
const REDIAL_MAX: Micros = Micros::from_millis(p2p_proto::limits::REDIAL_MS_MAX);

/// A connection, by its index in the topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ConnectionId(u32);

/// A planned action on a connection. It is void if another one has been planned since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) connection: ConnectionId,
    generation: u32,
}

/// All connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections {
    connections: Vec<Connection>,
    of: Vec<Vec<ConnectionId>>,
}

#[derive(Clone, Debug)]
struct Connection {
    ends: [NodeId; 2],
    state: State,
    /// Incremented whenever another action is planned.
    generation: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Down {
        since: Micros,
    },
    /// Up, with the lives of both ends.
    Up {
        lives: [u32; 2],
    },
    Lost {
        lives: [u32; 2],
    },
}

/// The result of an [`Attempt`]. Each of the two nodes hears that the connection to the other is up or down.
pub(super) enum AttemptResult {
    /// Nothing.
    None,
    /// The connection is up.
    Connected([NodeId; 2]),
    /// The connection is down. Ends that have died since never knew of it. The last value is the next action and its
    /// delay.
    Disconnected([NodeId; 2], [u32; 2], (Micros, Attempt)),
}

impl Connections {
    pub(super) fn new(topology: &Topology) -> Self {
        let mut connections = Self { connections: Vec::new(), of: vec![Vec::new(); topology.nodes()] };
        for (index, (a, b)) in (0u32..).zip(topology.edges()) {
            let state = State::Down { since: Micros::ZERO };
            connections.connections.push(Connection { ends: [*a, *b], state, generation: 0 });
            connections.of[a.index()].push(ConnectionId(index));
            connections.of[b.index()].push(ConnectionId(index));
        }
        connections
    }

    /// Handles the start of a node. Returns actions and their delays.
    pub(super) fn started(&mut self, node: NodeId, rng: &mut SimRng) -> Vec<(Micros, Attempt)> {
        let mut dial =
            |connections: &mut Self, id| (random_between(Micros::ZERO, FIRST_DIAL, rng), connections.plan(id));
        self.ids_of(node).into_iter().map(|id| dial(self, id)).collect()
    }

    /// Handles the death of a node. Returns actions and their delays.
    pub(super) fn died(&mut self, node: NodeId, rng: &mut SimRng) -> Vec<(Micros, Attempt)> {
        let mut attempts = Vec::new();
        for id in self.ids_of(node) {
            let State::Up { lives } = self.connection(id).state else { continue };
            self.connection_mut(id).state = State::Lost { lives };
            let said = rng.random_bool(0.5);
            let after = if said { random_between(Micros::ZERO, DEATH_NOTICED, rng) } else { cut_noticed(rng) };
            attempts.push((after, self.plan(id)));
        }
        attempts
    }

    /// Handles cut or healed paths. Returns actions and their delays. `connected` tells whether messages pass.
    pub(super) fn rewired(
        &mut self,
        now: Micros,
        connected: impl Fn(NodeId, NodeId) -> bool,
        rng: &mut SimRng,
    ) -> Vec<(Micros, Attempt)> {
        let mut attempts = Vec::new();
        for id in (0u32..).take(self.connections.len()).map(ConnectionId) {
            let Connection { ends: [a, b], state, .. } = *self.connection(id);
            match (state, connected(a, b)) {
                (State::Up { lives }, false) => {
                    self.connection_mut(id).state = State::Lost { lives };
                    attempts.push((cut_noticed(rng), self.plan(id)));
                }
                (State::Down { since }, true) => {
                    // The pauses double until they are about as long as the connection has been down.
                    let pause = now.since(since).clamp(REDIAL, REDIAL_MAX);
                    attempts.push((random_between(Micros::ZERO, pause, rng), self.plan(id)));
                }
                _ => {}
            }
        }
        attempts
    }

    /// Handles a due attempt. `life` returns a node's life, or `None` while it is down.
    pub(super) fn attempt(
        &mut self,
        attempt: Attempt,
        now: Micros,
        connected: impl Fn(NodeId, NodeId) -> bool,
        life: impl Fn(NodeId) -> Option<u32>,
    ) -> AttemptResult {
        let connection = self.connection_mut(attempt.connection);
        let ends = connection.ends;
        if connection.generation != attempt.generation {
            return AttemptResult::None;
        }
        match connection.state {
            State::Up { .. } => AttemptResult::None,
            State::Lost { lives } => {
                connection.state = State::Down { since: now };
                AttemptResult::Disconnected(ends, lives, (REDIAL, self.plan(attempt.connection)))
            }
            State::Down { .. } => match (life(ends[0]), life(ends[1])) {
                (Some(first), Some(second)) if connected(ends[0], ends[1]) => {
                    connection.state = State::Up { lives: [first, second] };
                    AttemptResult::Connected(ends)
                }
                // A starting node dials, and so does every node when paths heal.
                _ => AttemptResult::None,
            },
        }
    }

    fn plan(&mut self, id: ConnectionId) -> Attempt {
        let connection = self.connection_mut(id);
        connection.generation = connection.generation.wrapping_add(1);
        Attempt { connection: id, generation: connection.generation }
    }

    fn ids_of(&self, node: NodeId) -> Vec<ConnectionId> {
        self.of.get(node.index()).cloned().unwrap_or_default()
    }

    fn connection(&self, id: ConnectionId) -> &Connection {
        &self.connections[id.0 as usize]
    }

    fn connection_mut(&mut self, id: ConnectionId) -> &mut Connection {
        &mut self.connections[id.0 as usize]
    }
}

fn cut_noticed(rng: &mut SimRng) -> Micros {
    random_between(CUT_NOTICED[0], CUT_NOTICED[1], rng)
}

fn random_between(low: Micros, high: Micros, rng: &mut SimRng) -> Micros {
    Micros(rng.random_range(low.0..=high.0))
}
