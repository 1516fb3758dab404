//! Fork choice, and what a move of the tip does: listings, pending shares, finality, forgetting.

use std::collections::BTreeSet;

use super::branch::Branch;
use super::{Body, Call, Chain};
use crate::change_set::TipChange;
use crate::check::list::check_listable;
use crate::fork_choice::{Candidate, better};
use crate::limits::{FINAL_BITCOIN_BLOCKS, FINAL_LINKS, LIST_MAX, MEMORY_DEPTH, OMISSION_SECONDS};
use crate::units::{Height, ShareId, Timestamp};

/// Which link this node would not undo, whatever branch appears. Local and subjective; see protocol §3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finality {
    /// The newest final link.
    pub id: ShareId,
    /// Its height.
    pub height: Height,
    /// A heavier branch that conflicts with it, until the operator chooses.
    pub conflict: Option<ShareId>,
    bitcoin_height: Option<u32>,
}

impl Finality {
    pub(super) fn new(genesis: ShareId) -> Self {
        Self { id: genesis, height: Height(0), conflict: None, bitcoin_height: None }
    }

    /// The own Bitcoin height while the node is in sync.
    pub(super) fn live_height(&self) -> Option<u32> {
        self.bitcoin_height
    }
}

impl Chain {
    /// What is final.
    #[must_use]
    pub fn finality(&self) -> &Finality {
        &self.finality
    }

    /// Tells the height of the node's own bitcoind, or `None` while the node is not in sync: links that come meanwhile
    /// count for no finality.
    pub fn note_own_bitcoin_height(&mut self, height: Option<u32>) {
        self.finality.bitcoin_height = height;
        self.finalize();
    }

    /// Makes a link final that was final before a restart. Has no effect when it is not on the main chain.
    pub fn restore_final(&mut self, id: ShareId) {
        if let Some(link) = self.links.get(&id) {
            if self.main_at(link.height) == Some(id) {
                self.finality.id = id;
                self.finality.height = link.height;
            }
        }
    }

    /// Switches to the branch of a link that just became complete, if it is better than the main chain.
    pub(super) fn advance_to(&mut self, id: ShareId, call: &mut Call) {
        let (Some(old), Some(new)) = (self.candidate(&self.tip()), self.candidate(&id)) else { return };
        if !better(&new, &old) {
            return;
        }
        let Some(branch) = Branch::new(self, id) else { return };
        let fork_height = branch.fork_height();
        let side: Vec<ShareId> = branch.side().iter().rev().copied().collect();
        if fork_height < self.finality.height {
            self.finality.conflict = Some(id);
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
            self.forget_below(self.height());
        }
        self.finalize();
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
        for id in list.unwrap_or_default().into_iter().chain([link]) {
            self.listed.remove(&id);
            if let Some(credit) = self.credits.get(&id) {
                self.pending.insert((credit.height, id));
            }
        }
    }

    /// Notes what a link that entered the main chain lists, and the link itself.
    fn list(&mut self, link: ShareId) {
        let Some(known) = self.links.get(&link) else { return };
        let height = known.height;
        let list = known.complete().map(|complete| complete.list.clone());
        for id in list.unwrap_or_default().into_iter().chain([link]) {
            self.listed.insert(id, height);
            if let Some(credit) = self.credits.get(&id) {
                self.pending.remove(&(credit.height, id));
            }
        }
    }

    /// Forgets shares and lists so deep that nothing that is still judged can refer to them.
    fn forget_below(&mut self, tip: Height) {
        let Some(height) = tip.0.checked_sub(MEMORY_DEPTH).filter(|height| *height > 0).map(Height) else { return };
        let Some(id) = self.main_at(height) else { return };
        let list = match self.links.get_mut(&id).map(|link| &mut link.body) {
            Some(Body::Complete(complete)) => core::mem::take(&mut complete.list),
            _ => Vec::new(),
        };
        for id in list.into_iter().chain([id]) {
            self.credits.remove(&id);
            self.listed.remove(&id);
        }
        while let Some((height, id)) = self.pending.first().copied().filter(|(low, _)| tip.above(*low) > MEMORY_DEPTH) {
            self.pending.remove(&(height, id));
            self.credits.remove(&id);
        }
    }

    /// Moves finality up: a link is final when, since it was complete while in sync, the own bitcoind gained 3 blocks
    /// and 360 links came on top.
    fn finalize(&mut self) {
        let Some(now) = self.finality.bitcoin_height else { return };
        let Some(last) = self.height().0.checked_sub(FINAL_LINKS) else { return };
        for height in self.finality.height.child().0..=last {
            let Some(id) = self.main_at(Height(height)) else { return };
            let live_since = self.links.get(&id).and_then(|link| link.complete()).and_then(|body| body.live_since);
            if live_since.is_some_and(|since| now.saturating_sub(since) >= FINAL_BITCOIN_BLOCKS) {
                self.finality.id = id;
                self.finality.height = Height(height);
            }
        }
    }

    /// Policy: marks a link that left out a share which this node had validated more than 30 s before the link's time,
    /// although it was listable and there was room. Nobody builds on it until it has a child, and it loses ties.
    pub(super) fn note_omission(&mut self, id: ShareId, now: Timestamp) {
        let Some(link) = self.links.get(&id) else { return };
        let Some(complete) = link.complete() else { return };
        if link.parent != self.tip() || complete.list.len() >= LIST_MAX || now.seconds_since(link.time) < 0 {
            return;
        }
        let Some(branch) = Branch::new(self, link.parent) else { return };
        let listed: BTreeSet<ShareId> = complete.list.iter().copied().collect();
        let first = (link.height.below(self.params.listing_depth), ShareId([0; 32]));
        let omits = self.pending.range(first..).any(|(_, pending)| {
            let Some(credit) = self.credits.get(pending) else { return false };
            *pending != id
                && link.time.seconds_since(credit.validated_at) > i64::from(OMISSION_SECONDS)
                && !listed.contains(pending)
                && check_listable(pending, credit, link.height, &listed, &branch, &self.params).is_ok()
        });
        if let Some(Body::Complete(complete)) = self.links.get_mut(&id).map(|link| &mut link.body) {
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
