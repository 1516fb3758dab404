//! A miner's decisions about its shares. A selfish miner builds a private branch and publishes parts of it to its
//! advantage (Eyal and Sirer, 2013). A stubborn one gives up later (Nayak, Kumar, Miller and Shi, 2016). Both compare
//! weights instead of lengths, so that they also work where uncles add weight.

use std::collections::VecDeque;

use super::tree::{ShareId, Tree};
use super::view::View;

/// A miner's strategy.
#[derive(Clone, Debug)]
pub enum Strategy {
    /// Publishes every share at once.
    Honest,
    /// Builds a private branch.
    Selfish(Selfish),
}

/// The cases in which a selfish miner does not give up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stubborn {
    /// When its lead shrinks to one share, it publishes only enough to match the others.
    pub lead: bool,
    /// When it finds a share during a tie, it withholds that share.
    pub fork: bool,
    /// It continues while it is at most this many shares behind.
    pub trail: u32,
}

/// A miner with a private branch.
#[derive(Clone, Debug, Default)]
pub struct Selfish {
    stubborn: Stubborn,
    /// The tip of its branch.
    own: Option<ShareId>,
    /// The hidden part of its branch, lowest share first.
    hidden: VecDeque<ShareId>,
}

impl Strategy {
    /// Returns the strategy with this name, as in scenarios and tables.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let stubborn = match name {
            "honest" => return Some(Self::Honest),
            "selfish" => Stubborn::default(),
            "stubborn-lead" => Stubborn { lead: true, ..Stubborn::default() },
            "stubborn-fork" => Stubborn { fork: true, ..Stubborn::default() },
            "stubborn-trail" => Stubborn { trail: 1, ..Stubborn::default() },
            _ => return None,
        };
        Some(Self::Selfish(Selfish { stubborn, ..Selfish::default() }))
    }

    /// Returns the parent of its next share.
    #[must_use]
    pub fn base(&self, view: &View) -> ShareId {
        match self {
            Self::Honest => view.tip(),
            Self::Selfish(selfish) => selfish.own.unwrap_or(view.tip()),
        }
    }

    /// Handles a share that the miner found. Returns the shares to publish. `view` is the public's.
    pub fn found(&mut self, tree: &Tree, view: &View, id: ShareId) -> Vec<ShareId> {
        match self {
            Self::Honest => vec![id],
            Self::Selfish(selfish) => selfish.found(tree, view, id),
        }
    }

    /// Handles a change of the public tip. Returns the shares to publish.
    pub fn heard(&mut self, tree: &Tree, view: &View) -> Vec<ShareId> {
        match self {
            Self::Honest => Vec::new(),
            Self::Selfish(selfish) => selfish.heard(tree, view),
        }
    }
}

impl Selfish {
    fn found(&mut self, tree: &Tree, view: &View, id: ShareId) -> Vec<ShareId> {
        let base = self.own.unwrap_or(view.tip());
        if tree.parent(id) != base {
            // Late work on another parent, which only an honest miner can use.
            return vec![id];
        }
        let tied = tree.get(base).work == tree.get(view.tip()).work;
        // While the others have no share off its branch, showing it gains nothing.
        let contested = !tree.is_on_chain(view.tip(), id);
        self.own = Some(id);
        self.hidden.push_back(id);
        let wins = contested && tied && !self.stubborn.fork;
        let catches_up = contested && tree.get(id).work == tree.get(view.tip()).work;
        if wins || catches_up { self.publish(tree, u32::MAX) } else { Vec::new() }
    }

    fn heard(&mut self, tree: &Tree, view: &View) -> Vec<ShareId> {
        let Some(own) = self.own else { return Vec::new() };
        let (mine, theirs) = (tree.get(own).work, tree.get(view.tip()).work);
        if self.hidden.is_empty() && tree.is_on_chain(own, view.tip()) {
            self.own = None;
            return Vec::new();
        }
        if theirs > mine + self.stubborn.trail {
            // It gives up. The shares it publishes now may still become uncles.
            self.own = None;
            return self.hidden.drain(..).collect();
        }
        match mine.checked_sub(theirs) {
            None => Vec::new(),
            Some(0) => self.publish(tree, u32::MAX),
            Some(1) if !self.stubborn.lead => self.publish(tree, u32::MAX),
            Some(_) => self.publish(tree, theirs),
        }
    }

    /// Publishes its branch up to the weight `work`.
    fn publish(&mut self, tree: &Tree, work: u32) -> Vec<ShareId> {
        std::iter::from_fn(|| self.hidden.pop_front_if(|id| tree.get(*id).work <= work)).collect()
    }
}

#[cfg(test)]
mod tests;
