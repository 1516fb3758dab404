//! A node's knowledge of the shares, and the tip that it follows: the heaviest, and of equal ones the first seen.

use std::collections::VecDeque;

use super::rules::Rules;
use super::tree::{ShareId, Tree};

/// A node's view of the shares.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Whether each share is known, along with all shares that it builds on and lists.
    known: Vec<bool>,
    tip: Option<ShareId>,
    /// Shares near the tip, which may become uncles.
    recent: VecDeque<ShareId>,
    /// Shares that build on or list an unknown share.
    waiting: Vec<ShareId>,
}

/// The result of a share's arrival.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The share was known.
    Known,
    /// The share waits for another one.
    Waits {
        /// The share to ask for.
        missing: ShareId,
    },
    /// The share is now known, and so are those that waited for it, in this order.
    New(Vec<ShareId>),
}

impl View {
    /// Returns the share that new ones build on.
    #[must_use]
    pub fn tip(&self) -> ShareId {
        self.tip.unwrap_or(ShareId::GENESIS)
    }

    /// Returns whether a share is known, along with all shares below it.
    #[must_use]
    pub fn knows(&self, id: ShareId) -> bool {
        id == ShareId::GENESIS || self.known.get(id.index()).is_some_and(|&known| known)
    }

    /// Adds a share.
    pub fn take_in(&mut self, tree: &Tree, rules: &Rules, id: ShareId) -> Arrival {
        if self.knows(id) {
            return Arrival::Known;
        }
        if let Some(missing) = self.missing(tree, id) {
            if !self.waiting.contains(&id) {
                self.waiting.push(id);
            }
            return Arrival::Waits { missing };
        }
        let mut new = vec![id];
        self.add(tree, rules, id);
        while let Some(at) = self.waiting.iter().position(|&waits| self.missing(tree, waits).is_none()) {
            let next = self.waiting.remove(at);
            if !self.knows(next) {
                self.add(tree, rules, next);
                new.push(next);
            }
        }
        Arrival::New(new)
    }

    /// Returns the uncles that a share on top of `parent` would list.
    #[must_use]
    pub fn uncles(&self, tree: &Tree, rules: &Rules, parent: ShareId) -> Vec<ShareId> {
        rules.uncles.map_or_else(Vec::new, |uncles| tree.uncles(&uncles, parent, self.recent.iter().copied()))
    }

    /// Returns the lowest share that is missing for this one.
    fn missing(&self, tree: &Tree, id: ShareId) -> Option<ShareId> {
        let job = &tree.get(id).job;
        std::iter::once(&job.parent).chain(&job.uncles).find(|&&below| !self.knows(below)).copied()
    }

    fn add(&mut self, tree: &Tree, rules: &Rules, id: ShareId) {
        if self.known.len() <= id.index() {
            self.known.resize(id.index() + 1, false);
        }
        self.known[id.index()] = true;
        if tree.get(id).work > tree.get(self.tip()).work {
            self.tip = Some(id);
        }
        let Some(uncles) = rules.uncles else { return };
        self.recent.push_back(id);
        let top = tree.get(self.tip()).height;
        self.recent.retain(|&recent| tree.get(recent).height + uncles.depth > top);
    }
}
