//! Consequences of the sync state: whether miners may work, and whether this node is sure enough to punish peers.

use std::sync::Arc;

use sharechain::link_headers::LinkHeaders;
use sharechain::{Chain, Height, ShareId};
use tracing::info;

use super::{Exchange, Output, Phase, SyncState, Turn};
use crate::engine::Engine;
use crate::journal::Journal;
use crate::limits::SYNC_GAP_LINKS;

/// A link that this node's share-chain must contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trusted {
    pub(super) link: ShareId,
    /// Its height, if it is known.
    pub(super) height: Option<Height>,
    /// True once this node's main chain contained it.
    pub(super) was_found: bool,
}

impl Exchange {
    /// Sets a link that this node's share-chain must contain. Until its main chain does, the node follows only chains that
    /// show the link, whatever their work, and hands out no work. From then on, its own settled links stand for it.
    ///
    /// With a height, as in a release, a chain that begins above it is accepted: no newcomer can see the link anymore.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn trust<J: Journal>(
        &mut self,
        link: ShareId,
        height: Option<Height>,
        engine: &Engine<J>,
    ) -> Result<(), J::Error> {
        self.trusted = Some(Trusted { link, height, was_found: engine.had_trusted(&link)? });
        self.tell_state(self.sync.state());
        Ok(())
    }

    /// The trusted link, while this node's main chain has not contained it yet.
    pub(super) fn looked_for(&self) -> Option<&Trusted> {
        self.trusted.as_ref().filter(|trusted| !trusted.was_found)
    }

    /// The link that a chain must contain, if it reaches down to it.
    pub(super) fn trusted(&self, own: &Chain) -> Option<(ShareId, Height)> {
        if let Some(trusted) = self.looked_for() {
            return trusted.height.map(|height| (trusted.link, height));
        }
        let settled = own.settled();
        (settled.height > Height(0)).then_some((settled.id, settled.height))
    }

    /// True unless a chain that is shown to its end lacks the link that this node looks for.
    pub(super) fn shows_trusted(&self, headers: &LinkHeaders) -> bool {
        let Some(Trusted { link, height, .. }) = self.looked_for() else { return true };
        let begins_above = height.is_some_and(|height| headers.first_height() > height);
        begins_above || headers.height_of(link).is_some()
    }

    /// Notes when the main chain contains the trusted link.
    pub(super) fn note_trusted<J: Journal>(&mut self, turn: &mut Turn<'_, J>) {
        let chain = turn.engine.chain();
        let is_here = self.looked_for().is_some_and(|Trusted { link, height, .. }| {
            let is_main = chain.link(link).is_some_and(|known| chain.main_at(known.height) == Some(*link));
            is_main || height.is_some_and(|height| chain.bottom() > height)
        });
        if let Some(trusted) = self.trusted.as_mut().filter(|_| is_here) {
            trusted.was_found = true;
            info!(link = %trusted.link, "the share-chain contains the trusted link");
            turn.engine.note_trusted(&trusted.link);
            self.tell_state(self.sync.state());
        }
    }

    /// True if this node may be wrong about validity: the pool may have replaced its rules, or this node started from a
    /// peer's rows and has not been in sync yet. It then punishes no peer.
    pub(super) fn is_unsure(&self, chain: &Chain) -> bool {
        chain.too_old().is_some() || (!self.was_synced && chain.bottom() > Height(0))
    }

    /// True while the first sync is still too far behind to judge gossip. The node fetches its content later.
    pub(super) fn is_far_behind(&self) -> bool {
        let is_far =
            |state| matches!(state, SyncState::Syncing { done, target, .. } if target.above(done) > SYNC_GAP_LINKS);
        self.looked_for().is_some() || (!self.was_synced && is_far(self.sync.state()))
    }

    pub(super) fn tell_state(&mut self, state: SyncState) {
        let looked_for = self.looked_for().map(|trusted| trusted.link);
        self.was_synced |= state == SyncState::Synced && looked_for.is_none();
        let lacks = looked_for.map(|link| {
            Arc::from(format!(
                "no peer has shown a share-chain with the trusted link {link}; if it is more than a week old, set `trust` \
                 to a newer one, which `shoal status` shows on a node that you trust"
            ))
        });
        let trouble = match state {
            SyncState::Alone | SyncState::Synced if lacks.is_some() => lacks,
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
