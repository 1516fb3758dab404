//! Data for job templates: the parent to build on and the list.

use std::collections::BTreeSet;

use super::Chain;
use super::branch::Branch;
use crate::check::header::Position;
use crate::check::list::check_listable;
use crate::limits::LIST_MAX;
use crate::units::{Height, ShareId, Timestamp};

/// Position of new work in the share-chain, and its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// Link to extend.
    pub parent: ShareId,
    /// Position that the parent determines: anchor, targets, times.
    pub position: Position,
    /// Ids that the work lists if it becomes a link: ascending by (height, id), at most [`LIST_MAX`].
    pub list: Vec<ShareId>,
}

impl Assignment {
    /// Time of the share header for work handed out at `now`. It is above the parent's median time (SC-203).
    #[must_use]
    pub fn time(&self, now: Timestamp) -> Timestamp {
        self.position.median_time.map_or(now, |median| now.max(median.plus(1)))
    }
}

impl Chain {
    /// Returns the assignment for new work now. If more proofs are pending than a list holds, it lists the oldest
    /// first.
    #[must_use]
    pub fn assignment(&self) -> Option<Assignment> {
        self.assignment_on(&self.build_on())
    }

    /// Returns the assignment for work on a chosen parent. `None` if the parent or one of its ancestors is unknown.
    #[must_use]
    pub fn assignment_on(&self, parent: &ShareId) -> Option<Assignment> {
        let position = self.links.get(parent)?.position.clone();
        let list = self.listable(parent)?;
        Some(Assignment { parent: *parent, position, list })
    }

    /// Returns the proofs that a child of `parent` may list, ascending by (height, id), at most [`LIST_MAX`]. `None` if
    /// the parent is unknown.
    #[must_use]
    pub fn listable(&self, parent: &ShareId) -> Option<Vec<ShareId>> {
        let height = self.links.get(parent)?.height.child();
        let branch = Branch::new(self, *parent)?;
        let mut chosen = BTreeSet::new();
        let mut list = Vec::new();
        for (_, id) in self.unlisted_at(height) {
            if list.len() == LIST_MAX {
                break;
            }
            let Some(credit) = self.credits.get(&id) else { continue };
            if check_listable(&id, credit, height, &chosen, &branch, &self.params).is_ok() {
                chosen.insert(id);
                list.push(id);
            }
        }
        Some(list)
    }

    /// Candidates for the list of a link at `height`: pending proofs, and the main chain's links from that height on
    /// with the proofs that they list.
    fn unlisted_at(&self, height: Height) -> BTreeSet<(Height, ShareId)> {
        let first = (height.below(self.params.listing_depth), ShareId([0; 32]));
        let mut all: BTreeSet<_> = self.pending.range(first..).map(|(key, ())| *key).collect();
        for above in height.0..=self.height().0 {
            let Some(id) = self.main_at(Height(above)) else { break };
            let list = self.links.get(&id).and_then(|link| link.complete()).map(|complete| complete.list.as_slice());
            for id in list.unwrap_or_default().iter().chain([&id]) {
                all.extend(self.credits.get(id).map(|credit| (credit.height, *id)));
            }
        }
        all
    }

    /// Returns ids of valid proofs that the main chain does not list yet but still could, oldest first, at most
    /// `limit`. Peers exchange them after a partition.
    #[must_use]
    pub fn pending(&self, limit: usize) -> Vec<ShareId> {
        let first = (self.height().below(self.params.listing_depth), ShareId([0; 32]));
        self.pending.range(first..).map(|((_, id), ())| *id).take(limit).collect()
    }
}
