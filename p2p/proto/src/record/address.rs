//! An address where a node can be dialed, in bytes and in the text form of a
//! [multiaddr](https://github.com/multiformats/multiaddr).

use core::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::base32::{self, ONION_BYTES};
use crate::message::WireError;
use crate::netgroup::{Host, Netgroup};
use crate::peer::PeerId;
use crate::wire::Reader;

/// Kinds of addresses in their encoding. If [`RELAYED`] is added, the relay's key follows.
const IP4_TCP: u8 = 1;
const IP4_QUIC: u8 = 2;
const IP6_TCP: u8 = 3;
const IP6_QUIC: u8 = 4;
const ONION: u8 = 5;
const RELAYED: u8 = 0x10;

/// The place of a node in the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// An IPv4 address.
    Ip4(Ipv4Addr),
    /// An IPv6 address that does not stand for an IPv4 address.
    Ip6(Ipv6Addr),
    /// An onion service, version 3.
    Onion([u8; ONION_BYTES]),
}

/// The transport of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TCP with Noise and Yamux.
    Tcp,
    /// QUIC.
    Quic,
}

/// Scope of an address: the peers that may get it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Programs on the same machine.
    Loopback,
    /// Nodes on the same local network.
    Private,
    /// All nodes.
    Public,
}

/// An address at which a node can be dialed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Place of the node itself, or of its relay.
    pub place: Place,
    /// Port; never 0.
    pub port: u16,
    /// Transport. Onion services have TCP only.
    pub transport: Transport,
    /// The relay at this place that forwards connections to the node, if any.
    pub relay: Option<PeerId>,
}

impl Address {
    /// The address of a node at an IP address.
    #[must_use]
    pub fn of_ip(ip: IpAddr, port: u16, transport: Transport) -> Self {
        let place = match ip {
            IpAddr::V4(ip) => Place::Ip4(ip),
            IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or(Place::Ip6(ip), Place::Ip4),
        };
        Self { place, port, transport, relay: None }
    }

    /// The IP address, if it has one.
    #[must_use]
    pub const fn ip(&self) -> Option<IpAddr> {
        match self.place {
            Place::Ip4(ip) => Some(IpAddr::V4(ip)),
            Place::Ip6(ip) => Some(IpAddr::V6(ip)),
            Place::Onion(_) => None,
        }
    }

    /// The host to which limits apply.
    #[must_use]
    pub fn host(&self) -> Host {
        match self.place {
            Place::Ip4(ip) => Host::of_ip(ip.into()),
            Place::Ip6(ip) => Host::of_ip(ip.into()),
            Place::Onion(name) => Host::Onion(name.first_chunk().copied().unwrap_or_default()),
        }
    }

    /// The netgroup to which limits apply.
    #[must_use]
    pub fn netgroup(&self) -> Netgroup {
        self.host().netgroup()
    }

    /// Its scope. `None` if no node can be dialed there: unspecified, multicast, reserved, and documentation addresses.
    #[must_use]
    pub fn scope(&self) -> Option<Scope> {
        match self.place {
            Place::Ip4(ip) => scope_of_ip4(ip),
            Place::Ip6(ip) => match Host::of_ip(ip.into()) {
                Host::Ip4(ip) => scope_of_ip4(ip),
                _ => scope_of_ip6(ip),
            },
            Place::Onion(_) => Some(Scope::Public),
        }
    }

