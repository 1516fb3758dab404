//! What a node needs to hand out work: where to build, and what to list.

use std::collections::BTreeSet;

use super::Chain;
use super::branch::Branch;
use crate::check::header::Position;
use crate::check::list::check_listable;
use crate::limits::LIST_MAX;
use crate::units::{Height, ShareId, Timestamp};

/// Where new work belongs in the share-chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The link to extend.
    pub parent: ShareId,
    /// What it decides: anchor, targets, times.
    pub position: Position,
    /// What the work lists if it turns out to be a link: ascending, at most [`LIST_MAX`].
    pub list: Vec<ShareId>,
}

impl Assignment {
    /// The share header's time for work that is handed out `now`: above the median that the parent demands.
    #[must_use]
    pub fn time(&self, now: Timestamp) -> Timestamp {
        self.position.median_time.map_or(now, |median| now.max(median.plus(1)))
    }
}

impl Chain {
    /// Where and what to build now: oldest shares first when more than a list holds are waiting.
    #[must_use]
    pub fn assignment(&self) -> Option<Assignment> {
        self.assignment_on(&self.build_on())
    }

    /// Where and what to build on a link that was chosen otherwise; `None` if the link is not known with all before it.
    #[must_use]
    pub fn assignment_on(&self, parent: &ShareId) -> Option<Assignment> {
        let position = self.links.get(parent)?.position.clone();
        let list = self.listable(parent)?;
        Some(Assignment { parent: *parent, position, list })
    }

    /// The pending shares that a child of `parent` may list, ascending by height and id. Also what a peer asks for after
    /// a partition has healed.
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

    /// What a link at `height` might list: the pending, and what the main chain lists or is from that height on.
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

    /// Ids of valid proofs that the main chain does not list yet and still could, oldest first, at most `limit`: what
    /// peers exchange after a partition.
    #[must_use]
    pub fn pending(&self, limit: usize) -> Vec<ShareId> {
        let first = (self.height().below(self.params.listing_depth), ShareId([0; 32]));
        self.pending.range(first..).map(|((_, id), ())| *id).take(limit).collect()
    }
}
