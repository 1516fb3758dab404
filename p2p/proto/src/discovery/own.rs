//! This node's own addresses from all sources, and its record.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::{Discovery, LinkKind, Now, Output};
use crate::limits::{OBSERVED_MAX, OBSERVERS_MIN, RECORD_ADDRESSES_MAX, RECORD_LIFE_S_MAX, RECORD_RENEW_MS};
use crate::netgroup::Netgroup;
use crate::peer::PeerId;
use crate::record::{Address, Checked, Record, Scope};

/// Source of an address of this node. Addresses of earlier sources come first in its record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum OwnSource {
    /// The operator configured it.
    Configured,
    /// Peers connected to it on request.
    DialedBack,
    /// The router forwards it to this node.
    Mapped,
    /// This node listens there.
    Listening,
    /// Outbound peers see this node there, and a peer connected to another port.
    Observed,
    /// This node's onion service.
    Onion,
    /// A relay passes connections on.
    Relayed,
}

/// The addresses.
#[derive(Clone, Debug, Default)]
pub struct OwnAddresses {
    by_source: BTreeMap<OwnSource, Vec<Address>>,
    /// The netgroups of the outbound peers that see this node at an IP address.
    observers: BTreeMap<IpAddr, BTreeSet<Netgroup>>,
    /// True if only the onion service may be announced.
    is_hidden: bool,
    is_changed: bool,
    records: BTreeMap<Scope, Checked>,
    renewed_at: Option<crate::time::Millis>,
    last_signed_s: u64,
}

impl OwnAddresses {
    /// Replaces all addresses from one source.
    pub fn set(&mut self, source: OwnSource, addresses: Vec<Address>) {
        if self.by_source.get(&source).map_or(&[][..], Vec::as_slice) != addresses {
            self.by_source.insert(source, addresses);
            self.is_changed = true;
        }
    }

    /// Adds an address from one source.
    pub fn add(&mut self, source: OwnSource, address: Address) {
        let known = self.by_source.entry(source).or_default();
        if !known.contains(&address) && known.len() < 4 * RECORD_ADDRESSES_MAX {
            known.push(address);
            self.is_changed = true;
        }
    }

    /// Removes an address from one source.
    pub fn remove(&mut self, source: OwnSource, address: &Address) {
        if let Some(known) = self.by_source.get_mut(&source) {
            let before = known.len();
            known.retain(|other| other != address);
            self.is_changed |= known.len() < before;
        }
    }

    /// Records that an outbound peer sees this node at an IP address. The node announces it once [`OBSERVERS_MIN`]
    /// netgroups agree, and a dial-back has reached it.
    pub fn observed(&mut self, ip: IpAddr, by: Netgroup) {
        if !self.observers.contains_key(&ip) && self.observers.len() >= OBSERVED_MAX {
            self.observers.pop_first();
        }
        let observers = self.observers.entry(ip).or_default();
        if by != Netgroup::Local && observers.len() < OBSERVERS_MIN && observers.insert(by) {
            self.is_changed |= observers.len() == OBSERVERS_MIN;
        }
    }

    /// From now on, announces only the onion service.
    pub fn hide(&mut self) {
        self.is_changed |= !self.is_hidden;
        self.is_hidden = true;
    }

    /// The addresses that peers see and agree on, with the ports that this node listens on for other machines. A peer
    /// must have connected to this node there on request: behind a router, the address that peers see leads nowhere.
    fn confirmed(&self) -> Vec<Address> {
        let listening = self.by_source.get(&OwnSource::Listening).map_or(&[][..], Vec::as_slice);
        let dialed_back = self.by_source.get(&OwnSource::DialedBack).map_or(&[][..], Vec::as_slice);
        let counts = |ip: &IpAddr| !self.is_hidden && dialed_back.iter().any(|address| address.ip() == Some(*ip));
        let agreed = self.observers.iter().filter(|(ip, by)| by.len() >= OBSERVERS_MIN && counts(ip));
        let mut out = Vec::new();
        for (ip, _) in agreed {
            let fits = |own: &&Address| {
                own.scope() != Some(Scope::Loopback) && own.ip().is_some_and(|own| own.is_ipv4() == ip.is_ipv4())
            };
            for own in listening.iter().filter(fits) {
                let address = Address::of_ip(*ip, own.port, own.transport);
                if !out.contains(&address) {
                    out.push(address);
                }
            }
        }
        out
    }

