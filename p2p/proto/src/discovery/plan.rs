//! Decides which nodes to dial, and which to drop.

use std::collections::BTreeSet;

use super::tried::{PAUSE_S_MAX, pause_s};
use super::{DialId, Dialing, Discovery, LinkKind, Now, Output, Purpose, Seed};
use crate::limits::{
    ANCHORS, ASK_INTERVAL_MS, DIAL_INTERVAL_MS, DIALS_MAX, FEELER_INTERVAL_MS, OUTBOUND_TARGET, ROTATE_AGE_MS,
    ROTATE_MS, SEED_PAUSE_FEW_MS, SEED_PAUSE_MS, SEED_WAIT_MS, SEEDS_LEAVE, TELL_INTERVAL_MS,
};
use crate::netgroup::Netgroup;
use crate::peer::PeerId;
use crate::record::{Address, Transport};
use crate::time::Millis;

/// Maximum number of draws from the book for one dial, as in Bitcoin Core. After that, the node retries later.
const DRAWS: u32 = 100;

/// Number of draws that skip nodes dialed in the last ten minutes, as in Bitcoin Core.
const DRAWS_OF_RESTED: u32 = 30;

/// Pause after no node was found to dial, milliseconds.
const NOBODY_PAUSE_MS: u64 = 2_000;

/// Interval between updates of the longest connected peers, milliseconds.
const ANCHORS_INTERVAL_MS: u64 = 5_000;

/// How long a node that knew no others waits for its seeds before it dials others, milliseconds.
const SEEDS_FIRST_MS: u64 = 30_000;

/// Seeds dialed at a time.
const SEEDS_AT_A_TIME: usize = 3;

/// Minimum number of connections for a failed dial to count against the node: without any, this node may be offline.
const ONLINE_LINKS: usize = 2;

/// Times of the next actions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timers {
    started: Millis,
    next_dial: Millis,
    next_feeler: Millis,
    next_anchors: Millis,
    next_tell: Millis,
    next_ask: Millis,
    /// When the last outbound connection was lost.
    alone_since: Option<Millis>,
    seeds_asked: Option<Millis>,
    /// True if a DNS seed has just named nodes.
    seeds_are_new: bool,
    rotated: Millis,
    /// End of the time that a node without known peers waits for its seeds.
    seeds_first_until: Option<Millis>,
    /// True while the node wants one more connection, to replace another.
    one_more: bool,
}

impl Timers {
    /// `is_fresh` is true if the node knows no others, and has seeds.
    pub(super) const fn new(now: Millis, is_fresh: bool) -> Self {
        Self {
            started: now,
            next_dial: now,
            next_feeler: now.plus(FEELER_INTERVAL_MS),
            next_anchors: now.plus(ANCHORS_INTERVAL_MS),
            next_tell: now,
            next_ask: now.plus(ASK_INTERVAL_MS),
            alone_since: Some(now),
            seeds_asked: None,
            seeds_are_new: false,
            rotated: now,
            seeds_first_until: if is_fresh { Some(now.plus(SEEDS_FIRST_MS)) } else { None },
            one_more: false,
        }
    }

    fn take(due: &mut Millis, now: Millis, interval_ms: u64) -> bool {
        let is_due = *due <= now;
        if is_due {
            *due = now.plus(interval_ms);
        }
        is_due
    }

    pub(super) fn anchors_due(&mut self, now: Millis) -> bool {
        Self::take(&mut self.next_anchors, now, ANCHORS_INTERVAL_MS)
    }

    pub(super) fn tell_due(&mut self, now: Millis) -> bool {
        Self::take(&mut self.next_tell, now, TELL_INTERVAL_MS)
    }

    pub(super) fn ask_due(&mut self, now: Millis) -> bool {
        Self::take(&mut self.next_ask, now, ASK_INTERVAL_MS)
    }

    /// Adds new seeds. They are dialed immediately if they are needed.
    pub(super) const fn seeds_came(&mut self) {
        self.seeds_are_new = true;
    }
}

impl Discovery {
    /// True if the node is connected with a peer, or about to be.
    fn is_busy(&self, peer: &PeerId) -> bool {
        *peer == self.local
            || self.links.contains_key(peer)
            || self.connecting.contains_key(peer)
            || self.dials.values().any(|dialing| dialing.peer == Some(*peer))
    }

    /// Number of dials in progress for lasting connections.
    fn coming(&self) -> impl Iterator<Item = &Dialing> {
        self.dials.values().chain(self.connecting.values()).filter(|dialing| dialing.purpose != Purpose::Feeler)
    }

