//! A node's strategy and its memory: the proofs that it withholds, and the tip that others know.

use std::collections::BTreeMap;

use bitcoin::{BlockHash, ScriptBuf};
use p2p_proto::{Gossip, Response};
use sharechain::change_set::ChangeSet;
use sharechain::{Chain, ShareId, Timestamp};

use crate::rng::SimRng;
use crate::strategy::{Strategy, View};
use crate::time::Micros;

/// The node's state, as a strategy sees it.
#[derive(Clone, Copy, Debug)]
pub struct Glance<'a> {
    /// The node's chain.
    pub chain: &'a Chain,
    /// The time on the node's clock.
    pub time: Timestamp,
    /// Time since the simulation began.
    pub now: Micros,
    /// The Bitcoin tips that the node's bitcoind knows.
    pub bitcoin_tips: &'a [BlockHash],
    /// The script of the miner concerned.
    pub script: &'a ScriptBuf,
}

/// A strategy and its memory.
#[derive(Debug)]
pub struct Strategist {
    strategy: Box<dyn Strategy>,
    rng: SimRng,
    /// The node's own unpublished proofs, oldest first.
    withheld: Vec<ShareId>,
    /// Those of them that the chain accepted, ready to be sent.
    kept: BTreeMap<ShareId, Gossip>,
    /// The heaviest link that others know.
    public_tip: Option<ShareId>,
}

impl Strategist {
    /// Creates a strategy that withholds nothing yet.
    #[must_use]
    pub fn new(strategy: Box<dyn Strategy>, rng: SimRng) -> Self {
        Self { strategy, rng, withheld: Vec::new(), kept: BTreeMap::new(), public_tip: None }
    }

    /// Lets the strategy decide.
    pub fn ask<T>(&mut self, glance: Glance<'_>, decide: impl FnOnce(&mut dyn Strategy, &mut View<'_>) -> T) -> T {
        let Glance { chain, time, now, bitcoin_tips, script } = glance;
        let public_tip = self.public_tip.unwrap_or_else(|| chain.tip());
        let Self { strategy, rng, withheld, .. } = self;
        decide(&mut **strategy, &mut View { chain, time, now, public_tip, withheld, bitcoin_tips, script, rng })
    }

    /// Returns the strategy, for decisions that need no view.
    pub fn strategy(&mut self) -> &mut dyn Strategy {
        &mut *self.strategy
    }

    /// Returns whether the strategy follows the rules.
    #[must_use]
    pub fn is_honest(&self) -> bool {
        self.strategy.is_honest()
    }

    /// Returns the withheld proofs.
    #[must_use]
    pub fn withheld(&self) -> &[ShareId] {
        &self.withheld
    }

    /// Withholds one of the node's own proofs.
    pub fn withhold(&mut self, id: ShareId) {
        self.withheld.push(id);
    }

    /// Keeps a message if its proof is withheld. Returns it otherwise.
    pub fn keep(&mut self, message: Gossip) -> Option<Gossip> {
        let id = match &message {
            Gossip::Share(proof) | Gossip::Link { proof, .. } => proof.id(),
            Gossip::BitcoinBlock(announcement) => {
                let is_public = !self.withheld.contains(&announcement.proof.id());
                return is_public.then_some(message);
            }
        };
        if !self.withheld.contains(&id) {
            return Some(message);
        }
        self.kept.insert(id, message);
        None
    }

    /// Releases a withheld proof. Returns the message to publish.
    pub fn release(&mut self, id: ShareId, chain: &Chain) -> Option<Gossip> {
        let message = self.kept.remove(&id)?;
        self.withheld.retain(|withheld| *withheld != id);
        self.note_public(id, chain);
        Some(message)
    }

    /// Handles a change of the chain: follows the branch that others know.
    pub fn note(&mut self, changes: &ChangeSet, chain: &Chain) {
        for id in &changes.completed {
            if !self.withheld.contains(id) {
                self.note_public(*id, chain);
            }
        }
    }

    fn note_public(&mut self, id: ShareId, chain: &Chain) {
        let work = |id: &ShareId| chain.link(id).filter(|link| link.complete().is_some()).map(|link| link.chain_work);
        if work(&id) > self.public_tip.and_then(|tip| work(&tip)) {
            self.public_tip = Some(id);
        }
    }

    /// Removes withheld proofs from a response. Returns `None` if nothing useful is left.
    #[must_use]
    pub fn censor(&self, response: Response) -> Option<Response> {
        if self.withheld.is_empty() {
            return Some(response);
        }
        let hidden = |id: &ShareId| self.withheld.contains(id);
        match response {
            Response::Tip(tip) if hidden(&tip.tip) => None,
            Response::LinkHeaders { mut proofs, more } => {
                let open = proofs.iter().take_while(|proof| !hidden(&proof.id())).count();
                let more = more && open == proofs.len();
                proofs.truncate(open);
                Some(Response::LinkHeaders { proofs, more })
            }
            Response::Pending(mut ids) => {
                ids.retain(|id| !hidden(id));
                Some(Response::Pending(ids))
            }
            Response::Proofs(mut items) => {
                items.retain(|item| !hidden(&item.proof.id()));
                Some(Response::Proofs(items))
            }
            // What is withheld is new, so it is not among the rows of deep links.
            // A block is only served once its share is public.
            Response::Tip(_)
            | Response::Headers(_)
            | Response::Beginning { .. }
            | Response::Rows(_)
            | Response::Transactions(_)
            | Response::BlockPiece { .. }
            | Response::Records(_)
            | Response::NewRecords => Some(response),
        }
    }
}
