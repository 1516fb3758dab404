//! The invariants of every simulated world. They are checked after each event on its node, and every few seconds on all
//! nodes. The oracles know the whole world: who found each proof, who is honest, and which faults occur at which time.
//!
//! ```text
//! chain_view.rs  a node's share-chain, as the oracles see it
//! book.rs        the credits of each link: the same on all nodes, none twice
//! history.rs     the links of a branch, as state roots commit to them
//! payout.rs      windows and payouts, computed again from the book
//! state_root.rs  state roots, computed again from the book
//! money.rs       blocks pay all they may, to the right scripts
//! proofs.rs      no invalid proof is accepted, no valid one rejected, no honest node banned
//! memory.rs      the memory of nodes is bounded
//! fates.rs       the proofs of honest miners are credited
//! agreement.rs   settled links never conflict; after faults, all honest nodes share one chain
//! calm.rs        the times of faults
//! watch.rs       runs a scenario under all oracles
//! ```

mod agreement;
mod book;
mod calm;
mod chain_view;
mod fates;
mod history;
mod memory;
mod money;
mod payout;
mod proofs;
mod state_root;
mod watch;

use std::fmt;

use super::ids::NodeId;
use super::time::Micros;

pub use watch::{Oracles, Watched, watch};

/// An invariant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oracle {
    /// Each block that the pool found pays all it may, to the right scripts.
    Money,
    /// Nodes with the same tip have the same lists, credits and windows, and links commit to the state that follows.
    State,
    /// No proof is credited twice on any main chain.
    Credit,
    /// The memory of a node is bounded.
    Memory,
    /// No proof is accepted that no miner found, or that has too little work.
    Invalid,
    /// No node calls an honest miner's proof invalid, and no honest node is banned for one.
    Valid,
    /// A proof that an honest miner found while no fault was active is credited in time.
    Lost,
    /// Honest nodes never disagree about settled links.
    Settled,
    /// Soon after the last fault, all honest nodes share one chain.
    Convergence,
}

impl Oracle {
    /// Creates a finding of this oracle.
    const fn finds(self, what: String) -> Finding {
        Finding { oracle: self, what }
    }
}

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    oracle: Oracle,
    what: String,
}

/// A broken invariant and its moment. The scenario, the seed and the step identify it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant.
    pub oracle: Oracle,
    /// The seed of the run.
    pub seed: u64,
    /// Steps of the world so far.
    pub step: u64,
    /// Time since the simulation began.
    pub at: Micros,
    /// The node that showed it, if it was a single one.
    pub node: Option<NodeId>,
    /// A description of the violation.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { oracle, seed, step, at, node, what } = self;
        write!(f, "{oracle:?} does not hold: seed {seed}, step {step}, time {at}")?;
        if let Some(NodeId(node)) = node {
            write!(f, ", node {node}")?;
        }
        write!(f, ": {what}")
    }
}

impl std::error::Error for Violation {}
