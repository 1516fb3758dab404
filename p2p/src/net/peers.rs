//! Connected peers.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use libp2p::Multiaddr;
use libp2p::swarm::ConnectionId;

use super::api::PeerInfo;
use super::gate::{host_of, ip_of};
use p2p_proto::limits::IDENTIFY_TIMEOUT_MS;
use p2p_proto::netgroup::Host;
use p2p_proto::prefix::Prefix;
use p2p_proto::{Millis, PeerId};

/// One of a peer's connections.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) addr: String,
    pub(super) inbound: bool,
    /// Host of the other end, if its address shows it.
    pub(super) host: Option<Host>,
    pub(super) ip: Option<IpAddr>,
    /// True if it came through this node's onion service, so that its address means nothing.
    pub(super) via_onion: bool,
}

impl Connection {
    pub(super) fn new(address: &Multiaddr, inbound: bool) -> Self {
        Self { addr: address.to_string(), inbound, host: host_of(address), ip: ip_of(address), via_onion: false }
    }
}

#[derive(Debug)]
struct Entry {
    connections: HashMap<ConnectionId, Connection>,
    /// Connection that was opened first, for display.
    first: Connection,
    since: Millis,
    /// True if the caller knows the peer: it has shown that it belongs to this network.
    announced: bool,
    user_agent: String,
    round_trip_ms: Option<u64>,
}

/// All connected peers, including those whose network is not known yet.
#[derive(Debug, Default)]
pub(super) struct ConnectedPeers {
    by_id: BTreeMap<PeerId, Entry>,
}

impl ConnectedPeers {
    pub(super) fn opened(&mut self, peer: PeerId, id: ConnectionId, connection: Connection, now: Millis) {
        let entry = self.by_id.entry(peer).or_insert_with(|| Entry {
            connections: HashMap::new(),
            first: connection.clone(),
            since: now,
            announced: false,
            user_agent: String::new(),
            round_trip_ms: None,
        });
        entry.connections.insert(id, connection);
    }

    /// Removes a closed connection. If it was the peer's last, returns whether the caller knew the peer.
    pub(super) fn closed(&mut self, peer: PeerId, id: ConnectionId) -> Option<bool> {
        let entry = self.by_id.get_mut(&peer)?;
        let closed = entry.connections.remove(&id);
        if let Some(other) = entry.connections.values().next() {
            // The shown connection is one that is open.
            if closed.is_some_and(|closed| closed.addr == entry.first.addr) {
                entry.first = other.clone();
            }
            return None;
        }
        self.by_id.remove(&peer).map(|entry| entry.announced)
    }

    /// Records that the peer belongs to this network. The first time, returns the connection to announce to the caller.
    pub(super) fn announce(&mut self, peer: PeerId) -> Option<Connection> {
        let entry = self.by_id.get_mut(&peer)?;
        if core::mem::replace(&mut entry.announced, true) { None } else { Some(entry.first.clone()) }
    }

    pub(super) fn identified(&mut self, peer: PeerId, user_agent: String) {
        if let Some(entry) = self.by_id.get_mut(&peer) {
            entry.user_agent = user_agent;
        }
    }

    pub(super) fn pinged(&mut self, peer: PeerId, round_trip_ms: u64) {
        if let Some(entry) = self.by_id.get_mut(&peer) {
            entry.round_trip_ms = Some(round_trip_ms);
        }
    }

    /// The address of a peer that this node dialed; none if the peer opened the first connection.
    pub(super) fn dialed(&self, peer: PeerId) -> Option<&str> {
        let first = &self.by_id.get(&peer)?.first;
        (!first.inbound).then_some(&first.addr)
    }

    /// A connection of a peer.
    pub(super) fn connection(&self, peer: PeerId, id: ConnectionId) -> Option<&Connection> {
        self.by_id.get(&peer)?.connections.get(&id)
    }

    /// The peer's connections.
    pub(super) fn connections(&self, peer: PeerId) -> impl Iterator<Item = (&ConnectionId, &Connection)> {
        self.by_id.get(&peer).into_iter().flat_map(|entry| &entry.connections)
    }

    /// Host of a peer's first connection.
    pub(super) fn host(&self, peer: PeerId) -> Option<Host> {
        self.by_id.get(&peer)?.first.host
    }

    /// Peers with their hosts.
    pub(super) fn hosts(&self) -> Vec<(PeerId, Option<Host>)> {
        self.by_id.iter().map(|(peer, entry)| (*peer, entry.first.host)).collect()
    }

    /// Number of peers at a host.
    pub(super) fn at(&self, host: Host) -> usize {
        self.by_id.values().filter(|entry| entry.first.host == Some(host)).count()
    }

    /// Peers with a connection from within a range of addresses.
    pub(super) fn within(&self, range: Prefix) -> Vec<PeerId> {
        let inside = |entry: &Entry| entry.connections.values().any(|c| c.ip.is_some_and(|ip| range.contains(ip)));
        self.by_id.iter().filter(|(_, entry)| inside(entry)).map(|(peer, _)| *peer).collect()
    }

    pub(super) fn is_connected(&self, peer: PeerId) -> bool {
        self.by_id.contains_key(&peer)
    }

    /// Peers that have not identified their network in time.
    pub(super) fn strangers(&self, now: Millis) -> Vec<PeerId> {
        let late = |entry: &Entry| !entry.announced && now.since(entry.since) >= IDENTIFY_TIMEOUT_MS;
        self.by_id.iter().filter(|(_, entry)| late(entry)).map(|(peer, _)| *peer).collect()
    }

    pub(super) fn snapshot(&self, now: Millis, scores: impl Fn(&PeerId) -> (u32, i32)) -> Vec<PeerInfo> {
        let announced = self.by_id.iter().filter(|(_, entry)| entry.announced);
        announced
            .map(|(peer, entry)| {
                let (points, gossip_score) = scores(peer);
                PeerInfo {
                    peer: *peer,
                    addr: entry.first.addr.clone(),
                    inbound: entry.first.inbound,
                    user_agent: entry.user_agent.clone(),
                    points,
                    gossip_score,
                    round_trip_ms: entry.round_trip_ms,
                    connected_ms: now.since(entry.since),
                }
            })
            .collect()
    }
}
