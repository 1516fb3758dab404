//! Which link this node would not undo, whatever branch appears. Local and subjective: see protocol §12.

use super::Chain;
use crate::limits::{FINAL_BITCOIN_BLOCKS, FINAL_LINKS};
use crate::units::{Height, ShareId};

/// What is final, and whether a heavier branch disagrees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finality {
    /// The newest final link.
    pub id: ShareId,
    /// Its height.
    pub height: Height,
    /// A branch heavier than the main chain that would undo final links, until the operator chooses or the main chain
    /// is the heavier one again.
    pub conflict: Option<ShareId>,
    bitcoin_height: Option<u32>,
    /// Final before a restart, and not on the main chain so far.
    restored: Option<ShareId>,
    /// Main-chain height from which on links may still become final.
    next: Height,
}

impl Finality {
    pub(super) fn new(genesis: ShareId) -> Self {
        let height = Height(0);
        Self { id: genesis, height, conflict: None, bitcoin_height: None, restored: None, next: height.child() }
    }

    /// The own Bitcoin height while the node is in sync.
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

    /// Makes a link final that was final before a restart, now or as soon as it is on the main chain. Told before the
    /// stored proofs are inserted again, it keeps a conflicting branch among them from winning.
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

    /// True when a better branch that leaves the main chain at `fork_height` would undo final links; notes it.
    pub(super) fn conflicts(&mut self, newest: ShareId, fork_height: Height) -> bool {
        let conflicts = fork_height < self.finality.height;
        if conflicts {
            self.finality.conflict = Some(newest);
        }
        conflicts
    }

    /// Looks again at what may be final after the main chain changed above `fork_height`.
    pub(super) fn finalize_after(&mut self, fork_height: Height) {
        self.finality.next = self.finality.next.min(fork_height.child());
        self.restore();
        let work = |id: &ShareId| self.links.get(id).map(|link| link.chain_work);
        if self.finality.conflict.is_some_and(|conflict| work(&conflict) <= work(&self.tip())) {
            self.finality.conflict = None;
        }
        self.finalize();
    }

    /// Moves finality up: a link is final when, since it was complete while in sync, the own bitcoind gained 3 blocks
    /// and 360 links came on top, in sync as well.
    fn finalize(&mut self) {
        let Some(now) = self.finality.bitcoin_height else { return };
        let complete = |id: &ShareId| self.links.get(id).and_then(|link| link.complete());
        let Some(live_total) = complete(&self.tip()).map(|tip| tip.live_total) else { return };
        let mut height = self.finality.next;
        let mut newest = None;
        // Along a branch links become complete one after the other, so the first that must wait ends the search.
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
