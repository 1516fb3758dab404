//! Sync state of each peer.

use std::collections::BTreeMap;

use sharechain::{Height, Work};

use super::backoff_ms;
use super::shown::Follow;
use crate::limits::{
    BACKOFF_MS, CLAIM_PAUSE_MS, PENDING_INTERVAL_MS, SYNC_PEERS_MAX, TIP_HINT_INTERVAL_MS, TIP_INTERVAL_MS,
};
use crate::{Millis, PeerId};

/// Height and work that a peer claims for its tip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) height: Height,
    pub(super) work: Work,
}

#[derive(Clone, Debug)]
pub(super) struct Peer {
    pub(super) claim: Option<Claim>,
    /// Time before which its claim is not credible.
    believed_from: Millis,
    /// Number of consecutive times that it failed to prove its claim.
    pub(super) disbeliefs: u32,
    /// Its header chain, while that is followed.
    pub(super) follow: Option<Follow>,
    pub(super) next_tip_at: Millis,
    last_tip_at: Millis,
    pub(super) next_pending_at: Millis,
    /// Time before which it gets no large request.
    pub(super) rested_at: Millis,
    pub(super) failures: u32,
}

/// Peers that sync follows.
#[derive(Clone, Debug, Default)]
pub(super) struct SyncPeers {
    by_id: BTreeMap<PeerId, Peer>,
}

impl SyncPeers {
    pub(super) fn connect(&mut self, peer: PeerId, now: Millis) {
        if self.by_id.len() >= SYNC_PEERS_MAX {
            return;
        }
        self.by_id.entry(peer).or_insert(Peer {
            claim: None,
            believed_from: now,
            disbeliefs: 0,
            follow: None,
            next_tip_at: now,
            last_tip_at: Millis(0),
            next_pending_at: now,
            rested_at: now,
            failures: 0,
        });
    }

    pub(super) fn disconnect(&mut self, peer: PeerId) {
        self.by_id.remove(&peer);
    }

    pub(super) fn get_mut(&mut self, peer: PeerId) -> Option<&mut Peer> {
        self.by_id.get_mut(&peer)
    }

    pub(super) fn get(&self, peer: PeerId) -> Option<&Peer> {
        self.by_id.get(&peer)
    }

    /// Peers whose header chains are followed.
    pub(super) fn followed(&self) -> impl Iterator<Item = (PeerId, &Follow)> {
        self.by_id.iter().filter_map(|(id, peer)| Some((*id, peer.follow.as_ref()?)))
    }

    pub(super) fn each_follow(&mut self, mut act: impl FnMut(PeerId, &mut Follow)) {
        for (id, peer) in &mut self.by_id {
            if let Some(follow) = &mut peer.follow {
                act(*id, follow);
            }
        }
    }

    pub(super) fn follow_mut(&mut self, peer: PeerId) -> Option<&mut Follow> {
        self.by_id.get_mut(&peer)?.follow.as_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (PeerId, &Peer)> {
        self.by_id.iter().map(|(id, peer)| (*id, peer))
    }

    /// Schedules a request for the peer's tip soon.
    pub(super) fn hint(&mut self, peer: PeerId, now: Millis) {
        if let Some(peer) = self.by_id.get_mut(&peer) {
            let soon = now.max(peer.last_tip_at.plus(TIP_HINT_INTERVAL_MS));
            peer.next_tip_at = peer.next_tip_at.min(soon);
        }
    }

    pub(super) fn tip_asked(&mut self, peer: PeerId, now: Millis) {
        if let Some(peer) = self.by_id.get_mut(&peer) {
            peer.last_tip_at = now;
            peer.next_tip_at = now.plus(TIP_INTERVAL_MS);
        }
    }

    pub(super) fn pending_asked(&mut self, peer: PeerId, now: Millis) {
        if let Some(peer) = self.by_id.get_mut(&peer) {
            peer.next_pending_at = now.plus(PENDING_INTERVAL_MS);
        }
    }

    pub(super) fn set_claim(&mut self, peer: PeerId, claim: Claim) {
        if let Some(peer) = self.by_id.get_mut(&peer) {
            peer.claim = Some(claim);
        }
    }

    /// Ignores the peer's claims for a while, because it failed to prove one.
    pub(super) fn disbelieve(&mut self, peer: PeerId, now: Millis) {
        if let Some(peer) = self.by_id.get_mut(&peer) {
            peer.believed_from = now.plus(backoff_ms(CLAIM_PAUSE_MS, peer.disbeliefs));
            peer.disbeliefs = peer.disbeliefs.saturating_add(1);
        }
    }

    pub(super) fn believe(&mut self, peer: PeerId) {
        if let Some(peer) = self.by_id.get_mut(&peer) {
            peer.disbeliefs = 0;
        }
    }

    pub(super) fn succeeded(&mut self, peer: PeerId) {
        if let Some(peer) = self.by_id.get_mut(&peer) {
            peer.failures = 0;
        }
    }

    pub(super) fn failed(&mut self, peer: PeerId, now: Millis) {
        if let Some(peer) = self.by_id.get_mut(&peer) {
            peer.rested_at = now.plus(backoff_ms(BACKOFF_MS, peer.failures));
            peer.failures = peer.failures.saturating_add(1);
        }
    }

    /// Currently credible claims.
    pub(super) fn credible(&self, now: Millis) -> impl Iterator<Item = (PeerId, &Peer, Claim)> {
        self.iter().filter(move |(_, peer)| peer.believed_from <= now).filter_map(|(id, peer)| {
            let claim = peer.claim?;
            Some((id, peer, claim))
        })
    }

    /// True if any peer has sent its status.
    pub(super) fn any_claim(&self) -> bool {
        self.by_id.values().any(|peer| peer.claim.is_some())
    }
}
