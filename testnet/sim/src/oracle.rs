//! What must hold in every simulated world, checked after every event on the node that it happened to, and every few
//! seconds on all. The checks know what the world knows: who found what, who is honest, what goes wrong and when.
//!
//! ```text
//! chain_view.rs      what oracles see of a node's share-chain
//! book.rs       what every link credits: the same on all nodes, nothing twice
//! payout.rs     windows and payouts once more, from the book
//! money.rs      blocks pay all they may, to whom it is due
//! proofs.rs     nothing invalid is accepted, nothing valid is refused, nobody honest is banned
//! memory.rs     what nodes keep is bounded
//! fates.rs      what honest miners find is credited
//! agreement.rs  final links never conflict; after faults all honest nodes have one chain
//! calm.rs       when something goes wrong, and when that is over
//! watch.rs      a scenario's run under the eyes of all oracles
//! ```

mod agreement;
mod book;
mod calm;
mod chain_view;
mod fates;
mod memory;
mod money;
mod payout;
mod proofs;
mod watch;

use std::fmt;

use super::time::Micros;
use super::world::NodeId;

pub use watch::{Oracles, Watched, watch};

/// What must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oracle {
    /// Each block that the pool found pays all it may, to whom it is due.
    Money,
    /// Nodes with the same tip have the same lists, credits and windows.
    State,
    /// Nothing is credited twice on any main chain.
    Credit,
    /// What a node keeps is bounded.
    Memory,
    /// Nothing is accepted that nobody found, or that has too little work.
    Invalid,
    /// What an honest miner found is called invalid by nobody, and no honest node is banned for it.
    Valid,
    /// What an honest miner found while nothing went wrong is credited in time.
    Lost,
    /// Honest nodes never disagree about what is final.
    Finality,
    /// When nothing goes wrong any more, all honest nodes soon have one chain.
    Convergence,
}

impl Oracle {
    /// What this oracle finds.
    const fn finds(self, what: String) -> Finding {
        Finding { oracle: self, what }
    }
}

/// Something that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Finding {
    oracle: Oracle,
    what: String,
}

/// Something that does not hold, and the moment at which that was seen. The scenario, the seed and the step name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What does not hold.
    pub oracle: Oracle,
    /// The seed of the run.
    pub seed: u64,
    /// Steps of the world so far.
    pub step: u64,
    /// Time since the simulation began.
    pub at: Micros,
    /// The node on which it was seen, if it was one.
    pub node: Option<NodeId>,
    /// What was seen.
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
