//! Events of connections.

use libp2p::core::ConnectedPoint;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{ConnectionId, DialError, SwarmEvent};
use libp2p::{Multiaddr, identify, mdns, ping};

use super::{Task, ours};
use crate::net::address::{in_record, is_relayed};
use crate::net::behaviour::BehaviourEvent;
use crate::net::peers::Connection;
use crate::net::redial::Source;
use p2p_proto::limits::USER_AGENT_BYTES_MAX;
use p2p_proto::record::Address;
use p2p_proto::{Event, PeerId};

/// The other end's address. For an inbound connection through a relay, it begins with the relay's.
fn remote_address(endpoint: &ConnectedPoint) -> Multiaddr {
    match endpoint {
        ConnectedPoint::Listener { local_addr, send_back_addr } if is_relayed(local_addr) => {
            send_back_addr.iter().fold(local_addr.clone(), Multiaddr::with)
        }
        _ => endpoint.get_remote_address().clone(),
    }
}

impl Task {
    pub(super) fn on_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(event) => self.on_behaviour(event),
            SwarmEvent::NewListenAddr { address, listener_id } => {
                let is_circuit = self.tracker.reserved(listener_id, &address);
                let full = address.with(Protocol::P2p(*self.swarm.local_peer_id()));
                tracing::debug!(address = %full, "listening");
                if !is_circuit {
                    self.on_listening(&full, true);
                }
                self.tell(Event::Listening(full.to_string()));
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => self.on_listening(&address, false),
            SwarmEvent::ListenerClosed { listener_id, addresses, reason } => {
                let now = self.now();
                if self.tracker.closed(listener_id, now) {
                    tracing::debug!(?addresses, ?reason, "reservation at a relay ended");
                } else {
                    tracing::error!(?addresses, ?reason, "listener closed");
                }
            }
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_opened(&peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, .. } => {
                if let Some(peer) = ours(&peer_id) {
                    self.on_closed(peer, connection_id);
                }
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.on_dial_failed(connection_id, &error);
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, error, .. } => {
                tracing::debug!(from = %send_back_addr, %error, "inbound connection failed");
            }
            _ => {}
        }
    }

    fn on_behaviour(&mut self, event: BehaviourEvent) {
        match event {
            BehaviourEvent::Gossip(event) => self.on_gossip(event),
            BehaviourEvent::Sync(event) => self.on_sync(event),
            BehaviourEvent::Identify(identify::Event::Received { connection_id, peer_id, info }) => {
                if let Some(peer) = ours(&peer_id) {
                    self.learn_from(peer, connection_id, &info);
                    self.on_identified(peer, &info);
                }
            }
            BehaviourEvent::Ping(ping::Event { peer, result: Ok(round_trip), .. }) => {
                let round_trip_ms = u64::try_from(round_trip.as_millis()).unwrap_or(u64::MAX);
                self.swarm.behaviour_mut().slots.pinged(&peer, round_trip_ms);
                if let Some(peer) = ours(&peer) {
                    self.peers.pinged(peer, round_trip_ms);
                }
            }
            BehaviourEvent::Mdns(event) => self.on_mdns(event),
            BehaviourEvent::Reach(event) => self.on_reach(event),
            _ => {}
        }
    }

    fn on_mdns(&mut self, event: mdns::Event) {
        let now = self.now();
        match event {
            mdns::Event::Discovered(found) => {
                for (peer, address) in found {
                    self.redial.add(address, ours(&peer), Source::Mdns, now);
                }
            }
            mdns::Event::Expired(gone) => {
                for (_, address) in gone {
                    self.redial.expire(&address);
                }
            }
        }
    }

    fn on_opened(&mut self, peer_id: &libp2p::PeerId, id: ConnectionId, endpoint: &ConnectedPoint) {
        let now = self.now();
        let Some(peer) = ours(peer_id) else {
            self.swarm.close_connection(id);
            return;
        };
        if let Some(address) = self.dials.remove(&id) {
            self.redial.connected(&address, peer, now);
        }
        self.on_dialed(id, peer);
        let inbound = endpoint.is_listener();
        let mut connection = Connection::new(&remote_address(endpoint), inbound);
        connection.via_onion = self.is_via_onion(endpoint);
        self.peers.opened(peer, id, connection, now);
        self.opened_towards(peer, id, endpoint);
    }

    fn on_closed(&mut self, peer: PeerId, id: ConnectionId) {
        let now = self.now();
        let Some(announced) = self.peers.closed(peer, id) else { return };
        self.discovery.closed(peer);
        self.gone_from(peer);
        self.redial.lost(peer, now);
        if announced {
            tracing::info!(%peer, "peer disconnected");
            self.tell(Event::PeerDisconnected { peer });
        }
    }

    fn on_dial_failed(&mut self, id: ConnectionId, error: &DialError) {
        self.on_found_dial_failed(id);
        let Some(address) = self.dials.remove(&id) else { return };
        let now = self.now();
        if matches!(error, DialError::LocalPeerId { .. }) {
            self.redial.remove(&address);
            return self.on_own_key(&address);
        }
        tracing::debug!(%address, %error, "dial failed");
        self.redial.failed(&address, now);
    }

    /// A node with this node's key answers at an address: this node itself, or another one.
    fn on_own_key(&mut self, address: &Multiaddr) {
        let place = in_record(address);
        if place.is_some_and(|place| self.discovery.own_mut().has(&place)) {
            tracing::debug!(%address, "address is this node's own");
        } else {
            self.tell(Event::OwnKeyElsewhere { addr: address.to_string() });
        }
    }

    fn on_identified(&mut self, peer: PeerId, info: &identify::Info) {
        if info.protocol_version != self.names.network {
            tracing::debug!(%peer, ours = %self.names.network, "peer of another share-chain");
            // Anyone can connect from outside, so only peers that the operator or mDNS named cause an event.
            if let Some(addr) = self.peers.dialed(peer).map(str::to_owned) {
                self.tell(Event::OtherPool { peer, addr });
            }
            self.discovery.other_pool(peer);
            self.disconnect(peer);
            return;
        }
        let printable = info.agent_version.chars().filter(|c| c.is_ascii_graphic() || *c == ' ');
        self.peers.identified(peer, printable.take(USER_AGENT_BYTES_MAX).collect());
        self.announce(peer);
        self.on_observed(peer, info);
    }

    /// Announces a peer to the caller, before any message from it.
    pub(super) fn announce(&mut self, peer: PeerId) {
        if let Some(Connection { addr, inbound, via_onion, .. }) = self.peers.announce(peer) {
            tracing::info!(%peer, %addr, inbound, "peer connected");
            let now = self.both_clocks();
            // A peer that connects through the onion service only seems to be on this machine.
            let address = Address::parse(&addr).filter(|_| !via_onion).map(|(address, _)| address);
            self.discovery.opened(peer, address, inbound, now);
            self.tell(Event::PeerConnected { peer, addr, inbound });
        }
    }
}
