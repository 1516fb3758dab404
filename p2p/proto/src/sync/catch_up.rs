//! Catch-up: fetches links in batches from one peer that claims more work.

use sharechain::{ShareId, Work};

use super::{Output, Purpose, Sync, SyncState};
use crate::limits::{CATCH_UP_GRACE_MS, LINKS_MAX, LOCATOR_MAX, SYNCED_ENTER_LINKS, SYNCED_SLACK_LINKS, WANTS_LOW};
use crate::message::{Request, RequestKind};
use crate::score::Misbehaviour;
use crate::{Millis, PeerId};

/// A catch-up in progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct CatchUp {
    pub(super) peer: PeerId,
    /// Last link received. It comes first in the locator, which otherwise holds only links of the main chain.
    cursor: Option<ShareId>,
    /// True if any link was new, even if it is held.
    found_new: bool,
    /// This node's chain work when the catch-up began.
    began_at: Work,
    /// Time at which the peer reported that it has no more links.
    exhausted_at: Option<Millis>,
}

impl Sync {
    pub(super) fn on_links(&mut self, peer: PeerId, last: Option<ShareId>, new: u32, more: bool) {
        let Some(catch_up) = self.catch_up.as_mut().filter(|catch_up| catch_up.peer == peer) else { return };
        catch_up.found_new |= new > 0;
        // A branch that continues without new links is a loop.
        let circle = more && (last.is_none() || last == catch_up.cursor);
        catch_up.cursor = last.or(catch_up.cursor);
        if circle {
            self.distrust_claim(peer);
        } else if !more {
            catch_up.exhausted_at = Some(self.now);
        }
    }

    fn distrust_claim(&mut self, peer: PeerId) {
        self.catch_up = None;
        self.peers.disbelieve(peer, self.now);
        self.punish(peer, Misbehaviour::Useless);
    }

    /// Starts, continues or ends the catch-up.
    pub(super) fn schedule_links(&mut self) {
        self.end_if_exhausted();
        if self.catch_up.is_none() {
            let began_at = self.local.work;
            self.catch_up = self.best_peer().map(|peer| CatchUp {
                peer,
                cursor: None,
                found_new: false,
                began_at,
                exhausted_at: None,
            });
        }
        let Some(catch_up) = self.catch_up else { return };
        let waiting = catch_up.exhausted_at.is_some()
            || self.flights.any(catch_up.peer, Purpose::Links)
            || !self.asked.allows(catch_up.peer, RequestKind::Links, self.now)
            || self.wants.of_chain() >= WANTS_LOW;
        if waiting {
            return;
        }
        let known = self.local.locator.iter().copied().filter(|id| Some(*id) != catch_up.cursor);
        let locator = catch_up.cursor.into_iter().chain(known).take(LOCATOR_MAX).collect();
        let limit = u32::try_from(LINKS_MAX).unwrap_or(u32::MAX);
        self.send(catch_up.peer, Purpose::Links, Vec::new(), Request::Links { locator, limit });
    }

    fn end_if_exhausted(&mut self) {
        let Some(catch_up) = self.catch_up else { return };
        let Some(exhausted_at) = catch_up.exhausted_at else { return };
        let claim = self.peers.get(catch_up.peer).and_then(|peer| peer.claim);
        let reached = claim.is_none_or(|claim| claim.work <= self.local.work);
        let settled = self.wants.of_chain() == 0 || self.now.since(exhausted_at) >= CATCH_UP_GRACE_MS;
        if reached {
            self.peers.believe(catch_up.peer);
            self.catch_up = None;
        } else if settled && self.local.work > catch_up.began_at {
            // The peer has advanced meanwhile. Request its tip again.
            self.catch_up = None;
            self.peers.hint(catch_up.peer, self.now);
        } else if settled && catch_up.found_new {
            // The links are held, for example until this node's bitcoind catches up. Fetching them again would not
            // help.
            self.catch_up = None;
            self.peers.pause(catch_up.peer, self.now);
        } else if settled {
            self.distrust_claim(catch_up.peer);
        }
    }

    /// Peer with the most claimed work, if that is more than this node's.
    fn best_peer(&self) -> Option<PeerId> {
        self.peers
            .credible(self.now)
            .filter(|(_, peer, claim)| claim.work > self.local.work && peer.rested_at.max(peer.links_at) <= self.now)
            .max_by_key(|(id, peer, claim)| (claim.work, core::cmp::Reverse(peer.failures), *id))
            .map(|(id, ..)| id)
    }

    /// Recomputes the sync state, and outputs it if it changed.
    pub(super) fn update_state(&mut self) {
        let ahead = self.peers.credible(self.now).map(|(.., claim)| claim).filter(|claim| claim.work > self.local.work);
        let target = ahead.map(|claim| claim.height).max().unwrap_or(self.local.height);
        let slack = if self.state == SyncState::Synced { SYNCED_SLACK_LINKS } else { SYNCED_ENTER_LINKS };
        let state = if !self.peers.any_claim() {
            SyncState::Alone
        } else if target.above(self.local.height) <= slack {
            SyncState::Synced
        } else {
            SyncState::Syncing { done: self.local.height, target }
        };
        if state != self.state {
            self.state = state;
            self.outputs.push_back(Output::State(state));
        }
    }
}
