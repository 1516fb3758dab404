//! Exchanges records with peers.

use super::link::Link;
use super::{Discovery, LinkKind, Now, Output};
use crate::book::Added;
use crate::limits::{
    RECORD_FRESH_S, RECORD_RELAY_S, RECORD_RELAYS, RECORDS_MAX, RECORDS_TOLD_MAX, SAMPLE_MS, SAMPLE_SMALL, SEEDS_LEAVE,
};
use crate::peer::PeerId;
use crate::record::{Checked, Record, Scope};
use crate::score::Misbehaviour;
use crate::time::Millis;

/// Time that a newly started node gets to sign its own record before it asks a peer, and that a peer gets to read it,
/// milliseconds.
const GREET_MS: u64 = 2_000;

impl Discovery {
    /// Answers a peer that asks for records.
    pub fn answer(&mut self, peer: PeerId, now: Now) -> Vec<Record> {
        let Some(link) = self.links.get(&peer) else { return Vec::new() };
        let (scopes, narrowest) = (link.scopes(), link.scope());
        let (new, tried) = self.book.counts();
        let is_kept = |(at, _): &&(_, Vec<Checked>)| new + tried > SAMPLE_SMALL && now.at.since(*at) < SAMPLE_MS;
        let mut records = match self.samples.get(&narrowest).filter(is_kept) {
            Some((_, kept)) => kept.clone(),
            None => {
                let drawn = self.book.sample(RECORDS_MAX - 1, &scopes, now.unix_s);
                self.samples.insert(narrowest, (now.at, drawn.clone()));
                drawn
            }
        };
        records.extend(self.own.record(narrowest).cloned());
        records.iter().filter(|record| record.peer != peer).map(|record| Record::clone(record)).collect()
    }

    /// Handles records from a peer, requested or unasked. Returns the peer's misbehavior, if any.
    pub fn told(&mut self, peer: PeerId, records: Vec<Record>, asked: bool, now: Now) -> Option<Misbehaviour> {
        let is_answer = asked && self.links.get_mut(&peer).is_some_and(Link::answered);
        for record in records {
            let link = self.links.get_mut(&peer)?;
            if record.peer == self.local || !link.may_bring(&record) {
                continue;
            }
            if !is_answer && !link.takes_one(now.at) {
                break;
            }
            match record.check(&self.setup.pool, now.unix_s) {
                Ok(record) => self.learn(peer, record, is_answer, now),
                Err(error) if error.is_certain() => return Some(Misbehaviour::InvalidItem),
                Err(_) => {}
            }
        }
        None
    }

