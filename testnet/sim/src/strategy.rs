//! What a miner's node decides, as a plug-in: a strategy overrides what it does differently from an honest node, and
//! inherits the rest. [`named`] knows them all.

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

/// What a strategy may look at when it decides.
#[derive(Debug)]
pub struct View<'a> {
    /// The node's own chain; what it withholds is in there like everything else. Constants: [`Chain::params`].
    pub chain: &'a Chain,
    /// The node's clock.
    pub time: Timestamp,
    /// Time since the simulation began.
    pub now: Micros,
    /// The heaviest link that others know as well, as far as this node has heard.
    pub public_tip: ShareId,
    /// Own finds that were not published yet, oldest first.
    pub withheld: &'a [ShareId],
    /// Tips of Bitcoin that the node's bitcoind knows and that have no less work than their competitors, the one that it
    /// follows first; never empty.
    pub bitcoin_tips: &'a [BlockHash],
    /// The script of the miner concerned, or of the node's first miner.
    pub script: &'a ScriptBuf,
    /// Randomness of this node's strategy.
    pub rng: &'a mut SimRng,
}

/// A proof that one of the node's own miners found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundProof {
    /// Its id.
    pub id: ShareId,
    /// The link that it extends.
    pub parent: ShareId,
    /// True when it meets the link target of its position.
    pub is_link: bool,
    /// True when it is a Bitcoin block; the block goes to Bitcoin whatever becomes of the proof.
    pub is_block: bool,
}

/// What becomes of an own find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Everybody hears of it at once.
    Publish,
    /// Nobody does until [`Strategy::heard`] or [`Strategy::second`] names it.
    Withhold,
}

/// A node's decisions. Every default is what the program does.
pub trait Strategy: std::fmt::Debug + Send {
    /// The link that new work extends.
    fn parent(&mut self, view: &mut View<'_>) -> ShareId {
        view.chain.build_on()
    }

    /// What new work lists, out of what it may list, which is in the order of lists. The result must keep that order, and
    /// what stays must not need what was left out.
    fn list(&mut self, _view: &mut View<'_>, listable: Vec<ShareId>) -> Vec<ShareId> {
        listable
    }

    /// The Bitcoin block that new work builds on.
    fn previous_block(&mut self, view: &mut View<'_>) -> BlockHash {
        view.bitcoin_tips[0]
    }

    /// Who is credited for new work.
    fn payout(&mut self, view: &mut View<'_>) -> ScriptBuf {
        view.script.clone()
    }

    /// The time in new work.
    fn header_time(&mut self, view: &mut View<'_>) -> Timestamp {
        view.time
    }

    /// The part of the hash rate that works now, 0 to 1; asked every second and whenever there is new work.
    fn power(&mut self, _view: &mut View<'_>) -> f64 {
        1.0
    }

    /// What becomes of an own find. It enters the node's own chain in any case, right after this.
    fn found(&mut self, _view: &mut View<'_>, _found: &FoundProof) -> Fate {
        Fate::Publish
    }

    /// The chain changed. Returns withheld finds to publish now, in this order; parents first.
    fn heard(&mut self, _view: &mut View<'_>, _changes: &ChangeSet) -> Vec<ShareId> {
        Vec::new()
    }

    /// A second passed. Returns withheld finds to publish now, in this order; parents first.
    fn second(&mut self, _view: &mut View<'_>) -> Vec<ShareId> {
        Vec::new()
    }

    /// Messages to all peers that the node made up; asked every second.
    fn flood(&mut self, _view: &mut View<'_>) -> Vec<Gossip> {
        Vec::new()
    }

    /// Whether valid gossip of others with this id is passed on.
    fn forwards(&mut self, _id: &ShareId) -> bool {
        true
    }

    /// Whether a peer's request is answered. What is withheld is never told; see the node.
    fn serves(&mut self, _request: &Request) -> bool {
        true
    }

    /// True for a node that follows the rules in everything: oracles take it at its word.
    fn is_honest(&self) -> bool {
        false
    }
}

/// What the program does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Honest;

impl Strategy for Honest {
    fn is_honest(&self) -> bool {
        true
    }
}
