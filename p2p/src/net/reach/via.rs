//! Limits on inbound connections that show no address: through relays, and through this node's onion service.

use std::collections::HashMap;
use std::convert::Infallible;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
    dummy,
};
use libp2p::{Multiaddr, PeerId};

use p2p_proto::limits::{ONION_INBOUND_MAX, RELAYED_INBOUND_MAX};

/// Way of an inbound connection that shows no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Via {
    Relay,
    Onion,
}

/// Error: this way has the maximum number of connections.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("already {0} connections through relays, or through the onion service")]
struct TooMany(usize);

/// Counts inbound connections through relays and through the onion service.
#[derive(Debug, Default)]
pub(in crate::net) struct ViaLimit {
    onion: Option<Multiaddr>,
    open: HashMap<ConnectionId, Via>,
}

impl ViaLimit {
    /// `onion` is the address that the onion service connects to.
    pub(in crate::net) fn new(onion: Option<Multiaddr>) -> Self {
        Self { onion, open: HashMap::new() }
    }

    fn via(&self, local: &Multiaddr) -> Option<Via> {
        if local.iter().any(|part| part == Protocol::P2pCircuit) {
            Some(Via::Relay)
        } else if self.onion.as_ref() == Some(local) {
            Some(Via::Onion)
        } else {
            None
        }
    }

    fn check(&self, local: &Multiaddr) -> Result<Option<Via>, ConnectionDenied> {
        let Some(via) = self.via(local) else { return Ok(None) };
        let max = match via {
            Via::Relay => RELAYED_INBOUND_MAX,
            Via::Onion => ONION_INBOUND_MAX,
        };
        let count = self.open.values().filter(|open| **open == via).count();
        if count < max { Ok(Some(via)) } else { Err(ConnectionDenied::new(TooMany(max))) }
    }
}

impl NetworkBehaviour for ViaLimit {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        _: ConnectionId,
        local: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.check(local).map(drop)
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        local: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.check(local).map(|_| dummy::ConnectionHandler)
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
            FromSwarm::ConnectionEstablished(opened) => {
                if let libp2p::core::ConnectedPoint::Listener { local_addr, .. } = opened.endpoint
                    && let Some(via) = self.via(local_addr)
                {
                    self.open.insert(opened.connection_id, via);
                }
            }
            FromSwarm::ConnectionClosed(closed) => {
                self.open.remove(&closed.connection_id);
            }
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
