//! What a miner does with its finds. A selfish one mines a branch of its own in secret and publishes of it what suits it
//! (Eyal and Sirer, 2013); a stubborn one gives in later (Nayak, Kumar, Miller and Shi, 2016). Both are written for weights
//! rather than lengths, so that they also hold where uncles add weight.

use std::collections::VecDeque;

use super::tree::{ShareId, Tree};
use super::view::View;

/// What a miner does with its finds.
#[derive(Clone, Debug)]
pub enum Strategy {
    /// Publishes at once.
    Honest,
    /// Mines in secret.
    Selfish(Selfish),
}

/// In which cases a selfish miner does not give in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stubborn {
    /// When its lead shrinks to one share, it publishes only as much as matches the others, not all.
    pub lead: bool,
    /// When it finds a share during a tie, it does not publish that.
    pub fork: bool,
    /// It goes on while it is no more than this many shares behind.
    pub trail: u32,
}

/// A miner with a branch of its own.
#[derive(Clone, Debug, Default)]
pub struct Selfish {
    stubborn: Stubborn,
    /// The top of its branch.
    own: Option<ShareId>,
    /// The part of it that it has not published, from below.
    hidden: VecDeque<ShareId>,
}

impl Strategy {
    /// The strategy of a name, as scenarios and tables spell it.
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

    /// What its next share builds on.
    #[must_use]
    pub fn base(&self, view: &View) -> ShareId {
        match self {
            Self::Honest => view.tip(),
            Self::Selfish(selfish) => selfish.own.unwrap_or(view.tip()),
        }
    }

    /// It found a share. Returns what it publishes; `view` is what the public knows.
    pub fn found(&mut self, tree: &Tree, view: &View, id: ShareId) -> Vec<ShareId> {
        match self {
            Self::Honest => vec![id],
            Self::Selfish(selfish) => selfish.found(tree, view, id),
        }
    }

    /// The public's tip changed. Returns what it publishes.
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
            // Late work on another parent: of use to nobody but an honest miner.
            return vec![id];
        }
        let tied = tree.get(base).work == tree.get(view.tip()).work;
        // While the others have nothing beside its branch, there is nothing to win by showing it.
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
            // It gives up; what it publishes now may still become an uncle.
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

    /// Publishes its branch as far as it weighs no more than `work`.
    fn publish(&mut self, tree: &Tree, work: u32) -> Vec<ShareId> {
        std::iter::from_fn(|| self.hidden.pop_front_if(|id| tree.get(*id).work <= work)).collect()
    }
}

#[cfg(test)]
mod tests;
