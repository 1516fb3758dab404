//! Wanted items: which peers have them, and when to request them again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Want, backoff_ms};
use crate::limits::{BACKOFF_MS, CAME_REMEMBERED_MS, CLAIMED_WANTS_MAX, HOLDERS_MAX, WANT_ATTEMPTS_MAX, WANTS_MAX};
use crate::{Millis, PeerId};

/// Reason why an item is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// A peer claims that it exists. Only such peers are asked, and the want is dropped if they do not deliver.
    Claim,
    /// A proof that carries work depends on it.
    Chain,
}

#[derive(Clone, Debug)]
struct Wanted {
    origin: Origin,
    /// Peers that should have it.
    holders: Vec<PeerId>,
    /// Peers asked in this round.
    tried: BTreeSet<PeerId>,
    attempts: u32,
    /// Its place in the queue; `None` while a request for it is in flight.
    ready: Option<(Millis, u64)>,
}

/// All wanted items. Those without a request in flight are in a queue ordered by due time.
#[derive(Clone, Debug, Default)]
pub(super) struct Wants {
    by_want: BTreeMap<Want, Wanted>,
    ready: BTreeSet<(Millis, u64, Want)>,
    claimed: usize,
    next_place: u64,
    came: Came,
}

/// Items that arrived recently. If the chain wants one again, it had no room for it or got an altered copy. Without a
/// pause, it would get the same useless copy over and over.
#[derive(Clone, Debug, Default)]
struct Came {
    by_want: BTreeMap<Want, (Millis, u32)>,
    in_order: VecDeque<(Millis, Want)>,
}

impl Came {
    fn note(&mut self, want: Want, now: Millis) {
        let times = self.by_want.get(&want).map_or(0, |(_, times)| *times);
        self.by_want.insert(want, (now, times.saturating_add(1)));
        self.in_order.push_back((now, want));
        while let Some((at, oldest)) = self.in_order.front().copied()
            && (self.in_order.len() > WANTS_MAX || now.since(at) > CAME_REMEMBERED_MS)
        {
            self.in_order.pop_front();
            if self.by_want.get(&oldest).is_some_and(|(last, _)| *last == at) {
                self.by_want.remove(&oldest);
            }
        }
    }

    /// Earliest time at which the item may be requested.
    fn again_at(&self, want: &Want, now: Millis) -> Millis {
        let again = self.by_want.get(want).map(|(at, times)| at.plus(backoff_ms(BACKOFF_MS, *times)));
        again.map_or(now, |again| again.max(now))
    }
}

impl Wants {
    pub(super) fn len(&self) -> usize {
        self.by_want.len()
    }

    pub(super) fn add(&mut self, want: Want, from: Option<PeerId>, origin: Origin, now: Millis) {
        if let Some(wanted) = self.by_want.get_mut(&want) {
            if let Some(peer) = from
                && wanted.holders.len() < HOLDERS_MAX
                && !wanted.holders.contains(&peer)
            {
                wanted.holders.push(peer);
                // If others lacked the item, a new holder is asked immediately.
                let waits = wanted.attempts > 0 && wanted.ready.is_some_and(|(at, _)| at > now);
                if waits && !wanted.tried.contains(&peer) {
                    self.postpone(want, now);
                }
            }
            let Some(wanted) = self.by_want.get_mut(&want) else { return };
            if wanted.origin == Origin::Claim && origin == Origin::Chain {
                wanted.origin = Origin::Chain;
                self.claimed = self.claimed.saturating_sub(1);
            }
            return;
        }
        let full = match origin {
            Origin::Chain => self.by_want.len() >= WANTS_MAX,
            Origin::Claim => self.claimed >= CLAIMED_WANTS_MAX,
        };
        if full {
            return;
        }
        self.claimed = self.claimed.saturating_add(usize::from(origin == Origin::Claim));
        let holders = from.into_iter().collect();
        self.by_want.insert(want, Wanted { origin, holders, tried: BTreeSet::new(), attempts: 0, ready: None });
        self.make_ready(want, self.came.again_at(&want, now));
    }

    /// Records that an item arrived.
    pub(super) fn got(&mut self, want: Want, now: Millis) {
        if self.by_want.contains_key(&want) {
            self.came.note(want, now);
            self.give_up(want);
        }
    }

