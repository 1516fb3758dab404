//! Connections as nodes keep them: dialled when a node starts, lost some time after a cut or a crash, dialled again.
//!
//! Pure: says what is to be done when. A connection is in one of three states: down; up; lost, which is up to the nodes
//! that have not noticed yet.

use rand::Rng;

use super::rng::SimRng;
use super::time::Micros;
use super::topology::Topology;
use super::world::NodeId;

/// A node that starts dials each of its peers within this time.
const FIRST_DIAL: Micros = Micros::from_secs(2);

/// A cut is noticed after so long, at the earliest and at the latest: a ping every 15 s that is waited for, or the
/// transport's own time.
const CUT_NOTICED: [Micros; 2] = [Micros::from_secs(10), Micros::from_secs(30)];

/// A process that dies is noticed at once by the half of the peers whose machine says so, within this time; by the others
/// as a cut.
const DEATH_NOTICED: Micros = Micros::from_secs(1);

/// Pause before a lost connection is dialled again, doubled with each failure up to [`REDIAL_MAX`].
const REDIAL: Micros = Micros::from_millis(p2p_proto::limits::REDIAL_MS);

/// Longest pause.
const REDIAL_MAX: Micros = Micros::from_millis(p2p_proto::limits::REDIAL_MS_MAX);

/// A connection, by its place in the topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LinkId(u32);

/// Something to do about a connection after a while. Void if another was planned since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) link: LinkId,
    generation: u32,
}

/// All connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Connections {
    links: Vec<Link>,
    of: Vec<Vec<LinkId>>,
}

#[derive(Clone, Debug)]
struct Link {
    ends: [NodeId; 2],
    state: State,
    /// Raised whenever something else is planned.
    generation: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Down {
        since: Micros,
    },
    /// With the lives of both ends.
    Up {
        lives: [u32; 2],
    },
    Lost {
        lives: [u32; 2],
    },
}

/// What an [`Attempt`] came to: each of these nodes hears that the line to the other is there, or gone.
pub(super) enum AttemptResult {
    /// Nothing.
    None,
    /// A connection is there.
    Connected([NodeId; 2]),
    /// It is gone. Ends that are not in these lives any more never knew of it. What to do next, after how long.
    Disconnected([NodeId; 2], [u32; 2], (Micros, Attempt)),
}

impl Connections {
    pub(super) fn new(topology: &Topology) -> Self {
        let mut links = Self { links: Vec::new(), of: vec![Vec::new(); topology.nodes()] };
        for (index, (a, b)) in (0u32..).zip(topology.edges()) {
            let state = State::Down { since: Micros::ZERO };
            links.links.push(Link { ends: [*a, *b], state, generation: 0 });
            links.of[a.index()].push(LinkId(index));
            links.of[b.index()].push(LinkId(index));
        }
        links
    }

    /// A node starts: what to do, after how long.
    pub(super) fn started(&mut self, node: NodeId, rng: &mut SimRng) -> Vec<(Micros, Attempt)> {
        let mut dial = |links: &mut Self, id| (random_between(Micros::ZERO, FIRST_DIAL, rng), links.plan(id));
        self.ids_of(node).into_iter().map(|id| dial(self, id)).collect()
    }

    /// A node dies: what to do, after how long.
    pub(super) fn died(&mut self, node: NodeId, rng: &mut SimRng) -> Vec<(Micros, Attempt)> {
        let mut attempts = Vec::new();
        for id in self.ids_of(node) {
            let State::Up { lives } = self.link(id).state else { continue };
            self.link_mut(id).state = State::Lost { lives };
            let said = rng.random_bool(0.5);
            let after = if said { random_between(Micros::ZERO, DEATH_NOTICED, rng) } else { cut_noticed(rng) };
            attempts.push((after, self.plan(id)));
        }
        attempts
    }

    /// Ways were cut or healed: what to do, after how long. `connected` tells whether messages pass.
    pub(super) fn rewired(
        &mut self,
        now: Micros,
        connected: impl Fn(NodeId, NodeId) -> bool,
        rng: &mut SimRng,
    ) -> Vec<(Micros, Attempt)> {
        let mut attempts = Vec::new();
        for id in (0u32..).take(self.links.len()).map(LinkId) {
            let Link { ends: [a, b], state, .. } = *self.link(id);
            match (state, connected(a, b)) {
                (State::Up { lives }, false) => {
                    self.link_mut(id).state = State::Lost { lives };
                    attempts.push((cut_noticed(rng), self.plan(id)));
                }
                (State::Down { since }, true) => {
                    // Pauses doubled until they are about as long as it has been down.
                    let pause = now.since(since).clamp(REDIAL, REDIAL_MAX);
                    attempts.push((random_between(Micros::ZERO, pause, rng), self.plan(id)));
                }
                _ => {}
            }
        }
        attempts
    }

    /// The time of an attempt has come. `life` gives a node's life, `None` while it is down.
    pub(super) fn attempt(
        &mut self,
        attempt: Attempt,
        now: Micros,
        connected: impl Fn(NodeId, NodeId) -> bool,
        life: impl Fn(NodeId) -> Option<u32>,
    ) -> AttemptResult {
        let link = self.link_mut(attempt.link);
        let ends = link.ends;
        if link.generation != attempt.generation {
            return AttemptResult::None;
        }
        match link.state {
            State::Up { .. } => AttemptResult::None,
            State::Lost { lives } => {
                link.state = State::Down { since: now };
                AttemptResult::Disconnected(ends, lives, (REDIAL, self.plan(attempt.link)))
            }
            State::Down { .. } => match (life(ends[0]), life(ends[1])) {
                (Some(first), Some(second)) if connected(ends[0], ends[1]) => {
                    link.state = State::Up { lives: [first, second] };
                    AttemptResult::Connected(ends)
                }
                // Whoever starts dials, and so does everyone when ways are healed.
                _ => AttemptResult::None,
            },
        }
    }

    fn plan(&mut self, id: LinkId) -> Attempt {
        let link = self.link_mut(id);
        link.generation = link.generation.wrapping_add(1);
        Attempt { link: id, generation: link.generation }
    }

    fn ids_of(&self, node: NodeId) -> Vec<LinkId> {
        self.of.get(node.index()).cloned().unwrap_or_default()
    }

    fn link(&self, id: LinkId) -> &Link {
        &self.links[id.0 as usize]
    }

    fn link_mut(&mut self, id: LinkId) -> &mut Link {
        &mut self.links[id.0 as usize]
    }
}

fn cut_noticed(rng: &mut SimRng) -> Micros {
    random_between(CUT_NOTICED[0], CUT_NOTICED[1], rng)
}

fn random_between(low: Micros, high: Micros, rng: &mut SimRng) -> Micros {
    Micros(rng.random_range(low.0..=high.0))
}
