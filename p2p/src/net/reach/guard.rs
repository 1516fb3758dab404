//! Limits what libp2p's behaviours do on a peer's word.
//!
//! libp2p trusts every peer that reports an address of this node: it informs all behaviours, and some of them keep each
//! address. It also dials any address that a peer names for hole punching. A [`Guard`] stops both. Own addresses come
//! from the task, which bounds them, and dials go to few hosts, all of them public.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

use crate::net::gate::host_of;
use p2p_proto::limits::HOLE_HOSTS_MAX;
use p2p_proto::netgroup::Netgroup;

/// Error: a peer named addresses that this node does not dial.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a peer named addresses of more than {HOLE_HOSTS_MAX} hosts, or an address that is not public")]
struct NotDialed;

/// A behaviour whose reports of own addresses are dropped and whose dials are checked.
pub(in crate::net) struct Guard<B> {
    inner: B,
    hears_candidates: bool,
    proposals: VecDeque<Multiaddr>,
    /// Dials of the behaviour; each stays from its request until the swarm asks about it.
    dials: HashSet<ConnectionId>,
}

impl<B> Guard<B> {
    pub(in crate::net) fn new(inner: B) -> Self {
        Self { inner, hears_candidates: false, proposals: VecDeque::new(), dials: HashSet::new() }
    }

    /// Forwards own addresses that the task proposed to the behaviour.
    pub(super) fn hearing_candidates(self) -> Self {
        Self { hears_candidates: true, ..self }
    }

    /// Proposes an own address to all behaviours that use them.
    pub(in crate::net) fn propose(&mut self, address: Multiaddr) {
        self.proposals.push_back(address);
    }
}

/// True if a behaviour may dial these addresses, which a peer named.
fn may_dial(addresses: &[Multiaddr]) -> bool {
    let hosts: Option<BTreeSet<_>> = addresses.iter().map(host_of).collect();
    hosts.is_some_and(|hosts| {
        hosts.len() <= HOLE_HOSTS_MAX && hosts.iter().all(|host| host.netgroup() != Netgroup::Local)
    })
}

impl<B: NetworkBehaviour> NetworkBehaviour for Guard<B> {
    type ConnectionHandler = B::ConnectionHandler;
    type ToSwarm = B::ToSwarm;

    fn handle_pending_inbound_connection(
        &mut self,
        id: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.inner.handle_pending_inbound_connection(id, local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_inbound_connection(id, peer, local, remote)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        if self.dials.remove(&id) && !may_dial(addresses) {
            return Err(ConnectionDenied::new(NotDialed));
        }
        self.inner.handle_pending_outbound_connection(id, peer, addresses, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        id: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_outbound_connection(id, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        // Another behaviour may have denied it first.
        if let FromSwarm::DialFailure(failure) = &event {
            self.dials.remove(&failure.connection_id);
        }
        if self.hears_candidates || !matches!(event, FromSwarm::NewExternalAddrCandidate(_)) {
            self.inner.on_swarm_event(event);
        }
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, id: ConnectionId, event: THandlerOutEvent<Self>) {
        self.inner.on_connection_handler_event(peer, id, event);
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if let Some(address) = self.proposals.pop_front() {
            return Poll::Ready(ToSwarm::NewExternalAddrCandidate(address));
        }
        loop {
            match self.inner.poll(context) {
                Poll::Ready(ToSwarm::NewExternalAddrCandidate(_)) => {}
                Poll::Ready(ToSwarm::Dial { opts }) => {
                    self.dials.insert(opts.connection_id());
                    return Poll::Ready(ToSwarm::Dial { opts });
                }
                other => return other,
            }
        }
    }
}

#[cfg(test)]
mod tests;
