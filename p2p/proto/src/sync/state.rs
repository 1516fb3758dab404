//! The sync state, on which miners' work depends.

use sharechain::Height;

use super::shown::Begins;
use super::{Output, Sync};
use crate::limits::{SYNCED_ENTER_LINKS, SYNCED_SLACK_LINKS};

/// Sync state of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncState {
    /// No peer has sent its status yet.
    Alone,
    /// Peers are ahead. Once the node has been in sync, only links whose lists arrive lead to this state.
    Syncing {
        /// The current phase.
        phase: Phase,
        /// Height up to which the node has everything of this phase.
        done: Height,
        /// Height at which the phase ends, as peers show or claim.
        target: Height,
        /// Bytes of headers, rows and proofs received since the node started.
        received_bytes: u64,
    },
    /// This node is level with the best header chain that peers show, except for links in flight.
    Synced,
}

/// A phase of sync, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Link headers: which chain has the most work.
    Headers,
    /// Credits of deep links. Only newcomers need them.
    Rows,
    /// Lists and proofs of all other links.
    Proofs,
}

impl Sync {
    /// Recomputes the sync state, and outputs it if it changed.
    pub(super) fn update_state(&mut self) {
        let state = self.current_state();
        self.was_synced |= state == SyncState::Synced;
        if state != self.state {
            self.state = state;
            self.outputs.push_back(Output::State(state));
        }
    }

    fn current_state(&self) -> SyncState {
        if !self.peers.any_claim() {
            return SyncState::Alone;
        }
        let slack = if self.state == SyncState::Synced { SYNCED_SLACK_LINKS } else { SYNCED_ENTER_LINKS };
        let received_bytes = self.received_bytes;
        let syncing = |phase, done, target| SyncState::Syncing { phase, done, target, received_bytes };
        let counts = |fetched: bool| if self.was_synced { fetched } else { fetched || self.awaits_claims() };
        if let Some((peer, shown)) = self.chosen()
            && self.peers.get(peer).and_then(|peer| peer.follow.as_ref()).is_some_and(|follow| counts(follow.fetched))
            && let Begins::AtBeginning { first, rows_to } = shown.begins
        {
            return syncing(Phase::Rows, self.newcomer.next.unwrap_or(first).below(1), rows_to);
        }
        let leader = self.leader().and_then(|peer| self.peers.get(peer)?.follow.as_ref());
        if let Some(follow) = leader.filter(|follow| counts(follow.fetched))
            && let Some(shown) = follow.on_own_chain()
            && shown.height.above(self.local.height) > slack
        {
            return syncing(Phase::Proofs, self.local.height, shown.height);
        }
        // A claim counts until it is refuted. Peers that failed before must prove their claims first.
        let claims = self.peers.credible(self.now).filter(|(_, peer, _)| peer.disbeliefs == 0).map(|(.., claim)| claim);
        let ahead =
            claims.filter(|claim| claim.work > self.local.work && claim.height.above(self.local.height) > slack);
        match ahead.map(|claim| claim.height).max().filter(|_| self.awaits_claims()) {
            Some(target) => syncing(Phase::Headers, self.shown_height(), target),
            None => SyncState::Synced,
        }
    }

    /// Height up to which any peer has shown its links.
    fn shown_height(&self) -> Height {
        let shown = self.peers.followed().filter_map(|(_, follow)| follow.shown.as_ref());
        shown.map(|shown| shown.height).max().unwrap_or(self.local.height)
    }
}
