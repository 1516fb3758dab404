//! Properties of a multiaddress.

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use super::gate::host_of;
use p2p_proto::netgroup::{Host, Netgroup};
use p2p_proto::record::Address;

/// True for an IP address outside the local networks.
pub(super) fn is_public(address: &Multiaddr) -> bool {
    host_of(address).is_some_and(|host| !matches!(host, Host::Onion(_)) && host.netgroup() != Netgroup::Local)
}

/// True for an address through a relay.
pub(super) fn is_relayed(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::P2pCircuit)
}

/// True for a loopback address.
pub(super) fn is_loopback(address: &Multiaddr) -> bool {
    host_of(address).is_some_and(|host| host.is_loopback())
}

/// The address without the peer id at its end.
pub(super) fn without_peer(address: &Multiaddr) -> Multiaddr {
    let mut address = address.clone();
    if matches!(address.iter().last(), Some(Protocol::P2p(_))) {
        address.pop();
    }
    address
}

/// The address in a record's form, without the peer id at its end. `None` if a record cannot have it.
pub(super) fn in_record(address: &Multiaddr) -> Option<Address> {
    Address::parse(&address.to_string()).map(|(address, _)| address)
}
