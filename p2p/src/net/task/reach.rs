//! How other nodes reach this one: handles events of the behaviours in [`Protocols`](crate::net::reach).

use libp2p::autonat::{self, OutboundProbeError, OutboundProbeEvent, ResponseError};
use libp2p::core::ConnectedPoint;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, dcutr, identify, relay, upnp};

use super::{Task, ours, theirs};
use crate::net::address::{in_record, is_relayed};
use crate::net::gate::host_of;
use crate::net::reach::{Confirmed, ProtocolsEvent};
use p2p_proto::netgroup::Netgroup;
use p2p_proto::{Millis, PeerId};

impl Task {
    pub(super) fn on_reach(&mut self, event: ProtocolsEvent) {
        match event {
            ProtocolsEvent::DialBack(autonat::Event::OutboundProbe(event)) => self.on_dial_back(event),
            ProtocolsEvent::Relay(relay::Event::ReservationTimedOut { src_peer_id }) => {
                self.reservations.end(&src_peer_id);
            }
            ProtocolsEvent::Hole(dcutr::Event { remote_peer_id, result }) => match result {
                Ok(_) => tracing::info!(peer = %remote_peer_id, "hole punched; the relay is no longer needed"),
                Err(error) => tracing::debug!(peer = %remote_peer_id, %error, "hole punching failed"),
            },
            ProtocolsEvent::Upnp(event) => self.on_upnp(event),
            _ => {}
        }
    }

    fn on_dial_back(&mut self, event: OutboundProbeEvent) {
        let now = self.now();
        match event {
            OutboundProbeEvent::Request { peer, .. } => {
                if let Some(peer) = ours(&peer) {
                    self.tracker.asked(peer, now);
                }
            }
            OutboundProbeEvent::Response { peer, address, .. } => {
                let confirmed = ours(&peer).and_then(|peer| self.tracker.said(peer, &address, now));
                self.on_confirmed(confirmed);
            }
            OutboundProbeEvent::Error { peer: Some(peer), error, .. } => {
                tracing::debug!(%peer, ?error, "dial-back failed");
                if let (Some(peer), OutboundProbeError::Response(ResponseError::DialError)) = (ours(&peer), error) {
                    let netgroup = self.netgroup(peer);
                    self.tracker.not_reached(peer, netgroup, now);
                }
            }
            OutboundProbeEvent::Error { .. } => {}
        }
    }

    /// Close the dial-back's connection: the peer has another one.
    fn on_confirmed(&mut self, confirmed: Option<Confirmed>) {
        if let Some(Confirmed { address, connection }) = confirmed {
            tracing::debug!(%address, "a peer connected to this node on request");
            self.swarm.close_connection(connection);
        }
    }

    fn on_upnp(&mut self, event: upnp::Event) {
        match event {
            upnp::Event::NewExternalAddr { external_addr, .. } => {
                tracing::info!(address = %external_addr, "the router forwards this port to this node (UPnP)");
                self.tracker.mapped(external_addr, true);
            }
            upnp::Event::ExpiredExternalAddr { external_addr, .. } => self.tracker.mapped(external_addr, false),
            upnp::Event::GatewayNotFound => tracing::debug!("no router answers UPnP"),
            upnp::Event::NonRoutableGateway => tracing::debug!("the router has no public address itself"),
        }
    }

    /// The node's onion service has an address.
    pub(super) fn on_onion(&mut self, address: &str) {
        if let Ok(parsed) = crate::net::parse_address(address) {
            tracing::info!(address, "other nodes reach this one at its onion service");
            self.swarm.add_external_address(parsed);
            self.tracker.onion(address.to_owned());
        }
    }

    /// Netgroup of a peer's direct connection.
    fn netgroup(&self, peer: PeerId) -> Option<Netgroup> {
        let mut hosts = self.peers.connections(peer).filter_map(|(_, open)| open.host);
        hosts.next().map(|host| host.netgroup())
    }

