//! One branch of the tree of links, seen from its newest link: its links and their lists.

use core::cell::OnceCell;

use super::{Chain, Link};
use crate::id_map::IdSet;
use crate::units::{Height, ShareId, U256};

/// A branch down to genesis. It stores its own part; the rest refers to the main chain.
pub(super) struct Branch<'a> {
    chain: &'a Chain,
    /// Links off the main chain, newest first.
    side: Vec<ShareId>,
    /// Height of the newest link of the branch that is on the main chain.
    fork_height: Height,
    /// Height of the newest link.
    height: Height,
    /// Ids of the side's links and of the proofs that they list, as deep as a new link may list. Computed on first use.
    side_listed: OnceCell<IdSet>,
}

impl<'a> Branch<'a> {
    /// Returns the branch that ends in `newest`, or `None` if that link is unknown.
    pub(super) fn new(chain: &'a Chain, newest: ShareId) -> Option<Self> {
        let height = chain.links.get(&newest)?.height;
        let mut side = Vec::new();
        let mut at = newest;
        let fork_height = loop {
            let link = chain.links.get(&at)?;
            if chain.main_at(link.height) == Some(at) {
                break link.height;
            }
            side.push(at);
            at = link.parent;
        };
        Some(Self { chain, side, fork_height, height, side_listed: OnceCell::new() })
    }

    fn gather_side(&self) -> IdSet {
        // A deeper link cannot list a proof that may be listed at the end of the branch, nor its parent: their anchors
        // are higher.
        let reach = usize::try_from(self.chain.params.listing_depth.saturating_add(2)).unwrap_or(usize::MAX);
        let mut listed = IdSet::default();
        for id in self.side.iter().take(reach.saturating_add(1)) {
            listed.insert(*id);
            let complete = self.chain.links.get(id).and_then(|link| link.complete());
            for item in complete.map(|complete| complete.list.as_slice()).unwrap_or_default() {
                listed.insert(*item);
            }
        }
        listed
    }

    pub(super) fn fork_height(&self) -> Height {
        self.fork_height
    }

    /// Links off the main chain, newest first.
    pub(super) fn side(&self) -> &[ShareId] {
        &self.side
    }

    /// Id of the branch's link at `height`.
    pub(super) fn at(&self, height: Height) -> Option<ShareId> {
        if height <= self.fork_height {
            self.chain.main_at(height)
        } else {
            let back = usize::try_from(self.height.0.checked_sub(height.0)?).ok()?;
            self.side.get(back).copied()
        }
    }

    /// Data of the branch's link at `height`.
    pub(super) fn link_at(&self, height: Height) -> Option<&'a Link> {
        self.chain.links.get(&self.at(height)?)
    }

    /// True if the link `id` at `height` is on the branch.
    pub(super) fn contains(&self, id: &ShareId, height: Height) -> bool {
        height <= self.height && self.at(height) == Some(*id)
    }

    /// True if a link of the branch lists `id` or is `id`.
    pub(super) fn lists_or_is(&self, id: &ShareId) -> bool {
        self.side_listed.get_or_init(|| self.gather_side()).contains(id)
            || self.chain.listed.get(id).is_some_and(|height| *height <= self.fork_height)
    }

    /// Height of the branch's first link at or above `lowest` whose Bitcoin work is at least `work`. `None` if there is
    /// none.
    pub(super) fn first_with_bitcoin_work(&self, work: U256, lowest: Height) -> Option<Height> {
        let reached = |height: u32| self.link_at(Height(height)).is_some_and(|link| link.position.bitcoin_work >= work);
        if !reached(self.height.0) {
            return None;
        }
        // Bitcoin work never falls along a branch (SC-208), so a binary search finds the first link.
        let (mut low, mut high) = (lowest.0, self.height.0);
        while low < high {
            let middle = low.midpoint(high);
            if reached(middle) {
                high = middle;
            } else {
                low = middle.saturating_add(1);
            }
        }
        Some(Height(low))
    }
}
