//! Refuses connections with banned or blocked peers, and from banned addresses.
//!
//! This is the only list of bans, so that no address stays refused after its ban is gone.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::IpAddr;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
    dummy,
};
use libp2p::{Multiaddr, PeerId};

use super::defenses::Defense;
use super::ids::ours;
use super::traffic::Traffic;
use p2p_proto::bans::{Banned, Bans};
use p2p_proto::netgroup::Host;

/// Error: the connection is not wanted.
#[derive(Clone, Debug, thiserror::Error)]
enum Refused {
    #[error("{0} is banned")]
    Banned(Banned),
    #[error("the operator blocks the peer")]
    Blocked,
    #[error("loopback sent too much invalid work")]
    Paused,
}

/// Bans, the peers that the operator blocks, and whether loopback is paused.
#[derive(Debug, Default)]
pub(super) struct Gate {
    pub(super) bans: Bans,
    /// Peers of [`p2p_proto::Command::Block`].
    pub(super) blocked: BTreeSet<p2p_proto::PeerId>,
    /// True while loopback may not open connections.
    pub(super) loopback_paused: bool,
    traffic: Traffic,
}

/// IP address of the other end. None for a relayed connection, whose address is the relay's.
pub(super) fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    if address.iter().any(|part| part == Protocol::P2pCircuit) {
        return None;
    }
    address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(IpAddr::V6(ip)),
        _ => None,
    })
}

/// Host of the other end, if its address shows one.
pub(super) fn host_of(address: &Multiaddr) -> Option<Host> {
    let onion = address.iter().find_map(|part| match part {
        // The key, then a checksum and a version.
        Protocol::Onion3(onion) => onion.hash().first_chunk().copied().map(Host::Onion),
        _ => None,
    });
    onion.or_else(|| ip_of(address).map(Host::of_ip))
}

impl Gate {
    pub(super) fn new(traffic: Traffic) -> Self {
        Self { traffic, ..Self::default() }
    }

    fn counted<T>(&self, result: Result<T, ConnectionDenied>) -> Result<T, ConnectionDenied> {
        if result.is_err() {
            self.traffic.count_defense(Defense::Banned);
        }
        result
    }

    /// True if neither the peer nor the address is banned or blocked.
    pub(super) fn may_dial(&self, peer: &p2p_proto::PeerId, ip: Option<IpAddr>) -> bool {
        let is_free = ip.is_none_or(|ip| self.bans.of_ip(ip).is_none());
        is_free && !self.blocked.contains(peer) && self.bans.of_peer(*peer).is_none()
    }

    fn check_address(&self, address: &Multiaddr) -> Result<(), ConnectionDenied> {
        let banned = ip_of(address).and_then(|ip| self.bans.of_ip(ip));
        banned.map_or(Ok(()), |ban| Err(ConnectionDenied::new(Refused::Banned(ban.what))))
    }

    fn check_inbound(&self, address: &Multiaddr) -> Result<(), ConnectionDenied> {
        if self.loopback_paused && host_of(address).is_some_and(|host| host.is_loopback()) {
            return Err(ConnectionDenied::new(Refused::Paused));
        }
        self.check_address(address)
    }

    fn check_peer(&self, peer: &PeerId) -> Result<(), ConnectionDenied> {
        let Some(peer) = ours(peer) else { return Ok(()) };
        if self.blocked.contains(&peer) {
            return Err(ConnectionDenied::new(Refused::Blocked));
        }
        self.bans.of_peer(peer).map_or(Ok(()), |ban| Err(ConnectionDenied::new(Refused::Banned(ban.what))))
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.counted(self.check_inbound(remote))
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let checked = self.check_inbound(remote).and_then(|()| self.check_peer(&peer));
        self.counted(checked).map(|()| dummy::ConnectionHandler)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: Option<PeerId>,
        _: &[Multiaddr],
        _: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        peer.map_or(Ok(()), |peer| self.check_peer(&peer)).map(|()| Vec::new())
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check_address(address)?;
        self.check_peer(&peer).map(|()| dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}