    /// Netgroups of the peers that the node chose, connected or being dialed. Local peers do not count: on one machine
    /// or local network, all have the same netgroup. Peers that the operator named do not count either, as in Bitcoin
    /// Core.
    fn used_groups(&self) -> BTreeSet<Netgroup> {
        let linked = self.links.values().filter(|link| link.kind.is_automatic()).map(|link| link.netgroup());
        let coming = self.coming().filter_map(|dialing| dialing.address.map(|address| address.netgroup()));
        linked.chain(coming).filter(|group| *group != Netgroup::Local).collect()
    }

    /// True while a node that knew no peer when it started waits for its seeds. An inbound connection meanwhile must
    /// not become its only source.
    fn waits_for_seeds(&mut self, now: Millis) -> bool {
        let answered = self.links.values().any(|link| link.kind != LinkKind::Inbound && !link.is_asked);
        self.timers.seeds_first_until = self.timers.seeds_first_until.filter(|until| now < *until && !answered);
        self.timers.seeds_first_until.is_some()
    }

    /// Dials the next node if there are too few outbound connections.
    pub(super) fn dial_next(&mut self, now: Now, may_dial: &dyn Fn(&PeerId, &Address) -> bool) {
        let wanted = OUTBOUND_TARGET + usize::from(self.timers.one_more);
        if self.waits_for_seeds(now.at) {
            return;
        }
        let room = self.outbound() + self.coming().count() < wanted && self.dials.len() < DIALS_MAX;
        if !room || !Timers::take(&mut self.timers.next_dial, now.at, DIAL_INTERVAL_MS) {
            return;
        }
        let used = self.used_groups();
        while let Some(anchor) = self.anchors.pop() {
            if let Some(address) = self.address_of(&anchor, &used, now, may_dial).filter(|_| !self.is_busy(&anchor)) {
                return self.dial(anchor, address, Purpose::Outbound, now);
            }
        }
        // If all nodes are connected or were just dialed, pause for a while.
        self.timers.next_dial = now.at.plus(NOBODY_PAUSE_MS);
        if !self.book.peers().any(|peer| self.is_rested(peer, false, now)) {
            return;
        }
        for draw in 0..DRAWS {
            let Some(peer) = self.book.select(false, now.unix_s) else { return };
            if !self.is_rested(&peer, draw < DRAWS_OF_RESTED, now) {
                continue;
            }
            if let Some(address) = self.address_of(&peer, &used, now, may_dial) {
                self.timers.next_dial = now.at.plus(DIAL_INTERVAL_MS);
                return self.dial(peer, address, Purpose::Outbound, now);
            }
        }
    }

    /// True if a node may be dialed again. With `long`, only ten minutes after the last time.
    fn is_rested(&self, peer: &PeerId, long: bool, now: Now) -> bool {
        let Some(entry) = self.book.entry(peer).filter(|_| !self.is_busy(peer)) else { return false };
        let pause_s = if long { PAUSE_S_MAX } else { pause_s(entry.attempts()) };
        now.unix_s.saturating_sub(entry.last_try_s()) >= pause_s
    }

    /// The address to dial of a node: in an unused netgroup, at a host that was not just dialed, with the transport
    /// that fewer peers use. After failures, its addresses take turns.
    fn address_of(
        &self,
        peer: &PeerId,
        used: &BTreeSet<Netgroup>,
        now: Now,
        may_dial: &dyn Fn(&PeerId, &Address) -> bool,
    ) -> Option<Address> {
        let entry = self.book.entry(peer)?;
        let free = |address: &&Address| {
            !used.contains(&address.netgroup()) && self.tried.is_rested(address, now.at) && may_dial(peer, address)
        };
        let mut addresses: Vec<Address> = entry.addresses().filter(free).copied().collect();
        let count = |transport: Transport| {
            let linked = self.links.values().filter(|link| link.kind != LinkKind::Inbound);
            linked.filter(|link| link.address.is_some_and(|address| address.transport == transport)).count()
        };
        let (tcp, quic) = (count(Transport::Tcp), count(Transport::Quic));
        let fewer = if tcp > quic { Transport::Quic } else { Transport::Tcp };
        if tcp.abs_diff(quic) > 1 {
            addresses.sort_by_key(|address| address.transport != fewer);
        }
        let turn = usize::try_from(entry.attempts()).unwrap_or(0).checked_rem(addresses.len())?;
        addresses.get(turn).copied()
    }

    fn dial(&mut self, peer: PeerId, address: Address, purpose: Purpose, now: Now) {
        let counts = self.links.len() >= ONLINE_LINKS;
        self.book.attempt(&peer, counts, now.unix_s);
        self.tried.dialed(&address, counts, now.at);
        self.start(Some(peer), Some(address), address.to_string(), purpose, now);
    }

    fn start(&mut self, peer: Option<PeerId>, at: Option<Address>, address: String, purpose: Purpose, now: Now) {
        let id = DialId(self.next_dial);
        self.next_dial += 1;
        self.dials.insert(id, Dialing { peer, address: at, purpose, since: now.at });
        self.outputs.push_back(Output::Dial { id, peer, address, purpose });
    }

