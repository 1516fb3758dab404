//! What the sync state means: whether miners may work, and whether this node is sure enough to punish peers.

use std::sync::Arc;

use sharechain::{Chain, Height, ShareId};

use super::{Exchange, Output, Phase, SyncState};
use crate::limits::SYNC_GAP_LINKS;

impl Exchange {
    /// Sets a link that the node trusts: it starts anew only from a chain that contains it, unless that begins above it.
    /// Without one, this is the newest link that was settled here.
    pub fn trust(&mut self, link: ShareId, height: Height) {
        self.trusted = Some((link, height));
    }

    /// True if this node may be wrong about what is invalid: the pool may have replaced its rules, or it started from a
    /// peer's rows and was not in sync yet. It punishes nobody then.
    pub(super) fn is_unsure(&self, chain: &Chain) -> bool {
        chain.too_old().is_some() || (!self.was_synced && chain.bottom() > Height(0))
    }

    /// True while the first sync has so far to go that gossip cannot be judged. What it brings is fetched later.
    pub(super) fn is_far_behind(&self) -> bool {
        let is_far =
            |state| matches!(state, SyncState::Syncing { done, target, .. } if target.above(done) > SYNC_GAP_LINKS);
        !self.was_synced && is_far(self.sync.state())
    }

    pub(super) fn tell_state(&mut self, state: SyncState) {
        self.was_synced |= state == SyncState::Synced;
        let trouble = match state {
            SyncState::Synced => None,
            SyncState::Alone if self.was_synced || self.new_pool => None,
            SyncState::Alone => Some(Arc::from(
                "no peer has been reached yet; name one in `p2p.peers`, or set `new_pool` if this node starts a new pool",
            )),
            SyncState::Syncing { done, target, .. } if self.was_synced && target.above(done) <= SYNC_GAP_LINKS => None,
            SyncState::Syncing { phase, done, target, .. } => {
                let what = match phase {
                    Phase::Headers => "checking which share-chain has the most work",
                    Phase::Rows => "downloading what the share-chain credited",
                    Phase::Proofs => "downloading the share-chain",
                };
                Some(Arc::from(format!("the node is {what}: link {done} of {target}")))
            }
        };
        self.outputs.push_back(Output::State { state, trouble });
    }
}
