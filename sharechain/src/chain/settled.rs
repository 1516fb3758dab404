//! Settled links: main-chain links that no branch undoes immediately, however heavy it is. Also conflicts: heavier
//! branches that would undo them. Both are local policy: see protocol §12.
//!
//! Settled is not final. A burst of hashrate cannot undo a settled link, but a visible majority can, within about
//! three hours: otherwise, the halves of a partitioned pool would never reunite.

use super::branch::Branch;
use super::{Call, Chain, Link};
use crate::limits::{
    CONFLICT_BITCOIN_BLOCKS, CONFLICT_LINKS, CONFLICTS_MAX, SETTLED_BITCOIN_BLOCKS, SETTLED_LINKS,
    VISIBLE_BITCOIN_BLOCKS,
};
use crate::units::{Height, ShareId, U256, Work};

/// The newest settled link, and the branches that conflict with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Newest settled link.
    pub id: ShareId,
    /// Height of the newest settled link.
    pub height: Height,
    /// Branches that were heavier than the main chain and would undo settled links.
    conflicts: Vec<Conflict>,
    bitcoin_height: Option<u32>,
    /// Link that was settled before a restart and is not on the main chain yet.
    restored: Option<ShareId>,
    /// Lowest height of the main chain that may still be settled.
    next: Height,
}

/// A branch that would undo settled links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Conflict {
    /// Newest link of the branch when it was last heavier than the main chain.
    newest: ShareId,
    /// Links between the tip and the fork when this node first held the whole branch.
    depth: u32,
    /// Height of Bitcoin's best block at that time.
    since: u32,
}

impl Settled {
    pub(super) fn new(genesis: ShareId) -> Self {
        let height = Height(0);
        Self { id: genesis, height, conflicts: Vec::new(), bitcoin_height: None, restored: None, next: height.child() }
    }

    /// Height of this node's bitcoind while the node is in sync.
    pub(super) fn live_height(&self) -> Option<u32> {
        self.bitcoin_height
    }

    fn set(&mut self, id: ShareId, height: Height) {
        self.id = id;
        self.height = height;
        self.next = height.child();
    }
}

impl Chain {
    /// The settled state.
    #[must_use]
    pub fn settled(&self) -> &Settled {
        &self.settled
    }

    /// Newest link of the heaviest branch that is heavier than the main chain and would undo settled links.
    #[must_use]
    pub fn conflict(&self) -> Option<ShareId> {
        let own = self.chain_work_of(&self.tip());
        let heavier = self.settled.conflicts.iter().filter(|conflict| self.chain_work_of(&conflict.newest) > own);
        heavier.max_by_key(|conflict| self.chain_work_of(&conflict.newest)).map(|conflict| conflict.newest)
    }

    fn chain_work_of(&self, id: &ShareId) -> Option<Work> {
        self.links.get(id).map(|link| link.chain_work)
    }

    /// Sets the height of this node's bitcoind, or `None` while the node is not in sync. Links that become complete
    /// meanwhile do not settle anything.
    pub fn note_own_bitcoin_height(&mut self, height: Option<u32>) {
        self.settled.bitcoin_height = height;
        self.settle_links();
    }

    /// Restores a link that was settled before a restart: now, or as soon as it is on the main chain. Call it before
    /// you insert the stored proofs again, so that no conflicting branch among them can win.
    pub fn restore_settled(&mut self, id: ShareId) {
        self.settled.restored = Some(id);
        self.restore();
    }

    fn restore(&mut self) {
        let Some(id) = self.settled.restored else { return };
        let Some(height) = self.links.get(&id).map(|link| link.height) else { return };
        if self.main_at(height) == Some(id) {
            self.settled.restored = None;
            if height > self.settled.height {
                self.settled.set(id, height);
            }
        }
    }

    /// Decides whether a better branch that leaves the main chain at `fork` may replace it. A branch that would undo
    /// settled links is recorded as a conflict, and may replace it only after it has outgrown it for long enough.
    pub(super) fn may_follow(&mut self, newest: ShareId, fork: Height, call: &mut Call) -> bool {
        if fork >= self.settled.height {
            return true;
        }
        let conflict = self.note_conflict(newest, fork, call);
        if !self.has_outgrown(&conflict, fork) {
            return false;
        }
        if let Some(id) = self.main_at(fork) {
            self.settled.set(id, fork);
        }
        self.settled.conflicts.retain(|known| known.newest != newest);
        true
    }

