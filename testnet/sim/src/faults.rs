//! What goes wrong in a world, as a plan: what is done when. The world does what concerns lines, lives and hash rates
//! itself and hands the rest to the nodes.

use super::scenario::Claim;
use super::time::Micros;
use super::transport::Line;
use super::world::{MinerId, NodeId};

/// What happens to a node that only the node itself can act out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeFault {
    /// Its clock jumps by so many microseconds, back if negative.
    ClockStep(i64),
    /// Its devices now take that long to switch to new work.
    DeviceSwitch(Micros),
    /// Its bitcoind now hears of blocks that late.
    BitcoindDelay(Micros),
    /// Its bitcoind now claims that; `None`: it is honest again.
    BitcoindClaims(Option<Claim>),
    /// It is about to crash, and what it did not sync to disk will be torn.
    TornWrites,
}

/// Something that is done at a time.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Nodes are now in these groups: messages pass only within one.
    Groups(Vec<u8>),
    /// All ways take that many times as long as usual.
    Stretch(f64),
    /// A node's line is now this.
    Line(NodeId, Line),
    /// A node starts, unless it runs.
    Start(NodeId),
    /// A node dies, if it runs.
    Crash(NodeId),
    /// A miner has so many hashes a second.
    Hashrate(MinerId, f64),
    /// Something that the node acts out itself.
    Node(NodeId, NodeFault),
}

/// What is done when, by ascending time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    actions: Vec<(Micros, Action)>,
}

impl Plan {
    /// A plan; what happens at the same time happens in the order given.
    #[must_use]
    pub fn new(mut actions: Vec<(Micros, Action)>) -> Self {
        actions.sort_by_key(|(at, _)| *at);
        Self { actions }
    }

    /// Everything that is done.
    #[must_use]
    pub fn actions(&self) -> &[(Micros, Action)] {
        &self.actions
    }
}