    fn give_up(&mut self, want: Want) {
        let Some(wanted) = self.by_want.remove(&want) else { return };
        if let Some((at, place)) = wanted.ready {
            self.ready.remove(&(at, place, want));
        }
        self.claimed = self.claimed.saturating_sub(usize::from(wanted.origin == Origin::Claim));
    }

    /// Ends a request for these items. Items that did not arrive go back into the queue, for other peers, after a
    /// pause.
    pub(super) fn put_back(&mut self, wants: &[Want], peer: PeerId, now: Millis) {
        for &want in wants {
            // An item that arrived and is wanted again is already in the queue.
            let under_way = |wanted: &&mut Wanted| wanted.ready.is_none();
            let Some(wanted) = self.by_want.get_mut(&want).filter(under_way) else { continue };
            wanted.tried.insert(peer);
            wanted.attempts = wanted.attempts.saturating_add(1);
            wanted.holders.retain(|holder| *holder != peer);
            let hopeless = wanted.origin == Origin::Claim && wanted.holders.is_empty();
            if hopeless || wanted.attempts >= WANT_ATTEMPTS_MAX {
                self.give_up(want);
                continue;
            }
            // Another holder is asked immediately, other peers after a pause.
            let pause_ms = if wanted.holders.is_empty() { backoff_ms(BACKOFF_MS, wanted.attempts) } else { 0 };
            self.make_ready(want, now.plus(pause_ms));
        }
    }

    /// Removes a peer that disconnected.
    pub(super) fn forget_holder(&mut self, peer: PeerId) {
        let mut hopeless = Vec::new();
        for (want, wanted) in &mut self.by_want {
            wanted.holders.retain(|holder| *holder != peer);
            wanted.tried.remove(&peer);
            if wanted.origin == Origin::Claim && wanted.holders.is_empty() {
                hopeless.push(*want);
            }
        }
        for want in hopeless {
            self.give_up(want);
        }
    }

    /// True if the peer should have one of these items that is still wanted.
    pub(super) fn any_held_by(&self, wants: &[Want], peer: PeerId) -> bool {
        wants.iter().filter_map(|want| self.by_want.get(want)).any(|wanted| wanted.holders.contains(&peer))
    }

    fn make_ready(&mut self, want: Want, at: Millis) {
        let place = self.next_place;
        self.next_place = self.next_place.wrapping_add(1);
        if let Some(wanted) = self.by_want.get_mut(&want) {
            wanted.ready = Some((at, place));
            self.ready.insert((at, place, want));
        }
    }

    /// Items that are due, earliest first, at most `count_max`.
    pub(super) fn due(&self, now: Millis, count_max: usize) -> Vec<Want> {
        self.ready.iter().take_while(|(at, ..)| *at <= now).take(count_max).map(|(.., want)| *want).collect()
    }

    /// Chooses a peer to ask, the first suitable one in the given order: a holder, or, for an item that the chain is
    /// missing, a peer that was not asked in this round. A new round begins when all were asked.
    pub(super) fn choose(&mut self, want: Want, peers: &[PeerId]) -> Option<PeerId> {
        let wanted = self.by_want.get_mut(&want)?;
        let holder = peers.iter().find(|peer| wanted.holders.contains(peer));
        if holder.is_some() || wanted.origin == Origin::Claim || !wanted.holders.is_empty() {
            // Wait for a holder that is busy.
            return holder.copied();
        }
        let fresh = peers.iter().find(|peer| !wanted.tried.contains(peer)).copied();
        if fresh.is_none() {
            wanted.tried.clear();
        }
        fresh.or_else(|| peers.first().copied())
    }

    /// Delays an item until the given time.
    pub(super) fn postpone(&mut self, want: Want, until: Millis) {
        self.under_way(want);
        self.make_ready(want, until);
    }

    /// Removes an item from the queue because a request for it starts.
    pub(super) fn under_way(&mut self, want: Want) {
        if let Some((at, place)) = self.by_want.get_mut(&want).and_then(|wanted| wanted.ready.take()) {
            self.ready.remove(&(at, place, want));
        }
    }
}
