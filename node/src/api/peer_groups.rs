//! Groups of peers with neighboring addresses, without the addresses.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use super::limits::GROUPS_MAX;

/// The groups of addresses seen so far; a group's number is its index plus one.
#[derive(Debug, Default)]
pub(super) struct Groups {
    met: Mutex<Vec<String>>,
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
        let Some((family, ip)) = ip_of(address) else { return "address not known".to_owned() };
        let near = match ip {
            IpAddr::V4(ip) if ip.is_loopback() => Some("this machine"),
            IpAddr::V6(ip) if ip.is_loopback() => Some("this machine"),
            IpAddr::V4(ip) if ip.is_private() || ip.is_link_local() => Some("local network"),
            IpAddr::V6(ip) if ip.is_unique_local() || ip.is_unicast_link_local() => Some("local network"),
            _ => None,
        };
        if let Some(near) = near {
            return near.to_owned();
        }
        let neighbours = neighbours(ip);
        // The list is consistent at any time, even after a panic.
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let number = met.iter().position(|known| *known == neighbours).unwrap_or_else(|| {
            if met.len() < GROUPS_MAX {
                met.push(neighbours);
            }
            met.len() - 1
        });
        format!("{family} group {}", number + 1)
    }
}

/// The address in a multiaddr such as `/ip4/192.0.2.1/tcp/4001`.
fn ip_of(address: &str) -> Option<(&'static str, IpAddr)> {
    let mut parts = address.split('/').skip(1);
    let family = match parts.next()? {
        "ip4" => "IPv4",
        "ip6" => "IPv6",
        _ => return None,
    };
    Some((family, parts.next()?.parse().ok()?))
}

/// The prefix that neighboring addresses share: 16 bits of IPv4, 32 of IPv6, as Bitcoin nodes group them.
fn neighbours(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            format!("{a}.{b}")
        }
        IpAddr::V6(ip) => {
            let [a, b, ..] = ip.segments();
            format!("{a:x}:{b:x}")
        }
    }
}
