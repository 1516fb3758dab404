//! A newcomer's choice among complete header chains, and the rows of the chosen one.

use sharechain::Height;

use super::shown::{Begins, Shown};
use super::{Purpose, Sync};
use crate::limits::{CHOICE_WAIT_MS, FOLLOWED_MAX, LISTS_WAIT_MS, ROWS_MAX};
use crate::message::{Request, RequestKind};
use crate::{Millis, PeerId};

/// Progress of a newcomer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Newcomer {
    /// When the first header chain was complete.
    since: Option<Millis>,
    /// Peer whose header chain was chosen.
    pub(super) chosen: Option<PeerId>,
    /// Height of the next row to verify; none before the first response.
    pub(super) next: Option<Height>,
    /// True once all rows are verified.
    pub(super) has_rows: bool,
    /// True once the newcomer no longer waits for a better header chain.
    decided: bool,
}

impl Sync {
    /// Processes a response with rows: they are verified up to below `next`.
    pub(super) fn on_rows(&mut self, peer: PeerId, next: Height, done: bool) {
        if self.newcomer.chosen != Some(peer) {
            return;
        }
        let grew = self.newcomer.next.is_none_or(|old| next > old) || done;
        self.newcomer.next = Some(next);
        self.newcomer.has_rows = done;
        if grew {
            self.on_advanced(peer);
        }
    }

    /// Lists or rows of the peer's header chain arrived.
    pub(super) fn on_advanced(&mut self, peer: PeerId) {
        let now = self.now;
        self.advanced_at = now;
        let is_candidate = self.peers.get(peer).and_then(|peer| peer.follow.as_ref()?.candidate()).is_some();
        // Peers that show the same chain share the progress.
        let peer = if is_candidate { self.newcomer.chosen.unwrap_or(peer) } else { peer };
        if let Some(follow) = self.peers.follow_mut(peer) {
            (follow.fetched_at, follow.fetched) = (Some(now), true);
        }
    }

    /// The node has started from the fetched rows. It fetches everything above like any other node.
    pub(super) fn on_based(&mut self) {
        self.newcomer = Newcomer::default();
        let candidates: Vec<_> =
            self.peers.followed().filter(|(_, follow)| follow.on_own_chain().is_none()).map(|(id, _)| id).collect();
        for peer in candidates {
            self.unfollow(peer);
            self.peers.believe(peer);
        }
    }

    /// Chooses among the complete header chains, and requests the next rows.
    pub(super) fn schedule_rows(&mut self) {
        self.choose();
        let Some((peer, shown)) = self.chosen() else { return };
        let Begins::AtBeginning { first, rows_to } = shown.begins else { return };
        let next = self.newcomer.next.unwrap_or(first);
        let waits = self.newcomer.has_rows
            || self.flights.any(peer, Purpose::Rows)
            || !self.asked.allows(peer, RequestKind::Rows, self.now);
        if waits {
            return;
        }
        let most = u32::try_from(ROWS_MAX).unwrap_or(u32::MAX);
        let limit = rows_to.child().above(next).clamp(1, most);
        self.send(peer, Purpose::Rows, Vec::new(), Request::Rows { first: next, limit });
    }

    /// The chosen peer, and its chain.
    pub(super) fn chosen(&self) -> Option<(PeerId, &Shown)> {
        let peer = self.newcomer.chosen?;
        Some((peer, self.peers.get(peer)?.follow.as_ref()?.candidate()?))
    }

    /// True once the node may start from the chosen header chain: all peers that can be followed have shown theirs, or
    /// had time to.
    #[must_use]
    pub const fn may_start(&self) -> bool {
        self.newcomer.decided
    }

    /// The heaviest complete header chain wins. Its rows are fetched while others may still come.
    fn choose(&mut self) {
        let candidates = self.peers.followed().filter_map(|(id, follow)| Some((id, follow.candidate()?)));
        let chosen = self.newcomer.chosen;
        let best = candidates.max_by_key(|(id, shown)| (shown.rank(), Some(*id) == chosen, *id)).map(|(id, _)| id);
        let Some(best) = best else {
            self.newcomer = Newcomer::default();
            return;
        };
        let since = *self.newcomer.since.get_or_insert(self.now);
        let is_full = self.peers.followed().filter(|(_, follow)| follow.candidate().is_some()).count() >= FOLLOWED_MAX;
        self.newcomer.decided = is_full || self.now.since(since) >= CHOICE_WAIT_MS;
        if chosen == Some(best) {
            return;
        }
        if let Some(old) = chosen {
            self.flights.drop_of(old, Purpose::Rows);
        }
        self.newcomer =
            Newcomer { since: Some(since), chosen: Some(best), decided: self.newcomer.decided, ..Newcomer::default() };
        let now = self.now;
        if let Some(follow) = self.peers.follow_mut(best) {
            follow.fetched_at = Some(now);
        }
    }

    /// True if claims still count: before the node's first sync, and for a while after its last progress.
    pub(super) fn awaits_claims(&self) -> bool {
        !self.was_synced && self.now.since(self.advanced_at) < LISTS_WAIT_MS
    }
}
