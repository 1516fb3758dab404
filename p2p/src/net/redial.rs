//! ConnectedPeers to stay connected with: when to dial them again. Pure; the task does the dialling.

use std::collections::BTreeMap;

use libp2p::Multiaddr;

use p2p_proto::limits::{EXPLICIT_PEERS_MAX, MDNS_PEERS_MAX, REDIAL_MS, REDIAL_MS_MAX, REDIAL_STABLE_MS};
use p2p_proto::{Millis, PeerId};

/// Where an address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The operator.
    Explicit,
    /// The local network; forgotten when it is not announced any more.
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

/// The addresses and how they fare.
#[derive(Debug, Default)]
pub(super) struct Redial {
    by_address: BTreeMap<Multiaddr, Entry>,
}

impl Redial {
    /// Adds an address; false when there are too many.
    pub(super) fn add(&mut self, address: Multiaddr, peer: Option<PeerId>, source: Source, now: Millis) -> bool {
        let max = match source {
            Source::Explicit => EXPLICIT_PEERS_MAX,
            Source::Mdns => MDNS_PEERS_MAX,
        };
        let count = self.by_address.values().filter(|entry| entry.source == source).count();
        if self.by_address.contains_key(&address) {
            return true;
        }
        if count >= max {
            return false;
        }
        let entry = Entry { source, peer, failures: 0, next_at: now, dialling: false, connected_at: None };
        self.by_address.insert(address, entry);
        true
    }

    /// An announcement expired.
    pub(super) fn expire(&mut self, address: &Multiaddr) {
        if self.by_address.get(address).is_some_and(|entry| entry.source == Source::Mdns) {
            self.by_address.remove(address);
        }
    }

    /// The address is this node's own.
    pub(super) fn remove(&mut self, address: &Multiaddr) {
        self.by_address.remove(address);
    }

    /// Addresses to dial now; one of each peer.
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

    /// A dial succeeded.
    pub(super) fn connected(&mut self, address: &Multiaddr, peer: PeerId, now: Millis) {
        if let Some(entry) = self.by_address.get_mut(address) {
            entry.peer = Some(peer);
            entry.dialling = false;
            entry.connected_at = Some(now);
        }
    }

    /// A dial failed.
    pub(super) fn failed(&mut self, address: &Multiaddr, now: Millis) {
        if let Some(entry) = self.by_address.get_mut(address) {
            entry.pause(now);
        }
    }

    /// The last connection with a peer ended. When it had lasted, the next pause is short.
    pub(super) fn lost(&mut self, peer: PeerId, now: Millis) {
        for entry in self.by_address.values_mut().filter(|entry| entry.peer == Some(peer) && !entry.dialling) {
            if entry.connected_at.is_none_or(|since| now.since(since) >= REDIAL_STABLE_MS) {
                entry.failures = 0;
            }
            entry.pause(now);
        }
    }

    /// A peer may be connected again: no need to wait.
    pub(super) fn hasten(&mut self, peer: PeerId, now: Millis) {
        for entry in self.by_address.values_mut().filter(|entry| entry.peer == Some(peer)) {
            entry.failures = 0;
            entry.next_at = now;
        }
    }
}

#[cfg(test)]
mod tests;
