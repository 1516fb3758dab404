//! The parts of a peer's address that cost money: its [`Host`] and its [`Netgroup`].
//!
//! Identities are free, so limits apply to addresses. One machine owns a whole IPv6 /64, and one provider hands out
//! whole netgroups. The prefixes are those of Bitcoin Core's `NetGroupManager::GetGroup` without an AS map.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The unit that one machine can own: an IPv4 address, an IPv6 /64, or the key of an onion service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// An IPv4 address, or the IPv4 address that an IPv6 address stands for.
    Ip4(Ipv4Addr),
    /// First 64 bits of an IPv6 address.
    Ip6([u8; 8]),
    /// Public key of an onion service, version 3. Keys are free, so only [`Netgroup`] limits them.
    Onion([u8; 32]),
}

/// The unit that one provider can own: an IPv4 /16, an IPv6 /32, a sixteenth of the onion services, or the local
/// networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Netgroup {
    /// Loopback, private, link-local and unspecified addresses, all in one group.
    Local,
    /// First 16 bits of an IPv4 address.
    Ip4([u8; 2]),
    /// First 32 bits of an IPv6 address.
    Ip6([u8; 4]),
    /// First four bits of an onion service's key.
    Onion(u8),
}

/// The IPv4 address that an IPv6 address stands for: mapped (RFC 4291), NAT64 (RFC 6052), 6to4 (RFC 3056) or Teredo
/// (RFC 4380, inverted).
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let bytes = ip.octets();
    let at = |from: usize| {
        let part = bytes.get(from..from + 4).and_then(|part| <[u8; 4]>::try_from(part).ok());
        part.map(Ipv4Addr::from)
    };
    if let Some(mapped) = ip.to_ipv4_mapped() {
        Some(mapped)
    } else if bytes.starts_with(&[0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]) {
        at(12)
    } else if bytes.starts_with(&[0x20, 0x02]) {
        at(2)
    } else if bytes.starts_with(&[0x20, 0x01, 0, 0]) {
        at(12).map(|ip| Ipv4Addr::from(!u32::from(ip)))
    } else {
        None
    }
}

impl Host {
    /// Host of an IP address.
    #[must_use]
    pub fn of_ip(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(ip) => Self::Ip4(ip),
            IpAddr::V6(Ipv6Addr::LOCALHOST) => Self::Ip4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) => match embedded(ip) {
                Some(ip) => Self::Ip4(ip),
                None => {
                    let [a, b, c, d, e, f, g, h, ..] = ip.octets();
                    Self::Ip6([a, b, c, d, e, f, g, h])
                }
            },
        }
    }

    /// True for loopback, where all of the operator's programs and every proxy share an address.
    #[must_use]
    pub const fn is_loopback(&self) -> bool {
        matches!(self, Self::Ip4(ip) if ip.is_loopback())
    }

    /// Netgroup of the host.
    #[must_use]
    pub fn netgroup(&self) -> Netgroup {
        match *self {
            Self::Ip4(ip) if ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_unspecified() => {
                Netgroup::Local
            }
            Self::Ip4(ip) => {
                let [a, b, ..] = ip.octets();
                Netgroup::Ip4([a, b])
            }
            // fc00::/7, unique local (RFC 4193); fe80::/10, link-local; ::/64, unspecified.
            Self::Ip6([a, b, ..]) if a & 0xfe == 0xfc || (a == 0xfe && b & 0xc0 == 0x80) => Netgroup::Local,
            Self::Ip6([0, 0, 0, 0, 0, 0, 0, 0]) => Netgroup::Local,
            Self::Ip6([a, b, c, d, ..]) => Netgroup::Ip6([a, b, c, d]),
            Self::Onion([first, ..]) => Netgroup::Onion(first >> 4),
        }
    }
}

#[cfg(test)]
mod tests;
