//! A range of IP addresses: an address and the length of its prefix, as in `203.0.113.0/24`.

use core::fmt;
use core::str::FromStr;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::netgroup::{Host, Netgroup};

/// A range of IP addresses. Its address has no bits beyond the prefix, so equal ranges are equal values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    ip: IpAddr,
    bits: u8,
}

/// The text is not a range of IP addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write an IP address like 203.0.113.7 or 2001:db8::7, or a range like 203.0.113.0/24 or 2001:db8::/32")]
pub struct ParsePrefixError;

const fn masked(ip: IpAddr, bits: u8) -> Option<IpAddr> {
    match ip {
        IpAddr::V4(ip) if bits <= 32 => {
            let mask = if bits == 0 { 0 } else { u32::MAX << (32 - bits) };
            Some(IpAddr::V4(Ipv4Addr::from_bits(ip.to_bits() & mask)))
        }
        IpAddr::V6(ip) if bits <= 128 => {
            let mask = if bits == 0 { 0 } else { u128::MAX << (128 - bits) };
            Some(IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & mask)))
        }
        _ => None,
    }
}

impl Prefix {
    /// The addresses whose first `bits` bits are those of `ip`. `None` if the address has fewer bits.
    #[must_use]
    pub const fn new(ip: IpAddr, bits: u8) -> Option<Self> {
        match masked(ip, bits) {
            Some(ip) => Some(Self { ip, bits }),
            None => None,
        }
    }

    /// The range that one machine can own; none for an onion service.
    #[must_use]
    pub const fn of_host(host: Host) -> Option<Self> {
        match host {
            Host::Ip4(ip) => Self::new(IpAddr::V4(ip), 32),
            Host::Ip6([a, b, c, d, e, f, g, h]) => {
                let ip = Ipv6Addr::from_octets([a, b, c, d, e, f, g, h, 0, 0, 0, 0, 0, 0, 0, 0]);
                Self::new(IpAddr::V6(ip), 64)
            }
            Host::Onion(_) => None,
        }
    }

    /// The range that one provider can own; none for local addresses and onion services.
    #[must_use]
    pub const fn of_netgroup(netgroup: Netgroup) -> Option<Self> {
        match netgroup {
            Netgroup::Ip4([a, b]) => Self::new(IpAddr::V4(Ipv4Addr::new(a, b, 0, 0)), 16),
            Netgroup::Ip6([a, b, c, d]) => {
                let ip = Ipv6Addr::from_octets([a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
                Self::new(IpAddr::V6(ip), 32)
            }
            Netgroup::Local | Netgroup::Onion(_) => None,
        }
    }

    /// True if the range contains the address, or the IPv4 address that it stands for ([`Host::of_ip`]).
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        Self::around(ip).any(|range| range == *self)
    }

    /// True if the range contains all of another one.
    #[must_use]
    pub fn covers(&self, other: Self) -> bool {
        self.bits <= other.bits && Self::new(other.ip, self.bits) == Some(*self)
    }

    /// All ranges that contain the address or the IPv4 address that it stands for.
    pub fn around(ip: IpAddr) -> impl Iterator<Item = Self> {
        let embedded = match Host::of_ip(ip) {
            Host::Ip4(inner) if IpAddr::V4(inner) != ip => Some(IpAddr::V4(inner)),
            _ => None,
        };
        [Some(ip), embedded].into_iter().flatten().flat_map(|ip| (0..=128).map_while(move |bits| Self::new(ip, bits)))
    }
}

impl FromStr for Prefix {
    type Err = ParsePrefixError;

    /// An address alone is its [`Host`]: an IPv4 address, or the /64 of an IPv6 address.
    fn from_str(text: &str) -> Result<Self, ParsePrefixError> {
        let (ip, bits) = match text.split_once('/') {
            Some((ip, bits)) => (ip, Some(bits)),
            None => (text, None),
        };
        let ip: IpAddr = ip.parse().map_err(|_| ParsePrefixError)?;
        let range = match bits {
            None => Self::of_host(Host::of_ip(ip)),
            Some(bits) if bits.bytes().all(|digit| digit.is_ascii_digit()) => {
                bits.parse().ok().and_then(|bits| Self::new(ip, bits))
            }
            Some(_) => None,
        };
        range.ok_or(ParsePrefixError)
    }
}

/// A single IPv4 address is written without its length, and read back as the same range.
impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.ip, self.bits) {
            (IpAddr::V4(ip), 32) => write!(f, "{ip}"),
            (ip, bits) => write!(f, "{ip}/{bits}"),
        }
    }
}

#[cfg(test)]
mod tests;
