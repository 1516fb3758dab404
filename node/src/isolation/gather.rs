//! Reads peers into facts.

use std::net::IpAddr;

use node_core::isolation::PeerFact;
use p2p_proto::netgroup::{Host, Netgroup};

use crate::state::PeerView;

pub(super) fn peer(peer: &PeerView) -> PeerFact {
    PeerFact {
        outbound: !peer.inbound,
        answers: peer.height.is_some(),
        netgroup: netgroup(&peer.address),
        bitcoin_height: peer.bitcoin_height,
        newer: peer.agent.as_deref().and_then(version).is_some_and(|theirs| Some(theirs) > own_version()),
    }
}

/// Netgroup of a multiaddr with an IP address in front; none for any other.
fn netgroup(address: &str) -> Option<Netgroup> {
    let mut parts = address.split('/').skip(1);
    match parts.next()? {
        "ip4" | "ip6" => parts.next()?.parse::<IpAddr>().ok().map(|ip| Host::of_ip(ip).netgroup()),
        _ => None,
    }
}

/// Major, minor and patch of `shoal/1.2.3`.
fn version(agent: &str) -> Option<[u32; 3]> {
    let mut parts = agent.strip_prefix("shoal/")?.splitn(3, '.').map(|part| part.parse().ok());
    Some([parts.next()??, parts.next()??, parts.next()??])
}

fn own_version() -> Option<[u32; 3]> {
    version(concat!("shoal/", env!("CARGO_PKG_VERSION")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn netgroups_and_versions_are_read_from_what_peers_show() {
        let local = netgroup("/ip4/127.0.0.1/tcp/3381");
        assert!(local.is_some() && local == netgroup("/ip6/::1/udp/1/quic-v1"));
        assert_eq!(netgroup("/ip4/8.8.1.1/tcp/1"), netgroup("/ip4/8.8.2.2/udp/1/quic-v1"));
        assert_ne!(netgroup("/ip4/8.8.1.1/tcp/1"), netgroup("/ip4/8.9.1.1/tcp/1"));
        for other in ["", "/", "/ip4", "/ip4/x", "/dns4/example.org/tcp/1", "/onion3/abc:1"] {
            assert_eq!(netgroup(other), None, "{other}");
        }
        assert_eq!(version("shoal/1.20.3"), Some([1, 20, 3]));
        for other in ["", "shoal/", "shoal/1.2", "shoal/1.2.x", "other/9.9.9", "shoal/1.2.3-rc1", "shoal/1.2.3.4"] {
            assert_eq!(version(other), None, "{other}");
        }
    }
}
