//! Slots of inbound connections: a full node evicts one for a newcomer, and one host has few of them.

use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::hash::BuildHasher;
use std::net::Ipv4Addr;
use std::task::{Context, Poll};
use std::time::Instant;

use libp2p::core::transport::PortUse;
use libp2p::core::{ConnectedPoint, Endpoint};
use libp2p::swarm::{
    CloseConnection, ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use super::defenses::Defense;
use super::gate;
use super::traffic::Traffic;
use p2p_proto::eviction::{Candidate, select};
use p2p_proto::limits::{INBOUND_CLOSING_MAX, INBOUND_MAX, INBOUND_PER_HOST_MAX};
use p2p_proto::message::Topic;
use p2p_proto::netgroup::Host;
use p2p_proto::{Millis, Misbehaviour};

/// Reason why a connection is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Denied {
    #[error("already {INBOUND_PER_HOST_MAX} connections from {0:?}")]
    Host(Host),
    #[error("{INBOUND_CLOSING_MAX} evicted connections have not closed yet")]
    Closing,
    #[error("no connection can be evicted")]
    AllProtected,
}

/// Host of a multiaddress. All addresses that show none count as one host.
pub(super) fn host_of(address: &Multiaddr) -> Host {
    gate::host_of(address).unwrap_or(Host::Ip4(Ipv4Addr::UNSPECIFIED))
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    peer: PeerId,
    host: Host,
    inbound: bool,
    since: Millis,
    ping_ms: Option<u64>,
    work_at: Option<Millis>,
    block_at: Option<Millis>,
    misbehaves: bool,
    /// True if the slot is free again as soon as the connection has closed.
    evicted: bool,
}

/// All established connections, and the inbound slots among them.
#[derive(Debug)]
pub(super) struct Slots {
    started: Instant,
    /// Key of the netgroups' hashes.
    key: RandomState,
    by_id: HashMap<ConnectionId, Slot>,
    evicted: VecDeque<(PeerId, ConnectionId)>,
    traffic: Traffic,
}

impl Slots {
    pub(super) fn new(traffic: Traffic) -> Self {
        let (key, by_id, evicted) = (RandomState::new(), HashMap::new(), VecDeque::new());
        Self { started: Instant::now(), key, by_id, evicted, traffic }
    }

    fn now(&self) -> Millis {
        Millis(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Host of a connected peer.
    pub(super) fn host(&self, peer: &PeerId) -> Option<Host> {
        self.by_id.values().find(|slot| slot.peer == *peer).map(|slot| slot.host)
    }

    /// Records a round-trip time.
    pub(super) fn pinged(&mut self, peer: &PeerId, ping_ms: u64) {
        for slot in self.of_peer(peer) {
            slot.ping_ms = Some(slot.ping_ms.map_or(ping_ms, |lowest| lowest.min(ping_ms)));
        }
    }

    /// Records that the peer delivered valid gossip first.
    pub(super) fn delivered(&mut self, peer: &PeerId, topic: Topic) {
        let now = self.now();
        for slot in self.of_peer(peer) {
            match topic {
                Topic::Shares | Topic::Links => slot.work_at = Some(now),
                Topic::BitcoinBlocks => slot.block_at = Some(now),
            }
        }
    }

    /// Records a misbehavior. Only kinds that no honest program shows can cost the peer its slot.
    pub(super) fn misbehaved(&mut self, peer: &PeerId, misbehaviour: Misbehaviour) {
        use Misbehaviour::{Garbage, InvalidItem, Unsolicited};
        if matches!(misbehaviour, Garbage | InvalidItem | Unsolicited) {
            self.of_peer(peer).for_each(|slot| slot.misbehaves = true);
        }
    }

    fn of_peer<'a>(&'a mut self, peer: &'a PeerId) -> impl Iterator<Item = &'a mut Slot> {
        self.by_id.values_mut().filter(move |slot| slot.peer == *peer)
    }

    /// Number of inbound connections for which a condition holds.
    fn count(&self, is_counted: impl Fn(&Slot) -> bool) -> usize {
        self.by_id.values().filter(|slot| slot.inbound && is_counted(slot)).count()
    }

    /// Checks the limit of a host. Loopback has none: it is the operator's programs or a proxy.
    fn check(&self, from: &Multiaddr) -> Result<(), Denied> {
        let host = host_of(from);
        if !host.is_loopback() && self.count(|slot| slot.host == host && !slot.evicted) >= INBOUND_PER_HOST_MAX {
            return Err(Denied::Host(host));
        }
        Ok(())
    }

    /// Checks that a newcomer gets a slot, by eviction if necessary. Evicts at most one connection.
    fn make_room(&mut self, from: &Multiaddr) -> Result<(), Denied> {
        self.check(from)?;
        let open = self.count(|slot| !slot.evicted);
        if open < INBOUND_MAX as usize {
            return Ok(());
        }
        if self.by_id.values().filter(|slot| slot.evicted).count() >= INBOUND_CLOSING_MAX as usize {
            return Err(Denied::Closing);
        }
        let id = select(&self.candidates()).ok_or(Denied::AllProtected)?;
        if let Some(slot) = self.by_id.get_mut(&id) {
            slot.evicted = true;
            tracing::debug!(peer = %slot.peer, host = ?slot.host, "evicted for a newcomer");
            self.traffic.count_defense(Defense::Eviction);
            self.evicted.push_back((slot.peer, id));
        }
        Ok(())
    }

    fn counted<T>(&self, result: Result<T, Denied>) -> Result<T, ConnectionDenied> {
        if let Err(denied) = &result {
            let is_host = matches!(denied, Denied::Host(_));
            self.traffic.count_defense(if is_host { Defense::HostSlots } else { Defense::NoSlot });
        }
        result.map_err(ConnectionDenied::new)
    }

    fn candidates(&self) -> Vec<Candidate<ConnectionId>> {
        let inbound = self.by_id.iter().filter(|(_, slot)| slot.inbound && !slot.evicted);
        inbound
            .map(|(id, slot)| Candidate {
                id: *id,
                host: slot.host,
                netgroup_hash: self.key.hash_one(slot.host.netgroup()),
                since: slot.since,
                ping_ms: slot.ping_ms,
                work_at: slot.work_at,
                block_at: slot.block_at,
                misbehaves: slot.misbehaves,
            })
            .collect()
    }

    fn opened(&mut self, id: ConnectionId, peer: PeerId, endpoint: &ConnectedPoint) {
        let slot = Slot {
            peer,
            host: host_of(endpoint.get_remote_address()),
            inbound: endpoint.is_listener(),
            since: self.now(),
            ping_ms: None,
            work_at: None,
            block_at: None,
            misbehaves: false,
            evicted: false,
        };
        self.by_id.insert(id, slot);
    }
}

impl NetworkBehaviour for Slots {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.counted(self.check(remote))
    }

    /// The last of the behaviors that may deny a connection, so that no eviction is wasted.
    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        let made = self.make_room(remote);
        self.counted(made).map(|()| dummy::ConnectionHandler)
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
                self.opened(opened.connection_id, opened.peer_id, opened.endpoint);
            }
            FromSwarm::ConnectionClosed(closed) => {
                self.by_id.remove(&closed.connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        match self.evicted.pop_front() {
            Some((peer_id, id)) => {
                Poll::Ready(ToSwarm::CloseConnection { peer_id, connection: CloseConnection::One(id) })
            }
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests;
