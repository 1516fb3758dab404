//! Gossipsub without addresses. With scores on, libp2p keeps an entry for every address that ever connected, and one
//! IPv6 host has 2^64. Nothing here needs addresses: `scores.rs` counts peers by host.

use std::ops::{Deref, DerefMut};
use std::task::{Context, Poll};

use libp2p::core::transport::PortUse;
use libp2p::core::{ConnectedPoint, Endpoint};
use libp2p::swarm::behaviour::{ConnectionClosed, ConnectionEstablished};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

/// A behaviour that sees no addresses of established connections.
#[derive(Debug)]
pub(super) struct Masked<B>(pub(super) B);

impl<B> Deref for Masked<B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.0
    }
}

impl<B> DerefMut for Masked<B> {
    fn deref_mut(&mut self) -> &mut B {
        &mut self.0
    }
}

fn masked(endpoint: &ConnectedPoint) -> ConnectedPoint {
    match *endpoint {
        ConnectedPoint::Dialer { role_override, port_use, .. } => {
            ConnectedPoint::Dialer { address: Multiaddr::empty(), role_override, port_use }
        }
        ConnectedPoint::Listener { .. } => {
            ConnectedPoint::Listener { local_addr: Multiaddr::empty(), send_back_addr: Multiaddr::empty() }
        }
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for Masked<B> {
    type ConnectionHandler = B::ConnectionHandler;
    type ToSwarm = B::ToSwarm;

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.0.handle_established_inbound_connection(id, peer, local, remote)
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.0.handle_established_outbound_connection(id, peer, address, role, port_use)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(opened) => {
                let endpoint = masked(opened.endpoint);
                let opened = ConnectionEstablished { endpoint: &endpoint, ..opened };
                self.0.on_swarm_event(FromSwarm::ConnectionEstablished(opened));
            }
            FromSwarm::ConnectionClosed(closed) => {
                let endpoint = masked(closed.endpoint);
                let closed = ConnectionClosed { endpoint: &endpoint, ..closed };
                self.0.on_swarm_event(FromSwarm::ConnectionClosed(closed));
            }
            FromSwarm::AddressChange(_) => {}
            event => self.0.on_swarm_event(event),
        }
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        self.0.on_connection_handler_event(peer, id, event);
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.0.poll(context)
    }
}
