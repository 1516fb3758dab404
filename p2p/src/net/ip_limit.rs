//! Limit on inbound connections from one IP address, whatever identities they have.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::task::{Context, Poll};

use libp2p::core::transport::PortUse;
use libp2p::core::{ConnectedPoint, Endpoint};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
    dummy,
};
use libp2p::{Multiaddr, PeerId};

use p2p_proto::limits::INBOUND_PER_IP_MAX;

/// Error: the address has as many connections as allowed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("already {INBOUND_PER_IP_MAX} connections from {0}")]
struct TooMany(IpAddr);

/// Counts established inbound connections by IP address. IPv6 addresses count by /64, because one machine can own all
/// of a /64.
#[derive(Debug, Default)]
pub(super) struct IpLimit {
    counts: HashMap<IpAddr, usize>,
}

/// Returns the address or subnet that an inbound connection counts toward. `None` for loopback: it is the operator's
/// processes or a proxy.
fn counted(address: &Multiaddr) -> Option<IpAddr> {
    const SUBNET_MASK: u128 = !(u64::MAX as u128);
    let ip = address.iter().find_map(|part| match part {
        Protocol::Ip4(ip) => Some(IpAddr::V4(ip)),
        Protocol::Ip6(ip) => Some(ip.to_canonical()),
        _ => None,
    })?;
    match ip {
        ip if ip.is_loopback() => None,
        IpAddr::V6(ip) => Some(IpAddr::V6((u128::from(ip) & SUBNET_MASK).into())),
        ip => Some(ip),
    }
}

impl IpLimit {
    fn check(&self, address: &Multiaddr) -> Result<(), ConnectionDenied> {
        match counted(address) {
            Some(ip) if self.counts.get(&ip).is_some_and(|count| *count >= INBOUND_PER_IP_MAX) => {
                Err(ConnectionDenied::new(TooMany(ip)))
            }
            _ => Ok(()),
        }
    }

    fn opened(&mut self, endpoint: &ConnectedPoint) {
        if let ConnectedPoint::Listener { send_back_addr, .. } = endpoint
            && let Some(ip) = counted(send_back_addr)
        {
            *self.counts.entry(ip).or_default() += 1;
        }
    }

    fn closed(&mut self, endpoint: &ConnectedPoint) {
        let ConnectedPoint::Listener { send_back_addr, .. } = endpoint else { return };
        let Some(ip) = counted(send_back_addr) else { return };
        if let Some(count) = self.counts.get_mut(&ip) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(&ip);
            }
        }
    }
}

impl NetworkBehaviour for IpLimit {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.check(remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check(remote).map(|()| dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(established) => self.opened(established.endpoint),
            FromSwarm::ConnectionClosed(closed) => self.closed(closed.endpoint),
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests;
