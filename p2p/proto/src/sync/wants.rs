//! What is wanted, who has it, and when to ask for it again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Want, backoff_ms};
use crate::limits::{BACKOFF_MS, CAME_REMEMBERED_MS, CLAIMED_WANTS_MAX, HOLDERS_MAX, WANT_ATTEMPTS_MAX, WANTS_MAX};
use crate::{Millis, PeerId};

/// Why something is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// A peer claims that it exists. Nobody else is asked for it, and it is given up when they do not deliver.
    Claim,
    /// A proof that carries work depends on it.
    Chain,
}

#[derive(Clone, Debug)]
struct Wanted {
    origin: Origin,
    /// SyncPeers that should have it.
    holders: Vec<PeerId>,
    /// SyncPeers asked in this round.
    tried: BTreeSet<PeerId>,
    attempts: u32,
    /// Its place among those to be asked for; none while a request is under way.
    ready: Option<(Millis, u64)>,
}

/// All that is wanted. Those that are not under way are kept in the order in which they are due.
#[derive(Clone, Debug, Default)]
pub(super) struct Wants {
    by_want: BTreeMap<Want, Wanted>,
    ready: BTreeSet<(Millis, u64, Want)>,
    claimed: usize,
    next_place: u64,
    came: Came,
}

/// What came lately. Whoever wants it again had no room for it, or got an altered copy, and would have it at once and for
/// nothing again and again.
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

    /// When it may be asked for.
    fn again_at(&self, want: &Want, now: Millis) -> Millis {
        let again = self.by_want.get(want).map(|(at, times)| at.plus(backoff_ms(BACKOFF_MS, *times)));
        again.map_or(now, |again| again.max(now))
    }
}

impl Wants {
    pub(super) fn len(&self) -> usize {
        self.by_want.len()
    }

    /// How many of them the chain depends on.
    pub(super) fn of_chain(&self) -> usize {
        self.by_want.len().saturating_sub(self.claimed)
    }

    pub(super) fn add(&mut self, want: Want, from: Option<PeerId>, origin: Origin, now: Millis) {
        if let Some(wanted) = self.by_want.get_mut(&want) {
            if let Some(peer) = from
                && wanted.holders.len() < HOLDERS_MAX
                && !wanted.holders.contains(&peer)
            {
                wanted.holders.push(peer);
            }
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

    /// It came.
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

    /// A request for these ended: those that did not arrive are asked for again, of others, after a pause.
    pub(super) fn put_back(&mut self, wants: &[Want], peer: PeerId, now: Millis) {
        for &want in wants {
            // One that came, and is wanted again since, has its place already.
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
            // Another holder is asked at once, strangers after a pause.
            let pause_ms = if wanted.holders.is_empty() { backoff_ms(BACKOFF_MS, wanted.attempts) } else { 0 };
            self.make_ready(want, now.plus(pause_ms));
        }
    }

    /// The peer is gone.
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

    /// Whether one of these that are still wanted should be had by the peer.
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

    /// What is due, longest due first.
    pub(super) fn due(&self, now: Millis, count_max: usize) -> Vec<Want> {
        self.ready.iter().take_while(|(at, ..)| *at <= now).take(count_max).map(|(.., want)| *want).collect()
    }

    /// Whom of these to ask: a holder, else, for the chain's own wants, one that was not asked in this round; the first
    /// in the order given. A new round begins when all were asked.
    pub(super) fn choose(&mut self, want: Want, peers: &[PeerId]) -> Option<PeerId> {
        let wanted = self.by_want.get_mut(&want)?;
        let holder = peers.iter().find(|peer| wanted.holders.contains(peer));
        if holder.is_some() || wanted.origin == Origin::Claim || !wanted.holders.is_empty() {
            // A holder who is busy now is worth waiting for.
            return holder.copied();
        }
        let fresh = peers.iter().find(|peer| !wanted.tried.contains(peer)).copied();
        if fresh.is_none() {
            wanted.tried.clear();
        }
        fresh.or_else(|| peers.first().copied())
    }

    /// It is not looked at before then.
    pub(super) fn postpone(&mut self, want: Want, until: Millis) {
        self.under_way(want);
        self.make_ready(want, until);
    }

    /// A request for it starts.
    pub(super) fn under_way(&mut self, want: Want) {
        if let Some((at, place)) = self.by_want.get_mut(&want).and_then(|wanted| wanted.ready.take()) {
            self.ready.remove(&(at, place, want));
        }
    }
}