    /// Adds a verified record from a peer to the book, and forwards it if it is new and fresh.
    pub fn learn(&mut self, peer: PeerId, record: Checked, is_answer: bool, now: Now) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        let is_own = record.peer == peer;
        // Until a node has peers of its own choice, inbound peers must not choose them.
        if link.kind == LinkKind::Inbound && !is_own && self.chosen() < SEEDS_LEAVE {
            return;
        }
        let Some(link) = self.links.get_mut(&peer) else { return };
        if is_own && !link.showed_local && record.scope() != Some(Scope::Public) {
            link.showed_local = true;
            self.tell_own(peer);
        }
        let Some(link) = self.links.get(&peer) else { return };
        let added = self.book.add(record.clone(), link.netgroup(), now.unix_s);
        if let (true, Some(address)) = (is_own && link.kind != LinkKind::Inbound, &link.address) {
            self.book.reached(&peer, address, now.unix_s);
        }
        if is_own && matches!(added, Added::New | Added::Fresher(_)) {
            // It may have restarted, and know no others, although its old connection is still open here.
            self.tell_own(peer);
        }
        let is_new = match added {
            Added::New => true,
            Added::Fresher(after_s) => after_s >= RECORD_RELAY_S,
            Added::Known | Added::NoRoom | Added::Unroutable => false,
        };
        if is_new && !is_answer && now.unix_s.abs_diff(record.signed_at_s) <= RECORD_FRESH_S {
            self.pass_on(&record, peer, now);
        }
    }

    /// Forwards a record to a few peers. The choice stays the same for a day, so that sending a record repeatedly
    /// reaches no more peers.
    fn pass_on(&mut self, record: &Checked, from: PeerId, now: Now) {
        let day = (now.unix_s / 86_400).to_le_bytes();
        let book = &self.book;
        let rank = |to: &PeerId| book.hash(&[&record.peer.0[..], &to.0, &day].concat());
        let mut to: Vec<(u64, PeerId)> = self
            .links
            .iter()
            .filter(|(to, link)| **to != from && **to != record.peer && link.may_be_told(record))
            .map(|(to, _)| (rank(to), *to))
            .collect();
        to.sort_unstable();
        for (_, peer) in to.into_iter().take(RECORD_RELAYS) {
            if let Some(link) = self.links.get_mut(&peer) {
                link.wait(record);
            }
        }
    }

    /// Sends queued records to peers.
    pub(super) fn tell_waiting(&mut self, now: Now) {
        if !self.timers.tell_due(now.at) {
            return;
        }
        for (peer, link) in &mut self.links {
            let count = link.waiting.len().min(RECORDS_TOLD_MAX);
            if count > 0 {
                let told = link.waiting.drain(..count).map(|record| Record::clone(&record)).collect();
                self.outputs.push_back(Output::Tell(*peer, told));
            }
        }
    }

    pub(super) fn ask(&mut self, peer: PeerId) {
        if let Some(link) = self.links.get_mut(&peer) {
            link.is_asked = true;
            link.is_new = false;
            link.greeted_at = None;
            self.outputs.push_back(Output::Ask(peer));
        }
    }

    /// Sends this node's record to peers that it dialed, and asks them once they have read it. A local peer answers
    /// with local records only once it has this node's, so a newly started node signs its record first, and never sends
    /// both requests at once, since they may be read in any order.
    pub(super) fn greet(&mut self, now: Now) {
        let is_late = |since: Millis| now.at.since(since) >= GREET_MS;
        let mut to_tell = Vec::new();
        let mut to_ask = Vec::new();
        for (peer, link) in &mut self.links {
            if link.is_new && link.greet_from <= now.at && self.own.record(link.scope()).is_some() {
                link.is_new = false;
                link.greeted_at = Some(now.at);
                to_tell.push(*peer);
            } else if (link.is_new && is_late(link.greet_from)) || link.greeted_at.is_some_and(is_late) {
                to_ask.push(*peer);
            }
        }
        to_tell.into_iter().for_each(|peer| self.tell_own_now(peer));
        to_ask.into_iter().for_each(|peer| self.ask(peer));
    }

    /// Records that a peer has read the records sent to it.
    pub fn heard(&mut self, peer: PeerId) {
        if self.links.get(&peer).is_some_and(|link| link.greeted_at.is_some()) {
            self.ask(peer);
        }
    }

    /// Records that a peer rejected, or did not answer, a message about records.
    pub fn not_answered(&mut self, peer: PeerId, now: Now) {
        if let Some(link) = self.links.get_mut(&peer) {
            link.not_answered(now.at);
        }
    }

    /// Asks outbound peers in turn.
    pub(super) fn ask_now_and_then(&mut self, now: Now) {
        self.greet(now);
        if !self.timers.ask_due(now.at) {
            return;
        }
        let outbound = self.links.iter().filter(|(_, link)| link.kind != LinkKind::Inbound);
        let outbound: Vec<PeerId> = outbound.map(|(peer, _)| *peer).collect();
        let drawn = self.book.draw(u64::try_from(outbound.len()).unwrap_or(0));
        if let Some(peer) = usize::try_from(drawn).ok().and_then(|drawn| outbound.get(drawn)) {
            self.ask(*peer);
        }
    }
}
