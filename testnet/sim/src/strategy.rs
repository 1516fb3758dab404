//! The decisions of a miner's node, as a plug-in. A strategy overrides the decisions in which it differs from an honest
//! node, and inherits the rest. [`named`] finds a strategy by its name.

pub mod censor;
pub mod difficulty_hop;
pub mod draw;
pub mod flood;
pub mod grind_addresses;
pub mod grind_parents;
pub mod grind_tips;
pub mod hoard;
pub mod lazy;
pub mod list_late;
pub mod mdp;
pub mod pool_hop;
pub mod registry;
pub mod rewrite;
pub mod selfish;
pub mod stale_bitcoin;
pub mod surge;
#[cfg(test)]
mod tests;
pub mod tools;
pub mod withhold_listed;

use bitcoin::{BlockHash, ScriptBuf};
use p2p_proto::{Gossip, Request};
use sharechain::change_set::ChangeSet;
use sharechain::{Chain, ShareId, Timestamp};

use super::rng::SimRng;
use super::time::Micros;

pub use registry::{StrategyError, named};

/// The state that a strategy sees when it decides.
#[derive(Debug)]
pub struct View<'a> {
    /// The node's own chain. It includes withheld proofs. For constants, see [`Chain::params`].
    pub chain: &'a Chain,
    /// The time on the node's clock.
    pub time: Timestamp,
    /// Time since the simulation began.
    pub now: Micros,
    /// The heaviest link that others also know, as far as this node has heard.
    pub public_tip: ShareId,
    /// The node's own unpublished proofs, oldest first.
    pub withheld: &'a [ShareId],
    /// The Bitcoin tips that the node's bitcoind knows and that no competitor exceeds in work. The one that it follows
    /// comes first. Never empty.
    pub bitcoin_tips: &'a [BlockHash],
    /// The script of the miner concerned, or of the node's first miner.
    pub script: &'a ScriptBuf,
    /// Randomness of this node's strategy.
    pub rng: &'a mut SimRng,
}

/// A proof that one of the node's own miners found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundProof {
    /// Id of the proof.
    pub id: ShareId,
    /// The link that it extends.
    pub parent: ShareId,
    /// True if it meets the link target of its position.
    pub is_link: bool,
    /// True if it is a Bitcoin block. The block goes to Bitcoin whatever the fate of the proof.
    pub is_block: bool,
}

/// The fate of one of the node's own proofs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is published at once.
    Publish,
    /// It is withheld until [`Strategy::heard`] or [`Strategy::second`] names it.
    Withhold,
}

/// A node's decisions. Every default is what the program does.
pub trait Strategy: std::fmt::Debug + Send {
    /// Returns the link that new work extends.
    fn parent(&mut self, view: &mut View<'_>) -> ShareId {
        view.chain.build_on()
    }

    /// Returns the ids that new work lists, out of `listable`, which is in list order. The result must keep that order,
    /// and no listed id may need one that was left out.
    fn list(&mut self, _view: &mut View<'_>, listable: Vec<ShareId>) -> Vec<ShareId> {
        listable
    }

    /// Returns the Bitcoin block that new work builds on.
    fn previous_block(&mut self, view: &mut View<'_>) -> BlockHash {
        view.bitcoin_tips[0]
    }

    /// Returns the script that new work credits.
    fn payout(&mut self, view: &mut View<'_>) -> ScriptBuf {
        view.script.clone()
    }

    /// Returns the header time of new work.
    fn header_time(&mut self, view: &mut View<'_>) -> Timestamp {
        view.time
    }

    /// Returns the active part of the hashrate, 0 to 1. Called every second and whenever there is new work.
    fn power(&mut self, _view: &mut View<'_>) -> f64 {
        1.0
    }

    /// Decides the fate of a new proof. It enters the node's own chain in any case, right after this call.
    fn found(&mut self, _view: &mut View<'_>, _found: &FoundProof) -> Fate {
        Fate::Publish
    }

    /// Handles a change of the chain. Returns withheld proofs to publish now, in this order, parents first.
    fn heard(&mut self, _view: &mut View<'_>, _changes: &ChangeSet) -> Vec<ShareId> {
        Vec::new()
    }

    /// Runs once per second. Returns withheld proofs to publish now, in this order, parents first.
    fn second(&mut self, _view: &mut View<'_>) -> Vec<ShareId> {
        Vec::new()
    }

    /// Returns made-up messages to all peers. Called every second.
    fn flood(&mut self, _view: &mut View<'_>) -> Vec<Gossip> {
        Vec::new()
    }

    /// Returns whether valid gossip of other miners with this id is forwarded.
    fn forwards(&mut self, _id: &ShareId) -> bool {
        true
    }

    /// Returns whether a peer's request is answered. Withheld proofs are never served; see the node.
    fn serves(&mut self, _request: &Request) -> bool {
        true
    }

    /// Returns true for a node that follows all rules. Oracles rely on it.
    fn is_honest(&self) -> bool {
        false
    }
}

/// The honest strategy, which is what the program does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Honest;

impl Strategy for Honest {
    fn is_honest(&self) -> bool {
        true
    }
}