    /// Records that a conflicting branch is heavier than the main chain, up to its link `newest`.
    fn note_conflict(&mut self, newest: ShareId, fork: Height, call: &mut Call) -> Conflict {
        let Some(branch) = Branch::new(self, newest) else {
            return Conflict { newest, depth: u32::MAX, since: u32::MAX };
        };
        // A growing branch stays one conflict, even if its newest links lose a race.
        let contains = |conflict: &Conflict| {
            let near = |link: &Link| link.height.below(self.params.anchor_depth).max(fork);
            let common = self.links.get(&conflict.newest).map(near);
            let common = common.and_then(|height| Some((self.ancestor(&conflict.newest, height)?, height)));
            common.is_some_and(|(id, height)| height > fork && branch.contains(&id, height))
        };
        let known = self.settled.conflicts.iter().position(contains);
        let conflict = match known.and_then(|at| self.settled.conflicts.get(at)) {
            Some(conflict) => Conflict { newest, ..*conflict },
            None => Conflict { newest, depth: self.height().above(fork), since: self.bitcoin.best().height },
        };
        match known {
            Some(at) => {
                self.settled.conflicts.remove(at);
            }
            None => call.changes.conflict = Some(newest),
        }
        if self.settled.conflicts.len() >= CONFLICTS_MAX {
            let lightest =
                (0..).zip(&self.settled.conflicts).min_by_key(|(_, known)| self.chain_work_of(&known.newest));
            if let Some(at) = lightest.map(|(at, _)| at) {
                self.settled.conflicts.remove(at);
            }
        }
        self.settled.conflicts.push(conflict);
        conflict
    }

    /// True if a heavier branch gained at least 1.1 times the main chain's work over the last 18 Bitcoin blocks, all of
    /// them found after this node held the whole branch.
    ///
    /// Work counts for the Bitcoin block that it builds on, and only if it was complete here soon after that block:
    /// hidden work does not count.
    fn has_outgrown(&self, conflict: &Conflict, fork: Height) -> bool {
        let best = self.bitcoin.best();
        let first = best.height.saturating_sub(CONFLICT_BITCOIN_BLOCKS);
        if conflict.depth > CONFLICT_LINKS || first < conflict.since {
            return false;
        }
        let Some(before) = self.bitcoin.work_at(&best.header.block_hash(), first) else { return false };
        let in_time = |link: &Link| {
            let seen = link.complete().and_then(|complete| complete.live_since);
            seen.is_some_and(|seen| seen <= link.bitcoin_height.saturating_add(VISIBLE_BITCOIN_BLOCKS))
        };
        let other = self.gain(conflict.newest, before, fork, in_time);
        let own = self.gain(self.tip(), before, fork, |_| true);
        let is_more = other.saturating_mul(U256::from(10_u8)) >= own.saturating_mul(U256::from(11_u8));
        is_more && other > U256::ZERO && self.chain_work_of(&conflict.newest) > self.chain_work_of(&self.tip())
    }

    /// Work of a branch's links above `fork` that count, and whose previous Bitcoin block has more chain work than
    /// `before`.
    fn gain(&self, newest: ShareId, before: U256, fork: Height, counts: impl Fn(&Link) -> bool) -> U256 {
        let above = before.saturating_add(U256::ONE);
        let Some(branch) = Branch::new(self, newest) else { return U256::ZERO };
        let Some(first) = branch.first_with_bitcoin_work(above, fork.child()) else { return U256::ZERO };
        let last = self.links.get(&newest).map_or(fork, |link| link.height);
        let links = (first.0..=last.0).filter_map(|height| branch.link_at(Height(height)));
        let work = |link: &Link| Work::of_target(link.target);
        let Work(sum) = links.filter(|link| counts(link)).fold(Work::default(), |sum, link| sum.plus(work(link)));
        sum
    }

    /// Follows a branch in conflict once it has outgrown the main chain. Bitcoin's next block may decide that.
    pub(super) fn reconsider_conflicts(&mut self, call: &mut Call) {
        self.settled.conflicts.retain(|conflict| self.links.contains(&conflict.newest));
        if let Some(newest) = self.conflict() {
            self.advance_to(newest, call);
        }
    }

    /// Updates what is settled after the main chain changed above `fork_height`.
    pub(super) fn settle_after(&mut self, fork_height: Height) {
        self.settled.next = self.settled.next.min(fork_height.child());
        self.restore();
        self.settle_links();
    }

    /// Settles links. A link that became complete while the node was in sync is settled once this node's bitcoind has
    /// gained 3 blocks and 360 links have become complete on top of it, also in sync.
    fn settle_links(&mut self) {
        let Some(now) = self.settled.bitcoin_height else { return };
        let complete = |id: &ShareId| self.links.get(id).and_then(|link| link.complete());
        let Some(live_total) = complete(&self.tip()).map(|tip| tip.live_total) else { return };
        let mut height = self.settled.next;
        let mut newest = None;
        // Links of a branch become complete in order, so the first link that is not settled ends the search.
        while let Some(id) = self.main_at(height) {
            let Some(body) = complete(&id) else { break };
            if let Some(since) = body.live_since {
                let on_top = live_total.saturating_sub(body.live_total);
                if on_top < u64::from(SETTLED_LINKS) || now.saturating_sub(since) < SETTLED_BITCOIN_BLOCKS {
                    break;
                }
                newest = Some((id, height));
            }
            height = height.child();
        }
        if let Some((id, height)) = newest {
            self.settled.set(id, height);
        }
        self.settled.next = height;
    }
}
