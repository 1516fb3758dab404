//! Decides when to dial peers again. It is pure: the task does the dialing.

use std::collections::BTreeMap;

use libp2p::Multiaddr;

use super::gate::ip_of;

use p2p_proto::limits::{EXPLICIT_PEERS_MAX, MDNS_PEERS_MAX, REDIAL_MS, REDIAL_MS_MAX, REDIAL_STABLE_MS};
use p2p_proto::prefix::Prefix;
use p2p_proto::{Millis, PeerId};

/// Origin of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The operator configured it.
    Explicit,
    /// mDNS announced it in the local network. It is dropped when the announcement expires.
    Mdns,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    source: Source,
    peer: Option<PeerId>,
    failures: u32,
    next_at: Millis,
    dialling: bool,
    connected_at: Option<Millis>,
}

impl Entry {
    fn pause(&mut self, now: Millis) {
        let pause_ms = REDIAL_MS.checked_shl(self.failures.min(32)).unwrap_or(u64::MAX).min(REDIAL_MS_MAX);
        self.failures = self.failures.saturating_add(1);
        self.next_at = now.plus(pause_ms);
        self.dialling = false;
        self.connected_at = None;
    }
}

/// Addresses to stay connected with, and the state of each.
#[derive(Debug, Default)]
pub(super) struct Redial {
    by_address: BTreeMap<Multiaddr, Entry>,
}

impl Redial {
    /// Adds an address. Returns false if there are too many.
    pub(super) fn add(&mut self, address: Multiaddr, peer: Option<PeerId>, source: Source, now: Millis) -> bool {
        let max = match source {
            Source::Explicit => EXPLICIT_PEERS_MAX,
            Source::Mdns => MDNS_PEERS_MAX,
        };
        let count = self.by_address.values().filter(|entry| entry.source == source).count();
        if let Some(known) = self.by_address.get_mut(&address) {
            // Addresses that the operator named do not expire.
            if source == Source::Explicit && (known.source == source || count < max) {
                known.source = source;
            }
            return source == Source::Mdns || known.source == source;
        }
        if count >= max {
            return false;
        }
        let entry = Entry { source, peer, failures: 0, next_at: now, dialling: false, connected_at: None };
        self.by_address.insert(address, entry);
        true
    }

    /// Removes an address whose mDNS announcement expired.
    pub(super) fn expire(&mut self, address: &Multiaddr) {
        if self.by_address.get(address).is_some_and(|entry| entry.source == Source::Mdns) {
            self.by_address.remove(address);
        }
    }

    /// Removes an address that turned out to be this node's.
    pub(super) fn remove(&mut self, address: &Multiaddr) {
        self.by_address.remove(address);
    }

    /// Removes an address that the operator named. Returns the peer there, if known; `None` if there is no such
    /// address.
    pub(super) fn remove_explicit(&mut self, address: &Multiaddr) -> Option<Option<PeerId>> {
        self.by_address.get(address).filter(|entry| entry.source == Source::Explicit)?;
        self.by_address.remove(address).map(|entry| entry.peer)
    }

    /// Addresses that the operator named, and whether the peers there are connected.
    pub(super) fn explicit(&self, is_connected: impl Fn(PeerId) -> bool) -> impl Iterator<Item = (&Multiaddr, bool)> {
        let named = self.by_address.iter().filter(|(_, entry)| entry.source == Source::Explicit);
        named.map(move |(address, entry)| (address, entry.peer.is_some_and(&is_connected)))
    }

    /// Addresses to dial now, at most one per peer.
    pub(super) fn due(
        &mut self,
        now: Millis,
        is_connected: impl Fn(PeerId) -> bool,
    ) -> Vec<(Multiaddr, Option<PeerId>)> {
        let mut due: Vec<(Multiaddr, Option<PeerId>)> = Vec::new();
        for (address, entry) in &mut self.by_address {
            let busy = entry.dialling || entry.next_at > now || entry.peer.is_some_and(&is_connected);
            let twice = entry.peer.is_some() && due.iter().any(|(_, peer)| *peer == entry.peer);
            if !busy && !twice {
                entry.dialling = true;
                due.push((address.clone(), entry.peer));
            }
        }
        due
    }

    /// Records a successful dial.
    pub(super) fn connected(&mut self, address: &Multiaddr, peer: PeerId, now: Millis) {
        if let Some(entry) = self.by_address.get_mut(address) {
            entry.peer = Some(peer);
            entry.dialling = false;
            entry.connected_at = Some(now);
        }
    }

    /// Records a failed dial.
    pub(super) fn failed(&mut self, address: &Multiaddr, now: Millis) {
        if let Some(entry) = self.by_address.get_mut(address) {
            entry.pause(now);
        }
    }

    /// Records that the last connection with a peer closed. If it lasted long enough, the next pause is short.
    pub(super) fn lost(&mut self, peer: PeerId, now: Millis) {
        for entry in self.by_address.values_mut().filter(|entry| entry.peer == Some(peer) && !entry.dialling) {
            if entry.connected_at.is_none_or(|since| now.since(since) >= REDIAL_STABLE_MS) {
                entry.failures = 0;
            }
            entry.pause(now);
        }
    }

    /// True if the operator configured the peer.
    pub(super) fn is_explicit(&self, peer: PeerId) -> bool {
        self.by_address.values().any(|entry| entry.source == Source::Explicit && entry.peer == Some(peer))
    }

    /// A configured address within a range, if there is one.
    pub(super) fn explicit_in(&self, range: Prefix) -> Option<String> {
        let explicit = self.by_address.iter().filter(|(_, entry)| entry.source == Source::Explicit);
        let inside = |address: &Multiaddr| ip_of(address).is_some_and(|ip| range.contains(ip));
        explicit.map(|(address, _)| address).find(|address| inside(address)).map(Multiaddr::to_string)
    }

    /// Makes a peer that is no longer blocked due for an immediate dial.
    pub(super) fn hasten(&mut self, peer: PeerId, now: Millis) {
        for entry in self.by_address.values_mut().filter(|entry| entry.peer == Some(peer)) {
            entry.failures = 0;
            entry.next_at = now;
        }
    }
}

#[cfg(test)]
mod tests;
