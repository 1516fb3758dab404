//! Links off the main chain: how many are kept, and which are dropped first.

use super::{Chain, Link, ListState};
use crate::credit::Credit;
use crate::id_map::IdMap;
use crate::limits::SIDE_LINKS_MAX;
use crate::ordered::Ordered;
use crate::units::{Height, ShareId, Work};

/// The links off the main chain, indexed for eviction.
#[derive(Clone, Debug, Default)]
pub(super) struct SideLinks {
    /// By height, so that the lowest come first.
    by_height: Ordered<(Height, ShareId), ()>,
    /// Number of children off the main chain, by parent.
    children: IdMap<u32>,
    /// Those without children, in order of eviction.
    leaves: Ordered<Rank, ()>,
}

/// Order of eviction: links that took the least work themselves, then those on the lightest branch. After a long gap,
/// links are cheap regardless of the work below them, so chain work alone would let them push out honest branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    own_work: Work,
    chain_work: Work,
    id: ShareId,
}

impl Rank {
    fn of(id: ShareId, link: &Link) -> Self {
        Self { own_work: Work::of_target(link.target), chain_work: link.chain_work, id }
    }
}

impl SideLinks {
    fn children_of(&self, id: &ShareId) -> u32 {
        self.children.get(id).copied().unwrap_or(0)
    }

    /// Adds a new link, or one that left the main chain.
    fn add(&mut self, height: Height, link: Rank, parent: Rank) {
        self.by_height.insert((height, link.id), ());
        self.children.insert(parent.id, self.children_of(&parent.id).saturating_add(1));
        self.leaves.remove(&parent);
        if self.children_of(&link.id) == 0 {
            self.leaves.insert(link, ());
        }
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = ShareId> {
        self.by_height.keys().map(|(_, id)| *id)
    }

    /// Removes a link that entered the main chain or is dropped. `side_parent` is its parent, if that stays here.
    fn remove(&mut self, height: Height, link: Rank, parent: &ShareId, side_parent: Option<Rank>) {
        self.by_height.remove(&(height, link.id));
        self.leaves.remove(&link);
        match self.children_of(parent).checked_sub(1) {
            Some(left) if left > 0 => self.children.insert(*parent, left),
            _ => {
                self.children.remove(parent);
                if let Some(parent) = side_parent {
                    self.leaves.insert(parent, ());
                }
            }
        }
    }
}

impl Chain {
    fn rank(&self, id: &ShareId) -> Option<Rank> {
        Some(Rank::of(*id, self.links.get(id)?))
    }

    fn is_on_main(&self, id: &ShareId) -> bool {
        self.links.get(id).is_some_and(|link| self.main_at(link.height) == Some(*id))
    }

    /// Records that a link is now off the main chain.
    pub(super) fn note_side(&mut self, id: &ShareId) {
        let ranks = |link: &Link| Some((link.height, self.rank(id)?, self.rank(&link.parent)?));
        if let Some((height, link, parent)) = self.links.get(id).and_then(ranks) {
            self.side.add(height, link, parent);
        }
    }

    /// Records that a link is no longer off the main chain.
    pub(super) fn note_no_side(&mut self, id: &ShareId) {
        let (Some(rank), Some(link)) = (self.rank(id), self.links.get(id)) else { return };
        let (height, parent) = (link.height, link.parent);
        let side_parent = if self.is_on_main(&parent) { None } else { self.rank(&parent) };
        self.side.remove(height, rank, &parent, side_parent);
    }

    /// Number of links off the main chain.
    #[must_use]
    pub fn side_links(&self) -> usize {
        self.side.by_height.len()
    }

    /// True if a new link would be the first one dropped.
    pub(super) fn would_go_first(&self, id: &ShareId, link: &Link) -> bool {
        let first = self.side.leaves.first().map(|(rank, ())| *rank);
        self.side_links() >= SIDE_LINKS_MAX && first.is_some_and(|first| Rank::of(*id, link) < first)
    }

    /// Drops leaves off the main chain until there are at most [`SIDE_LINKS_MAX`] links.
    pub(super) fn evict_side_links(&mut self) {
        while self.side_links() > SIDE_LINKS_MAX {
            let Some(first) = self.side.leaves.first().map(|(rank, ())| rank.id) else { return };
            self.drop_side_link(&first);
        }
    }

    /// Drops all links off the main chain below a height.
    pub(super) fn drop_side_links_below(&mut self, height: Height) {
        while let Some(id) = self.side.by_height.first().filter(|((low, _), ())| *low < height).map(|((_, id), ())| *id)
        {
            self.drop_side_link(&id);
        }
    }

    /// True if the proof's anchor is on the main chain, and not too deep for the next link to list the proof.
    pub(super) fn can_be_listed_by_main(&self, credit: &Credit) -> bool {
        let depth = self.height().child().above(credit.anchor_height);
        depth <= self.params.listing_depth && self.main_at(credit.anchor_height) == Some(credit.anchor)
    }

    /// Drops a link's data as a link. It still earns if the main chain lists it or can list it.
    fn drop_side_link(&mut self, id: &ShareId) {
        let Some(link) = self.links.get(id) else { return };
        let (height, list) = match &link.list {
            ListState::Waiting(list) => (link.height, list.clone()),
            _ => (link.height, super::List::default()),
        };
        self.note_no_side(id);
        self.wanted.remove_link(height, *id, &list);
        self.wanted.stop_waiting(id);
        self.links.remove(id);
        let earns = self.credits.get(id).is_some_and(|credit| self.can_be_listed_by_main(credit));
        if !earns && !self.listed.contains(id) {
            self.credits.remove(id);
            self.pending.remove(&(height, *id));
        }
    }

    /// Minimum chain work of a branch that may still matter: that of the main chain's link `listing_depth` below the
    /// tip. After a long gap, links on an old parent are cheap: without this, the lists and the gossip of such branches
    /// would cost every node more than their miner.
    fn least_side_work(&self) -> Work {
        let deep = self.main_at(self.height().below(self.params.listing_depth));
        deep.and_then(|id| self.links.get(&id)).map_or(Work::default(), |link| link.chain_work)
    }

    /// True if the branch that ends in the link may still matter, so that its lists are kept.
    pub(super) fn is_worth_its_list(&self, link: &ShareId) -> bool {
        self.links.get(link).is_some_and(|link| link.chain_work >= self.least_side_work())
    }

    /// True if this node should forward a valid proof: the main chain can list it, or its branch may still matter.
    pub(super) fn is_worth_forwarding(&self, id: &ShareId) -> bool {
        let Some(credit) = self.credits.get(id) else { return false };
        let newest = if self.links.contains(id) { id } else { &credit.parent };
        self.can_be_listed_by_main(credit) || self.is_worth_its_list(newest)
    }
}
