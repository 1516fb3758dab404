//! Links that do not count yet, and what they wait for.

use std::collections::BTreeSet;

use super::{Chain, List, ListState, Missing};
use crate::ordered::Ordered;
use crate::units::{Height, ShareId};

/// Links that are not complete. Each cost the work of a link and lists at most 1,024 ids; those that fall behind the
/// memory depth are forgotten.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// By height, so that the deepest are found.
    links: Ordered<(Height, ShareId), ()>,
    /// Links that wait with their lists, each under the first thing that it lacks.
    waiting: Ordered<Missing, Vec<ShareId>>,
    /// Which of the links list a proof that nobody has brought yet.
    awaited: Ordered<ShareId, Vec<ShareId>>,
}

/// Adds a link to those under a key.
fn add<K: Ord + Clone>(lists: &mut Ordered<K, Vec<ShareId>>, key: K, link: ShareId) {
    match lists.get_mut(&key) {
        Some(links) => links.push(link),
        None => lists.insert(key, vec![link]),
    }
}

/// Removes a link from those under a key.
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

    /// Notes a proof that a link lists.
    pub(super) fn await_proof(&mut self, id: ShareId, link: ShareId) {
        add(&mut self.awaited, id, link);
    }

    /// The links that list a proof which nobody has brought yet.
    pub(super) fn listing(&self, id: &ShareId) -> Vec<ShareId> {
        self.awaited.get(id).cloned().unwrap_or_default()
    }

    /// The links at a height.
    pub(super) fn at(&self, height: Height) -> impl Iterator<Item = ShareId> {
        let (lowest, highest) = ((height, ShareId([0; 32])), (height, ShareId([u8::MAX; 32])));
        self.links.range(lowest..=highest).map(|((_, id), ())| *id)
    }

    /// True when a known link lists `id`, which nobody has brought yet.
    pub(super) fn awaits(&self, id: &ShareId) -> bool {
        self.awaited.contains(id)
    }

    /// Notes that a proof has come.
    pub(super) fn has_come(&mut self, id: &ShareId) {
        self.awaited.remove(id);
    }

    pub(super) fn wait(&mut self, missing: Missing, link: ShareId) {
        add(&mut self.waiting, missing, link);
    }

    pub(super) fn take_waiting_for(&mut self, missing: &Missing) -> Vec<ShareId> {
        self.waiting.remove(missing).unwrap_or_default()
    }

    /// Takes a link that was given up, or is void, from among those that wait.
    pub(super) fn stop_waiting(&mut self, id: &ShareId) {
        let keys: Vec<Missing> =
            self.waiting.iter().filter(|(_, links)| links.contains(id)).map(|(missing, _)| *missing).collect();
        for missing in keys {
            remove(&mut self.waiting, &missing, id);
        }
    }

    /// A link was judged or given up: nothing is wanted for it any more.
    pub(super) fn remove_link(&mut self, height: Height, id: ShareId, list: &[ShareId]) {
        self.links.remove(&(height, id));
        for item in list {
            remove(&mut self.awaited, item, &id);
        }
    }

    /// The lowest link at `height` or below.
    fn lowest(&self, height: Height) -> Option<(Height, ShareId)> {
        self.links.first().map(|(key, ())| *key).filter(|(low, _)| *low <= height)
    }
}

impl Chain {
    /// Gives up the links at `height` and below that are not complete.
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

    /// What is missing: parents, listed proofs, lists and Bitcoin headers that would let something be judged. What links
    /// wait for comes first, and only for branches with at least the tip's work, or to
    /// judge what is held.
    pub fn missing(&self) -> impl Iterator<Item = Missing> {
        let mut lists = Vec::new();
        let mut proofs = BTreeSet::new();
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
        // A proof held for a body waits for a link above.
        let held = self.held.missing().filter(|missing| !matches!(missing, Missing::List(_)));
        lists.into_iter().chain(proofs).chain(held)
    }

    /// Incomplete links that have the tip's work at least or are the anchors of held proofs, and their ancestors; lowest
    /// first.
    ///
    /// A branch that left the main chain more than the anchor's depth below the tip shows its work only when the lists of
    /// its first links are here: until then what follows is held.
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
            // Heights are visited from above, so a parent's turn is still to come.
            if let Some(link) = self.links.get(id)
                && self.links.get(&link.parent).is_some_and(|parent| parent.complete().is_none())
            {
                worth.insert((link.height.below(1), link.parent));
            }
        }
        worth.into_iter().map(|(_, id)| id)
    }
}
