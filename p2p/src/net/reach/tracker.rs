//! Tracks the addresses at which other nodes reach this one, and decides which relays to use. Pure.
//!
//! A peer can claim that it reached this node at an address. The claim counts only if this node had asked the peer, and
//! a direct connection from it has opened since. Peers count by netgroup.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;

use libp2p::Multiaddr;
use libp2p::core::transport::ListenerId;
use libp2p::swarm::ConnectionId;

use crate::net::address::{in_record, is_public, without_peer};
use crate::net::gate::{host_of, ip_of};
use p2p_proto::discovery::OwnSource;
use p2p_proto::limits::{
    CONFIRMED_MAX, CONFIRMED_MS, DIAL_BACK_PERIOD_MS, OBSERVED_PER_NETGROUP_MAX, OBSERVERS_MAX, RELAY_PAUSE_MS,
    RELAY_WAIT_MS, RELAYS_MAX,
};
use p2p_proto::netgroup::Netgroup;
use p2p_proto::record::Address;
use p2p_proto::{Millis, PeerId};

/// Evidence that an address leads to this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Peers connected to it on request.
    DialedBack {
        /// Number of netgroups.
        netgroups: usize,
    },
    /// The router claims to forward the port (UPnP).
    Mapped,
    /// A relay keeps a place for this node.
    Relay(PeerId),
    /// An onion service of this node.
    Onion,
}

/// An address at which other nodes reach this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAddress {
    /// The multiaddress.
    pub address: String,
    /// The evidence.
    pub how: How,
}

/// How other nodes reach this one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reachability {
    /// Own addresses, the best known first.
    pub addresses: Vec<OwnAddress>,
    /// Number of netgroups whose peers could not connect to this node on request.
    pub unreached_netgroups: usize,
    /// True if this node is a relay for others.
    pub is_relay: bool,
}

/// A dial-back that was requested.
#[derive(Clone, Debug)]
struct Asked {
    at: Millis,
    /// The direct connection that came from the peer since.
    came: Option<(ConnectionId, Netgroup)>,
    /// The address that the peer says it used.
    said: Option<Multiaddr>,
}

/// A successful dial-back. Its connection has served its purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::net) struct Confirmed {
    pub(in crate::net) address: Multiaddr,
    pub(in crate::net) connection: ConnectionId,
}

/// A place with a relay.
#[derive(Clone, Debug)]
struct Place {
    relay: PeerId,
    netgroup: Netgroup,
    address: Option<Multiaddr>,
}

/// State about this node's own addresses.
#[derive(Debug, Default)]
pub(in crate::net) struct Tracker {
    /// Own addresses by who reported them.
    observed: BTreeMap<Netgroup, Vec<Multiaddr>>,
    asked: BTreeMap<PeerId, Asked>,
    confirmed: BTreeMap<Multiaddr, BTreeMap<Netgroup, Millis>>,
    unreached: BTreeMap<Netgroup, Millis>,
    mapped: BTreeSet<Multiaddr>,
    onion: Option<String>,
    /// Connected peers that are relays, and their addresses.
    offers: BTreeMap<PeerId, Multiaddr>,
    places: HashMap<ListenerId, Place>,
    pause_until: Millis,
}

impl Tracker {
    /// A peer that this node dialed reports the address that it sees. Returns it if it is worth testing.
    pub(in crate::net) fn observed(&mut self, observer: Netgroup, address: &Multiaddr) -> Option<Multiaddr> {
        if !is_public(address) || observer == Netgroup::Local {
            return None;
        }
        if !self.observed.contains_key(&observer) && self.observed.len() >= OBSERVERS_MAX {
            self.observed.pop_first();
        }
        let known = self.observed.entry(observer).or_default();
        let is_new = !known.contains(address);
        known.retain(|other| other != address);
        if known.len() >= OBSERVED_PER_NETGROUP_MAX {
            known.remove(0);
        }
        known.push(address.clone());
        is_new.then(|| address.clone())
    }