    /// From time to time, tests a node that was never reached, or one whose place another one wants.
    pub(super) fn feel(&mut self, now: Now, may_dial: &dyn Fn(&PeerId, &Address) -> bool) {
        if self.timers.next_feeler > now.at || self.links.is_empty() {
            return;
        }
        let jitter_ms = self.book.draw(FEELER_INTERVAL_MS);
        self.timers.next_feeler = now.at.plus(FEELER_INTERVAL_MS / 2 + jitter_ms);
        let tested = self.book.to_test(now.unix_s).filter(|peer| !self.is_busy(peer));
        let Some(peer) = tested.or_else(|| self.draw_untried(now)) else { return };
        if let Some(address) = self.address_of(&peer, &BTreeSet::new(), now, may_dial) {
            self.dial(peer, address, Purpose::Feeler, now);
        }
    }

    fn draw_untried(&mut self, now: Now) -> Option<PeerId> {
        for _ in 0..DRAWS_OF_RESTED {
            let peer = self.book.select(true, now.unix_s)?;
            if self.is_rested(&peer, true, now) {
                return Some(peer);
            }
        }
        None
    }

    /// Asks seeds if the book is of no use, and disconnects them once they are not needed.
    pub(super) fn ask_seeds(&mut self, now: Now) {
        let links = self.links.iter().filter(|(_, link)| link.kind != LinkKind::Inbound);
        let (seeds, others): (Vec<_>, Vec<_>) = links.partition(|(_, link)| link.kind == LinkKind::Seed);
        if others.len() >= SEEDS_LEAVE {
            let done = seeds.iter().find(|(_, link)| !link.is_asked).map(|(peer, _)| **peer);
            self.outputs.extend(done.map(Output::Disconnect));
        }
        let outbound = seeds.len() + others.len();
        let alone_since = *self.timers.alone_since.get_or_insert(now.at);
        if outbound > 0 {
            self.timers.alone_since = None;
        }
        if std::mem::take(&mut self.timers.seeds_are_new) && outbound < ANCHORS {
            return self.dial_seeds(now);
        }
        let (new, tried) = self.book.counts();
        let knows_some = new + tried > 0 && self.timers.seeds_first_until.is_none();
        let is_first = now.at.since(alone_since) < SEED_WAIT_MS && knows_some;
        let pause_ms = if outbound == 0 { SEED_PAUSE_MS } else { SEED_PAUSE_FEW_MS };
        let is_paused = self.timers.seeds_asked.is_some_and(|at| now.at.since(at) < pause_ms);
        let is_young = outbound > 0 && now.at.since(self.timers.started) < SEED_PAUSE_FEW_MS;
        if outbound >= ANCHORS || is_paused || (outbound == 0 && is_first) || is_young {
            return;
        }
        self.timers.seeds_asked = Some(now.at);
        if self.setup.has_dns_seeds && outbound == 0 {
            self.outputs.push_back(Output::LookUpSeeds);
        }
        self.dial_seeds(now);
    }

    fn dial_seeds(&mut self, now: Now) {
        let mut seeds: Vec<Seed> = self.setup.seeds.clone();
        for _ in 0..SEEDS_AT_A_TIME.min(seeds.len()) {
            let drawn = usize::try_from(self.book.draw(u64::try_from(seeds.len()).unwrap_or(0))).unwrap_or(0);
            let Seed { address, peer } = seeds.swap_remove(drawn);
            let at = Address::parse(&address).map(|(at, _)| at);
            let is_own = at.is_some_and(|at| self.own.has(&at)) || peer == Some(self.local);
            if !is_own && !peer.is_some_and(|peer| self.is_busy(&peer)) {
                self.start(peer, at, address, Purpose::Seed, now);
            }
        }
    }

    /// While the tip is stale, replaces the least recently useful peer from time to time. The oldest connections stay:
    /// an attacker that holds the tip back must not get them replaced.
    pub(super) fn rotate(&mut self, now: Now) {
        if self.is_stale && now.at.since(self.timers.rotated) >= ROTATE_MS && self.outbound() >= OUTBOUND_TARGET {
            self.timers.rotated = now.at;
            self.timers.one_more = true;
        }
        if self.outbound() <= OUTBOUND_TARGET {
            return;
        }
        let kept = self.book.anchors();
        let old =
            self.automatic().filter(|(peer, link)| now.at.since(link.since) >= ROTATE_AGE_MS && !kept.contains(peer));
        if let Some((peer, _)) = old.min_by_key(|(_, link)| link.useful_at) {
            let worst = *peer;
            self.timers.one_more = false;
            self.outputs.push_back(Output::Disconnect(worst));
        }
    }
}
