//! Follows the header chains of peers that claim more work: at most [`FOLLOWED_MAX`] at a time. A stalled chain loses
//! its place, and one that ends below its claim loses the claim.

use sharechain::Work;
use sharechain::limits::MEMORY_DEPTH;

use super::peers::Claim;
use super::shown::{Begins, Follow, Shown};
use super::{Purpose, Sync};
use crate::PeerId;
use crate::limits::{FOLLOWED_MAX, HEADERS_PAUSE_MS, HEADERS_STALL_MS, LINK_HEADERS_ASKED, LISTS_WAIT_MS, LOCATOR_MAX};
use crate::message::Request;

/// Result of a response with link headers, or with a beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Headers {
    /// The peer's chain, as far as it is verified.
    Verified {
        /// The verified part.
        shown: Shown,
        /// True if the chain continues.
        more: bool,
        /// True if the rest of the response waits for a Bitcoin header, or for its time.
        waits: bool,
    },
    /// The peer does not show the links above what this node has: ask for its beginning.
    NotShown,
    /// The chain ends, and this node cannot follow it: it has nothing new, or too little work, or leaves this node's
    /// chain too deep.
    Refuted,
}

impl Sync {
    /// Processes a response about the peer's header chain.
    pub(super) fn on_headers(&mut self, peer: PeerId, headers: Headers) {
        let now = self.now;
        let Some(follow) = self.peers.follow_mut(peer) else { return };
        match headers {
            Headers::NotShown if follow.shown.is_none() && !follow.at_beginning => {
                follow.at_beginning = true;
                follow.progress_at = now;
            }
            Headers::NotShown | Headers::Refuted => self.leave(peer),
            Headers::Verified { shown, more, waits } => {
                let grew = follow.shown.as_ref().is_none_or(|old| shown.chain_work > old.chain_work);
                if grew {
                    follow.progress_at = now;
                }
                follow.ended = !more && !waits;
                follow.complete |= follow.ended;
                follow.next_at = if waits { now.plus(HEADERS_PAUSE_MS) } else { now };
                let rank = (shown.begins == Begins::OnOwnChain, shown.rank());
                follow.shown = Some(shown);
                if self.note_best(rank) {
                    self.advanced_at = now;
                }
                self.check_claim(peer);
            }
        }
    }

    /// Records the rank of a header chain. True if it is the best of its kind so far.
    fn note_best(&mut self, (on_own_chain, rank): (bool, Work)) -> bool {
        let best = if on_own_chain { &mut self.best_shown } else { &mut self.best_candidate };
        let is_best = rank > *best;
        *best = rank.max(*best);
        is_best
    }

    /// A chain that ends below what the peer claims loses the claim.
    fn check_claim(&mut self, peer: PeerId) {
        let Some(known) = self.peers.get(peer) else { return };
        let (Some(claim), Some(follow)) = (known.claim, &known.follow) else { return };
        let Some(shown) = follow.shown.as_ref().filter(|_| follow.ended && follow.falls_short(claim.work)) else {
            return;
        };
        let claim = Claim { height: shown.height, work: shown.chain_work };
        self.peers.disbelieve(peer, self.now);
        self.peers.set_claim(peer, claim);
    }

    /// Drops a peer's header chain, and ignores its claims for a while.
    pub(super) fn leave(&mut self, peer: PeerId) {
        self.unfollow(peer);
        self.peers.disbelieve(peer, self.now);
    }

