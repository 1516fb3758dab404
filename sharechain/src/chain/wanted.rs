//! Incomplete links and what they wait for.

use std::collections::BTreeSet;

use super::{Chain, List, ListState, Missing};
use crate::ordered::Ordered;
use crate::units::{Height, ShareId};

/// Incomplete links. Each cost the work of a link and lists at most 1,024 ids. Links below the memory depth are
/// dropped.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// By height, so that the deepest come first.
    links: Ordered<(Height, ShareId), ()>,
    /// Links that have their list, each under the first thing that it lacks.
    waiting: Ordered<Missing, Vec<ShareId>>,
    /// Links that list a proof that has not arrived yet, by the proof's id.
    awaited: Ordered<ShareId, Vec<ShareId>>,
}

/// Adds a link to the entry of a key.
fn add<K: Ord + Clone>(lists: &mut Ordered<K, Vec<ShareId>>, key: K, link: ShareId) {
    match lists.get_mut(&key) {
        Some(links) => links.push(link),
        None => lists.insert(key, vec![link]),
    }
}

/// Removes a link from the entry of a key.
fn remove<K: Ord + Clone>(lists: &mut Ordered<K, Vec<ShareId>>, key: &K, link: &ShareId) {
    let Some(links) = lists.get_mut(key) else { return };
    links.retain(|known| known != link);
    if links.is_empty() {
        lists.remove(key);
    }
}

impl Wanted {
    pub(super) fn add_link(&mut self, height: Height, id: ShareId) {
        self.links.insert((height, id), ());
    }

    /// Records that a link lists a proof that has not arrived yet.
    pub(super) fn await_proof(&mut self, id: ShareId, link: ShareId) {
        add(&mut self.awaited, id, link);
    }

    /// Links that list `id`, if that proof has not arrived yet.
    pub(super) fn listing(&self, id: &ShareId) -> Vec<ShareId> {
        self.awaited.get(id).cloned().unwrap_or_default()
    }

    /// Incomplete links at a height.
    pub(super) fn at(&self, height: Height) -> impl Iterator<Item = ShareId> {
        let (lowest, highest) = ((height, ShareId([0; 32])), (height, ShareId([u8::MAX; 32])));
        self.links.range(lowest..=highest).map(|((_, id), ())| *id)
    }

    /// True if an incomplete link lists `id` and that proof has not arrived yet.
    pub(super) fn awaits(&self, id: &ShareId) -> bool {
        self.awaited.contains(id)
    }

    /// Records that a proof has arrived.
    pub(super) fn has_come(&mut self, id: &ShareId) {
        self.awaited.remove(id);
    }

    pub(super) fn wait(&mut self, missing: Missing, link: ShareId) {
        add(&mut self.waiting, missing, link);
    }

    pub(super) fn take_waiting_for(&mut self, missing: &Missing) -> Vec<ShareId> {
        self.waiting.remove(missing).unwrap_or_default()
    }

    /// Removes a link that is void or was dropped from everything that waits.
    pub(super) fn stop_waiting(&mut self, id: &ShareId) {
        let keys: Vec<Missing> =
            self.waiting.iter().filter(|(_, links)| links.contains(id)).map(|(missing, _)| *missing).collect();
        for missing in keys {
            remove(&mut self.waiting, &missing, id);
        }
    }

    /// Removes a link that is complete, void or dropped, and everything wanted for it.
    pub(super) fn remove_link(&mut self, height: Height, id: ShareId, list: &[ShareId]) {
        self.links.remove(&(height, id));
        for item in list {
            remove(&mut self.awaited, item, &id);
        }
    }

    /// Lowest incomplete link at `height` or below.
    fn lowest(&self, height: Height) -> Option<(Height, ShareId)> {
        self.links.first().map(|(key, ())| *key).filter(|(low, _)| *low <= height)
    }
}

impl Chain {
    /// Drops the lists of incomplete links at `height` and below. These links will never become complete.
    pub(super) fn give_up_incomplete(&mut self, height: Height) {
        while let Some((height, id)) = self.wanted.lowest(height) {
            let body = self.links.get_mut(&id).map(|link| core::mem::replace(&mut link.list, ListState::Missing));
            let list = match body {
                Some(ListState::Waiting(list)) => list,
                _ => List::default(),
            };
            self.wanted.remove_link(height, id, &list);
            self.wanted.stop_waiting(&id);
        }
    }

    /// Everything that is missing to judge something: parents, listed proofs, lists and Bitcoin headers. The
    /// dependencies of links come first. They are limited to branches with at least the tip's work and to what held
    /// proofs need.
    pub fn missing(&self) -> impl Iterator<Item = Missing> {
        let mut lists = Vec::new();
        let mut proofs = Vec::new();
        for id in self.links_worth_completing() {
            match self.links.get(&id).map(|link| &link.list) {
                Some(ListState::Missing) => lists.push(Missing::List(id)),
                Some(ListState::Waiting(list)) => {
                    let unknown = list.iter().filter(|item| self.wanted.awaits(item));
                    proofs.extend(unknown.map(|item| Missing::Proof(*item)));
                }
                _ => {}
            }
        }
        proofs.sort_unstable();
        proofs.dedup();
        // A proof held for a list waits for a link: its list is among `lists`.
        let held = self.held.missing().filter(|missing| !matches!(missing, Missing::List(_)));
        lists.into_iter().chain(proofs).chain(held)
    }

    /// Incomplete links that have at least the tip's work or are anchors of held proofs, and their incomplete
    /// ancestors; lowest first.
    ///
    /// If a branch left the main chain more than the anchor depth below the tip, its later proofs are held until the
    /// lists of its first links arrive. Only then does its work show.
    fn links_worth_completing(&self) -> impl Iterator<Item = ShareId> {
        let least = self.links.get(&self.tip()).map(|tip| tip.chain_work);
        let anchors = self.held.missing_lists().filter_map(|id| Some((self.links.get(&id)?.height, id)));
        let mut worth: BTreeSet<(Height, ShareId)> = anchors.collect();
        for (height, id) in self.wanted.links.keys().rev() {
            let heavy = self.links.get(id).is_some_and(|link| Some(link.chain_work) >= least);
            if !heavy && !worth.contains(&(*height, *id)) {
                continue;
            }
            worth.insert((*height, *id));
            // The loop runs from high to low, so it reaches the parent later.
            if let Some(link) = self.links.get(id)
                && self.links.get(&link.parent).is_some_and(|parent| parent.complete().is_none())
            {
                worth.insert((link.height.below(1), link.parent));
            }
        }
        worth.into_iter().map(|(_, id)| id)
    }
}