    /// A dial-back is requested from a peer.
    pub(in crate::net) fn asked(&mut self, peer: PeerId, now: Millis) {
        self.asked.insert(peer, Asked { at: now, came: None, said: None });
    }

    /// A direct connection from a peer opened.
    pub(in crate::net) fn came(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        from: &Multiaddr,
        now: Millis,
    ) -> Option<Confirmed> {
        let netgroup = host_of(from).map(|host| host.netgroup()).filter(|netgroup| *netgroup != Netgroup::Local)?;
        self.asked.get_mut(&peer)?.came = Some((connection, netgroup));
        self.confirm(peer, now)
    }

    /// A peer says that it reached this node.
    pub(in crate::net) fn said(&mut self, peer: PeerId, address: &Multiaddr, now: Millis) -> Option<Confirmed> {
        self.asked.get_mut(&peer)?.said = Some(without_peer(address));
        self.confirm(peer, now)
    }

    /// A peer says that it did not reach this node.
    pub(in crate::net) fn not_reached(&mut self, peer: PeerId, netgroup: Option<Netgroup>, now: Millis) {
        if self.asked.remove(&peer).is_some()
            && let Some(netgroup) = netgroup
        {
            for confirmed in self.confirmed.values_mut() {
                confirmed.remove(&netgroup);
            }
            self.confirmed.retain(|_, by| !by.is_empty());
            self.unreached.insert(netgroup, now);
        }
    }

    fn confirm(&mut self, peer: PeerId, now: Millis) -> Option<Confirmed> {
        let Asked { came: Some((connection, netgroup)), said: Some(address), .. } = self.asked.get(&peer)?.clone()
        else {
            return None;
        };
        self.asked.remove(&peer);
        self.unreached.remove(&netgroup);
        let believable = ip_of(&address).is_some_and(|ip| self.is_seen(ip)) && is_public(&address);
        let room = self.confirmed.len() < CONFIRMED_MAX || self.confirmed.contains_key(&address);
        if believable && room {
            self.confirmed.entry(address.clone()).or_default().insert(netgroup, now);
        }
        Some(Confirmed { address, connection })
    }

    /// True unless most peers that report an own address of this family report other ones.
    fn is_seen(&self, ip: IpAddr) -> bool {
        let family = |other: &IpAddr| other.is_ipv4() == ip.is_ipv4();
        let reports =
            self.observed.values().map(|seen| seen.iter().filter_map(ip_of).filter(family).collect::<Vec<_>>());
        let (same, all) = reports
            .filter(|seen| !seen.is_empty())
            .fold((0, 0), |(same, all), seen| (same + usize::from(seen.contains(&ip)), all + 1));
        2 * same >= all
    }

    /// The router maps a port, or no longer does.
    pub(in crate::net) fn mapped(&mut self, address: Multiaddr, is_mapped: bool) {
        if !is_mapped {
            self.mapped.remove(&address);
        } else if self.mapped.len() < CONFIRMED_MAX {
            self.mapped.insert(address);
        }
    }

    /// The node's onion service has an address.
    pub(in crate::net) fn onion(&mut self, address: String) {
        self.onion = Some(address);
    }

    /// A connected peer is a relay, at the address that this node dialed.
    pub(in crate::net) fn offers(&mut self, relay: PeerId, address: Multiaddr) {
        if is_public(&address) {
            self.offers.insert(relay, address);
        }
    }

    /// A peer is gone.
    pub(in crate::net) fn gone(&mut self, peer: PeerId) {
        self.offers.remove(&peer);
        self.asked.remove(&peer);
    }

    /// True if a peer has connected to this node from outside.
    pub(in crate::net) fn is_public(&self) -> bool {
        !self.confirmed.is_empty()
    }

