//! Fork choice and the effects of a new tip: listings, pending shares, pruning.

use std::collections::BTreeSet;

use super::branch::Branch;
use super::{Call, Chain, List, ListState};
use crate::change_set::TipChange;
use crate::check::list::check_listable;
use crate::fork_choice::{Candidate, better};
use crate::limits::{LIST_MAX, MEMORY_DEPTH, OMISSION_SECONDS};
use crate::units::{Height, ShareId, Timestamp};

impl Chain {
    /// Switches to the branch of a link that just became complete if it is better than the main chain.
    pub(super) fn advance_to(&mut self, id: ShareId, call: &mut Call) {
        let (Some(old), Some(new)) = (self.candidate(&self.tip()), self.candidate(&id)) else { return };
        if !better(&new, &old) {
            return;
        }
        let Some(branch) = Branch::new(self, id) else { return };
        let fork_height = branch.fork_height();
        let side: Vec<ShareId> = branch.side().iter().rev().copied().collect();
        let is_too_deep = self.state_bound().is_some_and(|bound| fork_height <= bound);
        if is_too_deep || !self.may_follow(id, fork_height, call) {
            return;
        }
        let old_tip = self.tip();
        let mut disconnected = Vec::new();
        while self.height() > fork_height {
            let Some(link) = self.main.pop() else { break };
            self.unlist(link);
            self.note_side(&link);
            disconnected.push(link);
        }
        for link in &side {
            self.note_no_side(link);
            self.main.push(*link);
            self.list(*link);
            self.forget_deep();
        }
        self.note_targets_from(fork_height, !disconnected.is_empty());
        self.settle_after(fork_height);
        self.prune();
        call.changes.tips.push(TipChange { old: old_tip, new: id, fork_height, disconnected, connected: side });
    }

    fn candidate(&self, id: &ShareId) -> Option<Candidate> {
        let link = self.links.get(id)?;
        let complete = link.complete()?;
        Some(Candidate { chain_work: link.chain_work, omits: complete.omits, sequence: complete.sequence })
    }

    /// Makes a link that left the main chain and the proofs that it listed pending again.
    fn unlist(&mut self, link: ShareId) {
        let list = self.links.get(&link).and_then(|link| link.complete()).map(|complete| complete.list.clone());
        for id in list.unwrap_or_default().iter().copied().chain([link]) {
            self.listed.remove(&id);
            if let Some(credit) = self.credits.get(&id) {
                self.pending.insert((credit.height, id), ());
            }
        }
    }

    /// Records a link that entered the main chain and the proofs that it lists as listed.
    fn list(&mut self, link: ShareId) {
        let Some(known) = self.links.get(&link) else { return };
        let height = known.height;
        if height <= self.forgotten {
            return;
        }
        let list = known.complete().map(|complete| complete.list.clone());
        for id in list.unwrap_or_default().iter().copied().chain([link]) {
            self.listed.insert(id, height);
            if let Some(credit) = self.credits.get(&id) {
                self.pending.remove(&(credit.height, id));
            }
        }
    }

    /// Drops proofs that the main chain lists so deep that no link still judged can list them again.
    fn forget_deep(&mut self) {
        let keep = MEMORY_DEPTH.saturating_add(self.listing_reach());
        let height = self.height().below(keep);
        if height <= self.forgotten {
            return;
        }
        self.forgotten = height;
        let Some(id) = self.main_at(height) else { return };
        let list = match self.links.get_mut(&id).map(|link| &mut link.list) {
            Some(ListState::Complete(complete)) => core::mem::take(&mut complete.list),
            _ => List::default(),
        };
        for id in list.iter().copied().chain([id]) {
            self.credits.remove(&id);
            self.listed.remove(&id);
        }
        while let Some((low, id)) = self.pending.first().map(|(key, ())| *key).filter(|(low, _)| *low <= height) {
            self.pending.remove(&(low, id));
            self.credits.remove(&id);
        }
        if let Some(bound) = self.too_deep() {
            self.give_up_incomplete(bound);
        }
    }

    /// Depth below a link, in links, down to which lists may name a proof that the link may list, or that proof's
    /// parent.
    pub(super) fn listing_reach(&self) -> u32 {
        self.params.listing_depth.saturating_add(2)
    }

    /// Height up to which no further proof is judged and no further link becomes complete: [`MEMORY_DEPTH`] links below
    /// the highest tip so far. `None` if nothing has been dropped yet.
    pub(super) fn too_deep(&self) -> Option<Height> {
        let forgotten = Some(self.forgotten).filter(|height| *height > Height(0))?;
        Some(Height(forgotten.0.saturating_add(self.listing_reach())))
    }

    /// Policy: marks a link that left out a listable share although it had room, if this node had validated the share
    /// more than 30 s before the link's date. This node does not build on such a link until it has a child, and the
    /// link loses ties. While this node is not in sync, it marks nothing, since it does not know what its peers could
    /// know.
    pub(super) fn note_omission(&mut self, id: ShareId, now: Timestamp) {
        let Some(link) = self.links.get(&id) else { return };
        let Some(complete) = link.complete() else { return };
        if link.parent != self.tip() || complete.list.len() >= LIST_MAX || self.settled.live_height().is_none() {
            return;
        }
        // A node with a slow clock or a late view is not blamed for shares that it cannot know, and a link dated ahead
        // gains nothing. Nor does one dated back: it was found after its parent, whose arrival time this node knows.
        let parent_seen = self.credits.get(&link.parent).map_or(link.time, |parent| parent.first_seen);
        let dated = link.time.max(parent_seen).min(now);
        let Some(branch) = Branch::new(self, link.parent) else { return };
        let listed: BTreeSet<ShareId> = complete.list.iter().copied().collect();
        let first = (link.height.below(self.params.listing_depth), ShareId([0; 32]));
        let omits = self.pending.range(first..).any(|((_, pending), ())| {
            let Some(credit) = self.credits.get(pending) else { return false };
            *pending != id
                && dated.seconds_since(credit.validated_at) > i64::from(OMISSION_SECONDS)
                && !listed.contains(pending)
                && check_listable(pending, credit, link.height, &listed, &branch, &self.params).is_ok()
        });
        if let Some(ListState::Complete(complete)) = self.links.get_mut(&id).map(|link| &mut link.list) {
            complete.omits = omits;
        }
    }

    /// Link to build on: the tip, or the tip's parent while the tip leaves out shares that it should list.
    #[must_use]
    pub fn build_on(&self) -> ShareId {
        let tip = self.tip();
        match self.links.get(&tip) {
            Some(link) if link.complete().is_some_and(|complete| complete.omits) => link.parent,
            _ => tip,
        }
    }
}