    pub(crate) fn encode_into(&self, out: &mut Vec<u8>) {
        let kind = match (&self.place, self.transport) {
            (Place::Ip4(_), Transport::Tcp) => IP4_TCP,
            (Place::Ip4(_), Transport::Quic) => IP4_QUIC,
            (Place::Ip6(_), Transport::Tcp) => IP6_TCP,
            (Place::Ip6(_), Transport::Quic) => IP6_QUIC,
            (Place::Onion(_), _) => ONION,
        };
        out.push(kind | if self.relay.is_some() { RELAYED } else { 0 });
        match &self.place {
            Place::Ip4(ip) => out.extend_from_slice(&ip.octets()),
            Place::Ip6(ip) => out.extend_from_slice(&ip.octets()),
            Place::Onion(name) => out.extend_from_slice(name),
        }
        out.extend_from_slice(&self.port.to_le_bytes());
        if let Some(relay) = &self.relay {
            out.extend_from_slice(&relay.0);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let kind = reader.u8()?;
        let (place, transport) = match kind & !RELAYED {
            IP4_TCP => (Place::Ip4(Ipv4Addr::from(reader.array::<4>()?)), Transport::Tcp),
            IP4_QUIC => (Place::Ip4(Ipv4Addr::from(reader.array::<4>()?)), Transport::Quic),
            IP6_TCP => (Place::Ip6(Ipv6Addr::from(reader.array::<16>()?)), Transport::Tcp),
            IP6_QUIC => (Place::Ip6(Ipv6Addr::from(reader.array::<16>()?)), Transport::Quic),
            ONION => (Place::Onion(reader.array()?), Transport::Tcp),
            _ => return Err(WireError::Address),
        };
        let port = u16::from_le_bytes(reader.array()?);
        let relay = if kind & RELAYED == 0 { None } else { Some(PeerId(reader.array()?)) };
        let address = Self { place, port, transport, relay };
        if address.is_canonical() { Ok(address) } else { Err(WireError::Address) }
    }

    /// True if this is the canonical form of the address.
    fn is_canonical(&self) -> bool {
        let place = match self.place {
            Place::Ip4(_) => true,
            Place::Ip6(ip) => ip.to_ipv4_mapped().is_none(),
            Place::Onion(name) => name.last() == Some(&3) && self.transport == Transport::Tcp,
        };
        place && self.port != 0 && !(matches!(self.place, Place::Onion(_)) && self.relay.is_some())
    }

    /// Parses a multiaddr, and the peer id at its end, if any. `None` if it is not an address that a record can have,
    /// such as a DNS name.
    #[must_use]
    pub fn parse(text: &str) -> Option<(Self, Option<PeerId>)> {
        let mut parts = text.strip_prefix('/')?.split('/');
        let (place, port, transport) = match (parts.next()?, parts.next()?) {
            ("onion3", name) => {
                let (name, port) = name.split_once(':')?;
                (Place::Onion(base32::decode(name)?), port, Transport::Tcp)
            }
            (family, ip) => {
                let place = match family {
                    "ip4" => Place::Ip4(ip.parse().ok()?),
                    "ip6" => Place::Ip6(ip.parse().ok()?),
                    _ => return None,
                };
                match (parts.next()?, parts.next()?) {
                    ("tcp", port) => (place, port, Transport::Tcp),
                    ("udp", port) if parts.next()? == "quic-v1" => (place, port, Transport::Quic),
                    _ => return None,
                }
            }
        };
        let place = match place {
            Place::Ip6(ip) => ip.to_ipv4_mapped().map_or(place, Place::Ip4),
            _ => place,
        };
        let mut rest: Vec<&str> = parts.collect();
        let mut end = None;
        let mut relay = None;
        if let Some(at) = rest.iter().position(|part| *part == "p2p-circuit") {
            let after = rest.split_off(at);
            relay = Some(named(&rest)??);
            end = named(after.get(1..)?)?;
        } else {
            end = named(&rest)?.or(end);
        }
        let address = Self { place, port: port.parse().ok()?, transport, relay };
        address.is_canonical().then_some((address, end))
    }
}

/// The peer of `/p2p/<id>`; `Some(None)` for an empty text.
fn named(parts: &[&str]) -> Option<Option<PeerId>> {
    match parts {
        [] => Some(None),
        ["p2p", id] => id.parse().ok().map(Some),
        _ => None,
    }
}

/// Like Bitcoin Core's `CNetAddr::IsRoutable`, but treats shared addresses (RFC 6598) as private.
const fn scope_of_ip4(ip: Ipv4Addr) -> Option<Scope> {
    let [a, b, ..] = ip.octets();
    let benchmark = a == 198 && (b == 18 || b == 19);
    if a == 0 || a >= 224 || benchmark || ip.is_documentation() {
        None
    } else if ip.is_loopback() {
        Some(Scope::Loopback)
    } else if ip.is_private() || ip.is_link_local() || (a == 100 && b & 0xc0 == 64) {
        Some(Scope::Private)
    } else {
        Some(Scope::Public)
    }
}

const fn scope_of_ip6(ip: Ipv6Addr) -> Option<Scope> {
    match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Some(Scope::Loopback),
        [first, ..] if first & 0xfe00 == 0xfc00 => Some(Scope::Private),
        // A link-local address means nothing without its interface.
        [0x2001, 0x0db8, ..] => None,
        [first, ..] if first & 0xe000 == 0x2000 => Some(Scope::Public),
        _ => None,
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Place::Ip4(ip) => write!(f, "/ip4/{ip}")?,
            Place::Ip6(ip) => write!(f, "/ip6/{ip}")?,
            Place::Onion(name) => write!(f, "/onion3/{}:{}", base32::encode(&name), self.port)?,
        }
        match (&self.place, self.transport) {
            (Place::Onion(_), _) => {}
            (_, Transport::Tcp) => write!(f, "/tcp/{}", self.port)?,
            (_, Transport::Quic) => write!(f, "/udp/{}/quic-v1", self.port)?,
        }
        match self.relay {
            Some(relay) => write!(f, "/p2p/{relay}/p2p-circuit"),
            None => Ok(()),
        }
    }
}
