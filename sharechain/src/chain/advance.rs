//! Fork choice, and what a move of the tip does: listings, pending shares, forgetting.

use std::collections::BTreeSet;

use super::branch::Branch;
use super::{Call, Chain, List, ListState};
use crate::change_set::TipChange;
use crate::check::list::check_listable;
use crate::fork_choice::{Candidate, better};
use crate::limits::{LIST_MAX, MEMORY_DEPTH, OMISSION_SECONDS};
use crate::units::{Height, ShareId, Timestamp};

impl Chain {
    /// Switches to the branch of a link that just became complete, if it is better than the main chain.
    pub(super) fn advance_to(&mut self, id: ShareId, call: &mut Call) {
        let (Some(old), Some(new)) = (self.candidate(&self.tip()), self.candidate(&id)) else { return };
        if !better(&new, &old) {
            return;
        }
        let Some(branch) = Branch::new(self, id) else { return };
        let fork_height = branch.fork_height();
        let side: Vec<ShareId> = branch.side().iter().rev().copied().collect();
        if self.conflicts(id, fork_height) {
            call.changes.conflict = Some(id);
            return;
        }
        let old_tip = self.tip();
        let mut disconnected = Vec::new();
        while self.height() > fork_height {
            let Some(link) = self.main.pop() else { break };
            self.unlist(link);
            disconnected.push(link);
        }
        for link in &side {
            self.main.push(*link);
            self.list(*link);
            self.forget_deep();
        }
        self.note_targets_from(fork_height, !disconnected.is_empty());
        self.finalize_after(fork_height);
        call.changes.tips.push(TipChange { old: old_tip, new: id, fork_height, disconnected, connected: side });
    }

    fn candidate(&self, id: &ShareId) -> Option<Candidate> {
        let link = self.links.get(id)?;
        let complete = link.complete()?;
        Some(Candidate { chain_work: link.chain_work, omits: complete.omits, sequence: complete.sequence })
    }

    /// Takes a link that left the main chain, and what it listed, back among the pending.
    fn unlist(&mut self, link: ShareId) {
        let list = self.links.get(&link).and_then(|link| link.complete()).map(|complete| complete.list.clone());
        for id in list.unwrap_or_default().iter().copied().chain([link]) {
            self.listed.remove(&id);
            if let Some(credit) = self.credits.get(&id) {
                self.pending.insert((credit.height, id), ());
            }
        }
    }

    /// Notes what a link that entered the main chain lists, and the link itself.
    fn list(&mut self, link: ShareId) {
        let Some(known) = self.links.get(&link) else { return };
        let height = known.height;
        let list = known.complete().map(|complete| complete.list.clone());
        for id in list.unwrap_or_default().iter().copied().chain([link]) {
            self.listed.insert(id, height);
            if let Some(credit) = self.credits.get(&id) {
                self.pending.remove(&(credit.height, id));
            }
        }
    }

    /// Forgets what the main chain lists so deep that no link which is still judged can list it again.
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

    /// Links below a link among whose lists what it may list, and the parents of that, must be looked for.
    fn listing_reach(&self) -> u32 {
        self.params.listing_depth.saturating_add(2)
    }

    /// Height up to which no further proof is judged and no further link becomes complete; none while nothing was
    /// forgotten. [`MEMORY_DEPTH`] links below the highest tip that there was.
    pub(super) fn too_deep(&self) -> Option<Height> {
        let forgotten = Some(self.forgotten).filter(|height| *height > Height(0))?;
        Some(Height(forgotten.0.saturating_add(self.listing_reach())))
    }

    /// Policy: marks a link that left out a share which this node had validated more than 30 s before the link's time, or
    /// before now if that is earlier, although it was listable and there was room. Nobody builds on it until it has a
    /// child, and it loses ties.
    pub(super) fn note_omission(&mut self, id: ShareId, now: Timestamp) {
        let Some(link) = self.links.get(&id) else { return };
        let Some(complete) = link.complete() else { return };
        if link.parent != self.tip() || complete.list.len() >= LIST_MAX {
            return;
        }
        // Whose clock is fast need not know what this node knows; whose link is dated ahead gains nothing by it.
        let dated = link.time.min(now);
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

    /// The link to build on: the tip, or its parent while the tip leaves out what it should list and has no child.
    #[must_use]
    pub fn build_on(&self) -> ShareId {
        let tip = self.tip();
        match self.links.get(&tip) {
            Some(link) if link.complete().is_some_and(|complete| complete.omits) => link.parent,
            _ => tip,
        }
    }
}