    pub(super) fn unfollow(&mut self, peer: PeerId) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.follow = None;
        }
        self.flights.drop_of(peer, Purpose::Headers);
        self.flights.drop_of(peer, Purpose::Rows);
    }

    /// True if the peer's header chain is followed. If not, its headers need not be kept.
    #[must_use]
    pub fn follows(&self, peer: PeerId) -> bool {
        self.peers.get(peer).is_some_and(|peer| peer.follow.is_some())
    }

    /// Peer with the heaviest header chain that begins on this node's own chain and has more work. The owner fetches
    /// its items; see [`Input::Advanced`](super::Input::Advanced).
    #[must_use]
    pub fn leader(&self) -> Option<PeerId> {
        let shown = self.peers.followed().filter_map(|(id, follow)| Some((id, follow, follow.on_own_chain()?)));
        let ahead = shown.filter(|(.., shown)| shown.chain_work > self.local.work);
        ahead.max_by_key(|(id, follow, shown)| (shown.chain_work, follow.fetched, *id)).map(|(id, ..)| id)
    }

    /// Drops finished and stalled chains, follows new claims, and requests the next headers.
    pub(super) fn schedule_headers(&mut self) {
        self.end_followed();
        self.follow_claims();
        let due: Vec<_> =
            self.peers.followed().filter(|(id, follow)| self.is_due(*id, follow)).map(|(id, _)| id).collect();
        for peer in due {
            let Some(request) = self.next_headers(peer) else { continue };
            if self.asked.allows(peer, request.kind(), self.now) {
                self.send(peer, Purpose::Headers, Vec::new(), request);
            }
        }
    }

    fn is_due(&self, peer: PeerId, follow: &Follow) -> bool {
        follow.next_at <= self.now && !follow.ended && !self.flights.any(peer, Purpose::Headers)
    }

    fn next_headers(&self, peer: PeerId) -> Option<Request> {
        let follow = self.peers.get(peer)?.follow.as_ref()?;
        let mut locator = match &follow.shown {
            Some(shown) => shown.locator.clone(),
            None if follow.at_beginning => return Some(Request::Beginning),
            None => self.local.locator.clone(),
        };
        locator.truncate(LOCATOR_MAX);
        Some(Request::LinkHeaders { locator, limit: LINK_HEADERS_ASKED })
    }

    /// Drops finished, stalled, and fruitless chains.
    fn end_followed(&mut self) {
        let now = self.now;
        let fetching = [self.leader(), self.newcomer.chosen];
        self.peers.each_follow(|id, follow| {
            let is_fetched = fetching.contains(&Some(id));
            follow.fetched_at = if is_fetched { follow.fetched_at.or(Some(now)) } else { None };
        });
        // Chains that extend this node's own compete with those that a newcomer would start from.
        let on_own_chain = self.peers.followed().filter_map(|(_, follow)| follow.on_own_chain());
        let own_recent_work = on_own_chain.map(|shown| shown.recent_work).max().unwrap_or_default();
        let (mut reached, mut failed) = (Vec::new(), Vec::new());
        for (id, follow) in self.peers.followed() {
            let is_reached = follow.on_own_chain().is_some_and(|shown| shown.chain_work <= self.local.work);
            let stalls = !follow.ended && now.since(follow.progress_at) >= HEADERS_STALL_MS;
            let idle = follow.fetched_at.is_some_and(|at| now.since(at) >= LISTS_WAIT_MS);
            if follow.ended && is_reached {
                reached.push(id);
            } else if stalls || idle || follow.candidate().is_some_and(|shown| shown.recent_work <= own_recent_work) {
                failed.push(id);
            }
        }
        for peer in reached {
            self.unfollow(peer);
            self.peers.believe(peer);
        }
        for peer in failed {
            self.leave(peer);
        }
    }

    /// Gives free places to peers that claim more work, those with the fewest failures first.
    fn follow_claims(&mut self) {
        // The peer's new claim may exceed what it has shown.
        let now = self.now;
        let grown = self.peers.credible(now).filter(|(_, peer, claim)| {
            peer.follow.as_ref().is_some_and(|follow| follow.ended && follow.falls_short(claim.work))
        });
        let grown: Vec<_> = grown.map(|(id, ..)| id).collect();
        for peer in grown {
            if let Some(follow) = self.peers.follow_mut(peer) {
                (follow.ended, follow.progress_at) = (false, now);
            }
        }
        let free = FOLLOWED_MAX.saturating_sub(self.peers.followed().count());
        let mut open: Vec<_> = self.open_claims().collect();
        open.sort_unstable_by_key(|(id, disbeliefs, claim)| (*disbeliefs, core::cmp::Reverse(claim.work), *id));
        for (peer, _, claim) in open.into_iter().take(free) {
            // A node that is further behind than it can judge starts over.
            let at_beginning = claim.height.above(self.local.height) > MEMORY_DEPTH;
            if let Some(peer) = self.peers.get_mut(peer) {
                peer.follow = Some(Follow::new(at_beginning, now));
            }
        }
    }

    /// Peers whose claims of more work are neither followed nor refuted, each with its number of failures.
    pub(super) fn open_claims(&self) -> impl Iterator<Item = (PeerId, u32, Claim)> {
        let open = self.peers.credible(self.now).filter(|(_, peer, claim)| {
            claim.work > self.local.work && peer.follow.is_none() && peer.rested_at <= self.now
        });
        open.map(|(id, peer, claim)| (id, peer.disbeliefs, claim))
    }
}