    /// Own addresses for the node's record, by source.
    pub(in crate::net) fn for_record(&self) -> [(OwnSource, Vec<Address>); 4] {
        let mut relayed: Vec<Address> =
            self.places.values().filter_map(|place| in_record(place.address.as_ref()?)).collect();
        relayed.sort_unstable();
        let onion = self.onion.iter().filter_map(|text| in_record(&text.parse().ok()?)).collect();
        [
            (OwnSource::DialedBack, self.confirmed.keys().filter_map(in_record).collect()),
            (OwnSource::Mapped, self.mapped.iter().filter_map(in_record).collect()),
            (OwnSource::Onion, onion),
            (OwnSource::Relayed, relayed),
        ]
    }

    /// The relay at which to reserve a place now, if any, and its address.
    pub(in crate::net) fn wants_relay(&mut self, now: Millis) -> Option<(PeerId, Multiaddr)> {
        let hidden = !self.unreached.is_empty() || now >= Millis(RELAY_WAIT_MS);
        if self.is_public() || !hidden || now < self.pause_until || self.places.len() >= RELAYS_MAX {
            return None;
        }
        let used: BTreeSet<Netgroup> = self.places.values().map(|place| place.netgroup).collect();
        let free = |address: &Multiaddr| host_of(address).is_some_and(|host| !used.contains(&host.netgroup()));
        let (relay, address) = self.offers.iter().find(|(_, address)| free(address))?;
        Some((*relay, address.clone()))
    }

    /// A place with a relay is requested.
    pub(in crate::net) fn reserving(&mut self, listener: ListenerId, relay: PeerId, address: &Multiaddr) {
        if let Some(host) = host_of(address) {
            self.places.insert(listener, Place { relay, netgroup: host.netgroup(), address: None });
        }
    }

    /// A relay granted a place. False if the listener does not belong to a relay.
    pub(in crate::net) fn reserved(&mut self, listener: ListenerId, address: &Multiaddr) -> bool {
        let place = self.places.get_mut(&listener);
        place.map(|place| place.address = Some(address.clone())).is_some()
    }

    /// A place was lost or refused. False if the listener does not belong to a relay.
    pub(in crate::net) fn closed(&mut self, listener: ListenerId, now: Millis) -> bool {
        let Some(place) = self.places.remove(&listener) else { return false };
        // Another relay is tried first.
        self.offers.remove(&place.relay);
        self.pause_until = now.plus(RELAY_PAUSE_MS);
        true
    }

    /// Places that are no longer needed, because the node has a public address.
    pub(in crate::net) fn needless(&self) -> Vec<ListenerId> {
        if self.is_public() { self.places.keys().copied().collect() } else { Vec::new() }
    }

    /// Drops old entries.
    pub(in crate::net) fn tick(&mut self, now: Millis) {
        self.asked.retain(|_, asked| now.since(asked.at) < DIAL_BACK_PERIOD_MS);
        self.unreached.retain(|_, at| now.since(*at) < CONFIRMED_MS);
        for confirmed in self.confirmed.values_mut() {
            confirmed.retain(|_, at| now.since(*at) < CONFIRMED_MS);
        }
        self.confirmed.retain(|_, by| !by.is_empty());
    }

    /// The current state.
    pub(in crate::net) fn shown(&self, is_relay: bool) -> Reachability {
        let own = |address: &Multiaddr, how| OwnAddress { address: address.to_string(), how };
        let mut confirmed: Vec<_> = self.confirmed.iter().map(|(address, by)| (by.len(), address)).collect();
        confirmed.sort_by(|a, b| b.cmp(a));
        let mut addresses: Vec<OwnAddress> =
            confirmed.into_iter().map(|(netgroups, address)| own(address, How::DialedBack { netgroups })).collect();
        let only_mapped = self.mapped.iter().filter(|address| !self.confirmed.contains_key(address));
        addresses.extend(only_mapped.map(|address| own(address, How::Mapped)));
        addresses.extend(self.onion.iter().map(|address| OwnAddress { address: address.clone(), how: How::Onion }));
        let places = self.places.values().filter_map(|place| Some((place.relay, place.address.as_ref()?)));
        addresses.extend(places.map(|(relay, address)| own(address, How::Relay(relay))));
        Reachability { addresses, unreached_netgroups: self.unreached.len(), is_relay }
    }
}

#[cfg(test)]
mod tests;
