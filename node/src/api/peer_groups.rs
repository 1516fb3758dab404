//! Groups of peers with neighboring addresses, without the addresses.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use p2p_proto::netgroup::{Host, Netgroup};

use super::limits::GROUPS_MAX;

/// The groups of addresses seen so far; a group's number is its index plus one.
#[derive(Debug, Default)]
pub(super) struct Groups {
    met: Mutex<Vec<Netgroup>>,
}

impl Groups {
    /// The name of a peer's group. All that it reveals is whether the address is on this machine or the local network.
    pub(super) fn name(&self, address: &str) -> String {
        if address.starts_with("/onion3/") {
            return "onion services".to_owned();
        }
        if address.contains("/p2p-circuit") {
            return "through relays".to_owned();
        }
        let Some(host) = ip_of(address).map(Host::of_ip) else { return "address not known".to_owned() };
        if host.is_loopback() {
            return "this machine".to_owned();
        }
        let netgroup = host.netgroup();
        let family = match netgroup {
            Netgroup::Local => return "local network".to_owned(),
            Netgroup::Onion(_) => return "onion services".to_owned(),
            Netgroup::Ip4(_) => "IPv4",
            Netgroup::Ip6(_) => "IPv6",
        };
        // The list is consistent at any time, even after a panic.
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let number = met.iter().position(|known| *known == netgroup).unwrap_or_else(|| {
            if met.len() < GROUPS_MAX {
                met.push(netgroup);
            }
            met.len() - 1
        });
        format!("{family} group {}", number + 1)
    }
}

/// The IP address in a multiaddr such as `/ip4/192.0.2.1/tcp/4001`.
fn ip_of(address: &str) -> Option<IpAddr> {
    let mut parts = address.split('/').skip(1);
    let is_ip = matches!(parts.next()?, "ip4" | "ip6");
    parts.next()?.parse().ok().filter(|_| is_ip)
}
