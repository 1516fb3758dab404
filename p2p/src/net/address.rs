//! What a multiaddress says about where it leads.

use std::net::IpAddr;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use p2p_proto::netgroup::{Host, Netgroup};

/// IP address at the beginning of a multiaddress.
pub(super) fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    }
}

/// Host that a direct address leads to. `None` for names and for addresses through a relay.
pub(super) fn host_of(address: &Multiaddr) -> Option<Host> {
    if is_relayed(address) {
        return None;
    }
    if let Some(Protocol::Onion3(onion)) = address.iter().next() {
        return onion.hash().first_chunk().map(|key| Host::Onion(*key));
    }
    ip_of(address).map(Host::of_ip)
}

/// True for an IP address outside the local networks.
pub(super) fn is_public(address: &Multiaddr) -> bool {
    !is_relayed(address) && ip_of(address).is_some_and(|ip| Host::of_ip(ip).netgroup() != Netgroup::Local)
}

/// True for an address through a relay.
pub(super) fn is_relayed(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::P2pCircuit)
}

/// True for a loopback address.
pub(super) fn is_loopback(address: &Multiaddr) -> bool {
    ip_of(address).is_some_and(|ip| ip.is_loopback())
}

/// The address without the peer id at its end.
pub(super) fn without_peer(address: &Multiaddr) -> Multiaddr {
    let mut address = address.clone();
    if matches!(address.iter().last(), Some(Protocol::P2p(_))) {
        address.pop();
    }
    address
}
