//! The plan of faults in a world: actions and their times. The world itself acts on lines, lives and hashrates, and
//! passes all other faults to the nodes.

use super::ids::{MinerId, NodeId};
use super::scenario::Claim;
use super::time::Micros;
use super::transport::Line;

/// A fault that the node itself acts out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeFault {
    /// The node's clock jumps by this many microseconds, backward if negative.
    ClockStep(i64),
    /// The node's devices now take this long to switch to new work.
    DeviceSwitch(Micros),
    /// The node's bitcoind now hears of blocks with this delay.
    BitcoindDelay(Micros),
    /// The node's bitcoind now makes this claim. `None` makes it honest again.
    BitcoindClaims(Option<Claim>),
    /// The next crash tears the data that the node has not synced to disk.
    TornWrites,
}

/// An action at a planned time.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Sets the group of each node. Messages pass only within one group.
    Groups(Vec<u8>),
    /// Multiplies all travel times by this factor.
    Stretch(f64),
    /// Replaces a node's line.
    Line(NodeId, Line),
    /// Starts a node, unless it runs.
    Start(NodeId),
    /// Kills a node, if it runs.
    Crash(NodeId),
    /// Sets a miner's hashrate, in hashes per second.
    Hashrate(MinerId, f64),
    /// A fault that the node itself acts out.
    Node(NodeId, NodeFault),
}

/// Planned actions, by ascending time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    actions: Vec<(Micros, Action)>,
}

impl Plan {
    /// Creates a plan. Actions at the same time keep their given order.
    #[must_use]
    pub fn new(mut actions: Vec<(Micros, Action)>) -> Self {
        actions.sort_by_key(|(at, _)| *at);
        Self { actions }
    }

    /// Returns all actions with their times.
    #[must_use]
    pub fn actions(&self) -> &[(Micros, Action)] {
        &self.actions
    }
}
