//! What one node knows of the shares, and which tip it follows: the heaviest, the first seen of equals.

use std::collections::VecDeque;

use super::rules::Rules;
use super::tree::{ShareId, Tree};

/// What one node knows.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Whether each share is known, with everything that it builds on and lists.
    known: Vec<bool>,
    tip: Option<ShareId>,
    /// Shares that may become uncles: those near the tip.
    recent: VecDeque<ShareId>,
    /// Shares that build on or list what is not known yet.
    waiting: Vec<ShareId>,
}

/// What came of a share that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It was known.
    Known,
    /// It waits for another share.
    Waits {
        /// Which is to be asked for.
        missing: ShareId,
    },
    /// It is known now, and so are those that waited for it, in this order.
    New(Vec<ShareId>),
}

impl View {
    /// The share that new ones build on.
    #[must_use]
    pub fn tip(&self) -> ShareId {
        self.tip.unwrap_or(ShareId::GENESIS)
    }

    /// Whether a share is known, with everything below it.
    #[must_use]
    pub fn knows(&self, id: ShareId) -> bool {
        id == ShareId::GENESIS || self.known.get(id.index()).is_some_and(|&known| known)
    }

    /// Takes in a share.
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

    /// The uncles that a share on top of `parent` would list.
    #[must_use]
    pub fn uncles(&self, tree: &Tree, rules: &Rules, parent: ShareId) -> Vec<ShareId> {
        rules.uncles.map_or_else(Vec::new, |uncles| tree.uncles(&uncles, parent, self.recent.iter().copied()))
    }

    /// The lowest share that is missing for this one.
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
