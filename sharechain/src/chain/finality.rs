//! Finality: the links that this node would not undo for any branch. It is local policy: see protocol §12.

use super::Chain;
use crate::limits::{FINAL_BITCOIN_BLOCKS, FINAL_LINKS};
use crate::units::{Height, ShareId};

/// The newest final link, and a heavier branch that conflicts with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finality {
    /// Newest final link.
    pub id: ShareId,
    /// Height of the newest final link.
    pub height: Height,
    /// Newest link of a branch that is heavier than the main chain and would undo final links. Set until the operator
    /// chooses or the main chain is heavier again.
    pub conflict: Option<ShareId>,
    bitcoin_height: Option<u32>,
    /// Link that was final before a restart and is not on the main chain yet.
    restored: Option<ShareId>,
    /// Lowest height of the main chain that may still become final.
    next: Height,
}

impl Finality {
    pub(super) fn new(genesis: ShareId) -> Self {
        let height = Height(0);
        Self { id: genesis, height, conflict: None, bitcoin_height: None, restored: None, next: height.child() }
    }

    /// Height of this node's bitcoind while the node is in sync.
    pub(super) fn live_height(&self) -> Option<u32> {
        self.bitcoin_height
    }

    fn raise(&mut self, id: ShareId, height: Height) {
        self.id = id;
        self.height = height;
        self.next = height.child();
    }
}

impl Chain {
    /// Finality as of now.
    #[must_use]
    pub fn finality(&self) -> &Finality {
        &self.finality
    }

    /// Sets the height of this node's bitcoind, or `None` while the node is not in sync. Links that become complete
    /// meanwhile do not count toward finality.
    pub fn note_own_bitcoin_height(&mut self, height: Option<u32>) {
        self.finality.bitcoin_height = height;
        self.finalize();
    }

    /// Makes a link final that was final before a restart: now, or as soon as it is on the main chain. Call it before
    /// you insert the stored proofs again, so that no conflicting branch among them can win.
    pub fn restore_final(&mut self, id: ShareId) {
        self.finality.restored = Some(id);
        self.restore();
    }

    fn restore(&mut self) {
        let Some(id) = self.finality.restored else { return };
        let Some(height) = self.links.get(&id).map(|link| link.height) else { return };
        if self.main_at(height) == Some(id) {
            self.finality.restored = None;
            if height > self.finality.height {
                self.finality.raise(id, height);
            }
        }
    }

    /// True if a better branch that leaves the main chain at `fork_height` would undo final links. Records the
    /// conflict.
    pub(super) fn conflicts(&mut self, newest: ShareId, fork_height: Height) -> bool {
        let conflicts = fork_height < self.finality.height;
        if conflicts {
            self.finality.conflict = Some(newest);
        }
        conflicts
    }

    /// Updates finality after the main chain changed above `fork_height`.
    pub(super) fn finalize_after(&mut self, fork_height: Height) {
        self.finality.next = self.finality.next.min(fork_height.child());
        self.restore();
        let work = |id: &ShareId| self.links.get(id).map(|link| link.chain_work);
        if self.finality.conflict.is_some_and(|conflict| work(&conflict) <= work(&self.tip())) {
            self.finality.conflict = None;
        }
        self.finalize();
    }

    /// Raises finality. A link that became complete while the node was in sync is final once this node's bitcoind has
    /// gained 3 blocks and 360 links have become complete on top of it, also in sync.
    fn finalize(&mut self) {
        let Some(now) = self.finality.bitcoin_height else { return };
        let complete = |id: &ShareId| self.links.get(id).and_then(|link| link.complete());
        let Some(live_total) = complete(&self.tip()).map(|tip| tip.live_total) else { return };
        let mut height = self.finality.next;
        let mut newest = None;
        // Links of a branch become complete in order, so the first link that is not final ends the search.
        while let Some(id) = self.main_at(height) {
            let Some(body) = complete(&id) else { break };
            if let Some(since) = body.live_since {
                let on_top = live_total.saturating_sub(body.live_total);
                if on_top < u64::from(FINAL_LINKS) || now.saturating_sub(since) < FINAL_BITCOIN_BLOCKS {
                    break;
                }
                newest = Some((id, height));
            }
            height = height.child();
        }
        if let Some((id, height)) = newest {
            self.finality.raise(id, height);
        }
        self.finality.next = height;
    }
}