    /// The addresses of these scopes, from all sources, the best first, at most [`RECORD_ADDRESSES_MAX`].
    #[must_use]
    pub fn list(&self, scopes: &[Scope]) -> Vec<Address> {
        let observed = self.confirmed();
        let told = |source: &OwnSource| !self.is_hidden || *source == OwnSource::Onion;
        let of =
            |source: OwnSource| self.by_source.get(&source).filter(|_| told(&source)).into_iter().flatten().copied();
        let sources = [OwnSource::Configured, OwnSource::DialedBack, OwnSource::Mapped, OwnSource::Listening];
        let sources = sources.into_iter().flat_map(of);
        let rest = [OwnSource::Onion, OwnSource::Relayed].into_iter().flat_map(of);
        let mut out: Vec<Address> = Vec::new();
        for address in sources.chain(observed).chain(rest) {
            let told = address.scope().is_some_and(|scope| scopes.contains(&scope));
            if told && !out.contains(&address) && out.len() < RECORD_ADDRESSES_MAX {
                out.push(address);
            }
        }
        out
    }

    /// True if the address is one of this node's.
    #[must_use]
    pub fn has(&self, address: &Address) -> bool {
        self.by_source.values().flatten().any(|own| own == address)
    }

    /// The record for peers that may know this scope and the public one.
    pub(super) fn record(&self, scope: Scope) -> Option<&Checked> {
        self.records.get(&scope)
    }
}

impl Discovery {
    /// Signs this node's records again if its addresses have changed, or it is time, and queues them for all peers.
    pub(super) fn renew_own(&mut self, now: Now) {
        let is_due = self.own.renewed_at.is_none_or(|at| now.at.since(at) >= RECORD_RENEW_MS);
        if !self.own.is_changed && !is_due {
            return;
        }
        self.own.is_changed = false;
        self.own.renewed_at = Some(now.at);
        let first_s = now.unix_s.max(self.own.last_signed_s + 1);
        // A local peer should keep the record with local addresses.
        for (later_s, scope) in [(0, Scope::Public), (1, Scope::Private), (2, Scope::Loopback)] {
            let signed_at_s = first_s + later_s;
            self.own.last_signed_s = signed_at_s;
            let addresses = self.own.list(&[scope, Scope::Public]);
            let setup = &self.setup;
            let times = (signed_at_s, RECORD_LIFE_S_MAX);
            match Record::sign(&setup.key, setup.pool, &addresses, &setup.user_agent, times) {
                Some(record) => self.own.records.insert(scope, record),
                None => self.own.records.remove(&scope),
            };
        }
        for peer in self.links.keys().copied().collect::<Vec<_>>() {
            self.tell_own(peer);
        }
    }

    /// Queues this node's record for a peer.
    pub(super) fn tell_own(&mut self, peer: PeerId) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        if let Some(record) = self.own.record(link.scope()) {
            link.wait(record);
        }
    }

    /// Sends this node's record to a peer immediately.
    pub(super) fn tell_own_now(&mut self, peer: PeerId) {
        let Some(link) = self.links.get(&peer) else { return };
        if let Some(record) = self.own.record(link.scope()) {
            self.outputs.push_back(Output::Tell(peer, vec![Record::clone(record)]));
        }
    }

    /// Records where a peer sees this node.
    pub fn observed(&mut self, ip: IpAddr, by: PeerId) {
        if let Some(link) = self.links.get(&by).filter(|link| link.kind != LinkKind::Inbound) {
            self.own.observed(ip, link.netgroup());
        }
    }
}