    /// Records the address at which a dialed peer sees this node, and whether that peer is a relay.
    pub(super) fn learn_from(&mut self, peer: PeerId, id: ConnectionId, info: &identify::Info) {
        let dialed = self.peers.connection(peer, id).filter(|open| !open.inbound);
        let Some(address) = dialed.and_then(|open| open.addr.parse::<Multiaddr>().ok()) else { return };
        let Some(host) = host_of(&address) else { return };
        if let Some(own) = self.tracker.observed(host.netgroup(), &info.observed_addr)
            && let Some(hole) = self.swarm.behaviour_mut().reach.hole.as_mut()
        {
            hole.propose(own);
        }
        if info.protocols.contains(&relay::HOP_PROTOCOL_NAME) {
            self.tracker.offers(peer, address);
        }
    }

    /// A connection opened: perhaps a dial-back, or one that makes a relay unnecessary.
    pub(super) fn opened_towards(&mut self, peer: PeerId, id: ConnectionId, endpoint: &ConnectedPoint) {
        let now = self.now();
        if endpoint.is_relayed() {
            return;
        }
        if let ConnectedPoint::Listener { send_back_addr, .. } = endpoint {
            let confirmed = self.tracker.came(peer, id, send_back_addr, now);
            self.on_confirmed(confirmed);
        }
        if let Some(address) = in_record(endpoint.get_remote_address()).filter(|_| !self.is_via_onion(endpoint)) {
            self.discovery.opened_directly(peer, address);
        }
        let relayed = |addr: &str| addr.parse().is_ok_and(|address: Multiaddr| is_relayed(&address));
        let needless: Vec<ConnectionId> =
            self.peers.connections(peer).filter(|(_, open)| relayed(&open.addr)).map(|(id, _)| *id).collect();
        for id in needless {
            self.swarm.close_connection(id);
        }
    }

    /// True for a connection through this node's onion service.
    pub(super) fn is_via_onion(&self, endpoint: &ConnectedPoint) -> bool {
        let to = match endpoint {
            ConnectedPoint::Listener { local_addr, .. } => Some(local_addr),
            ConnectedPoint::Dialer { .. } => None,
        };
        to.is_some() && to == self.onion.as_ref()
    }

    /// A peer's last connection closed.
    pub(super) fn gone_from(&mut self, peer: PeerId) {
        self.tracker.gone(peer);
        if let Some(peer) = theirs(peer) {
            self.reservations.end(&peer);
        }
    }

    /// Makes this node a relay once others reach it, and uses relays until they do.
    pub(super) fn tick_reach(&mut self, now: Millis) {
        self.tracker.tick(now);
        self.set_relay(self.tracker.is_public());
        for listener in self.tracker.needless() {
            self.swarm.remove_listener(listener);
        }
        if self.swarm.behaviour().reach.relay.is_enabled()
            && let Some((relay, address)) = self.tracker.wants_relay(now)
        {
            self.reserve(relay, &address);
        }
    }

    fn set_relay(&mut self, is_relay: bool) {
        if self.is_relay == is_relay {
            return;
        }
        if let Some(relay) = self.swarm.behaviour_mut().reach.relay.as_mut() {
            let status = if is_relay { relay::Status::Enable } else { relay::Status::Disable };
            relay.set_status(Some(status));
            self.is_relay = is_relay;
            tracing::info!(is_relay, "this node is a relay for others if they reach it");
        }
    }

    fn reserve(&mut self, relay: PeerId, address: &Multiaddr) {
        let Some(id) = theirs(relay) else { return };
        let circuit = address.clone().with_p2p(id).unwrap_or_else(|same| same).with(Protocol::P2pCircuit);
        tracing::debug!(%circuit, "reserving a place at a relay");
        match self.swarm.listen_on(circuit) {
            Ok(listener) => self.tracker.reserving(listener, relay, address),
            Err(error) => tracing::debug!(%relay, %error, "a relay cannot be used"),
        }
    }
}
