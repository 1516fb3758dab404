//! The task that owns the swarm: the loop and the functions that its parts share.

mod command;
mod event;
mod messages;
mod reach;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::request_response::{OutboundRequestId, ResponseChannel};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, Swarm};
use libp2p::{Multiaddr, gossipsub};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::api::Call;
use super::behaviour::{Behaviour, Names};
use super::peers::ConnectedPeers;
use super::reach::{Reservations, Tracker};
use super::redial::{Redial, Source};
use super::traffic::Traffic;
use p2p_proto::endpoint::Endpoint;
use p2p_proto::limits::OUTBOX_MAX;
use p2p_proto::message::Response;
use p2p_proto::{Event, Millis, Misbehaviour, PeerId};

/// Interval between checks of timers.
const TICK: Duration = Duration::from_millis(250);

/// State of the network task.
pub(super) struct Task {
    swarm: Swarm<Behaviour>,
    names: Names,
    calls: mpsc::Receiver<Call>,
    /// Events that wait for room in the channel.
    outbox: VecDeque<Event>,
    started: Instant,
    peers: ConnectedPeers,
    redial: Redial,
    /// Addresses of the dials in progress.
    dials: HashMap<ConnectionId, Multiaddr>,
    endpoint: Endpoint<(gossipsub::MessageId, libp2p::PeerId), ResponseChannel<Response>, OutboundRequestId>,
    /// Peers that the operator blocks. Bans are separate.
    blocked: BTreeSet<PeerId>,
    traffic: Traffic,
    tracker: Tracker,
    /// Whether this node is a relay for others.
    is_relay: bool,
    reservations: Reservations,
}

/// Converts a peer id to libp2p's type, which has the same bytes.
fn theirs(peer: PeerId) -> Option<libp2p::PeerId> {
    libp2p::PeerId::from_bytes(&peer.id_bytes()).ok()
}

/// Converts a peer id from libp2p's type. `None` if the key is not ed25519; libp2p is built without other keys.
fn ours(peer: &libp2p::PeerId) -> Option<PeerId> {
    PeerId::from_id_bytes(&peer.to_bytes())
}

/// Peer id at the end of an address, if any.
fn peer_in(address: &Multiaddr) -> Option<PeerId> {
    match address.iter().last() {
        Some(libp2p::multiaddr::Protocol::P2p(peer)) => ours(&peer),
        _ => None,
    }
}

impl Task {
    pub(super) fn new(
        swarm: Swarm<Behaviour>,
        names: Names,
        explicit: Vec<Multiaddr>,
        calls: mpsc::Receiver<Call>,
        traffic: Traffic,
        reservations: Reservations,
    ) -> Self {
        let mut redial = Redial::default();
        for address in explicit {
            let peer = peer_in(&address);
            redial.add(address, peer, Source::Explicit, Millis(0));
        }
        Self {
            swarm,
            names,
            calls,
            outbox: VecDeque::new(),
            started: Instant::now(),
            peers: ConnectedPeers::default(),
            redial,
            dials: HashMap::new(),
            endpoint: Endpoint::default(),
            blocked: BTreeSet::new(),
            traffic,
            tracker: Tracker::default(),
            is_relay: false,
            reservations,
        }
    }

    fn now(&self) -> Millis {
        Millis(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Runs until the caller drops its ends of the channels.
    pub(super) async fn run(mut self, events: mpsc::Sender<Event>) {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                permit = events.reserve(), if !self.outbox.is_empty() => match permit {
                    Ok(permit) => {
                        if let Some(event) = self.outbox.pop_front() {
                            permit.send(event);
                        }
                    }
                    Err(_) => break,
                },
                () = events.closed() => break,
                call = self.calls.recv() => match call {
                    Some(call) => self.on_call(call),
                    None => break,
                },
                event = self.swarm.select_next_some(), if self.outbox.len() < OUTBOX_MAX => self.on_swarm(event),
                _ = tick.tick() => self.on_tick(),
            }
        }
        tracing::debug!("network stopped");
    }

    /// Queues an event for the caller.
    fn tell(&mut self, event: Event) {
        self.outbox.push_back(event);
    }

    fn on_tick(&mut self) {
        let now = self.now();
        for (id, source) in self.endpoint.late_verdicts(now) {
            self.judge(&id, &source, gossipsub::MessageAcceptance::Ignore);
        }
        self.endpoint.retain_replies(ResponseChannel::is_open);
        for peer in self.endpoint.released(now) {
            tracing::info!(%peer, "ban is over");
            self.enforce(peer);
        }
        for peer in self.peers.strangers(now) {
            tracing::debug!(%peer, "peer did not identify itself");
            self.disconnect(peer);
        }
        let peers = &self.peers;
        self.endpoint.forget_rates(now, |peer| peers.is_connected(*peer));
        self.tick_reach(now);
        let peers = &self.peers;
        for (address, peer) in self.redial.due(now, |peer| peers.is_connected(peer)) {
            self.dial(address, peer);
        }
    }

    fn dial(&mut self, address: Multiaddr, peer: Option<PeerId>) {
        let options = match peer.and_then(theirs) {
            Some(peer) => DialOpts::peer_id(peer)
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .addresses(vec![address.clone()])
                .build(),
            None => DialOpts::unknown_peer_id().address(address.clone()).build(),
        };
        let id = options.connection_id();
        match self.swarm.dial(options) {
            Ok(()) => {
                self.dials.insert(id, address);
            }
            Err(error) => {
                tracing::debug!(%address, %error, "cannot dial");
                let now = self.now();
                self.redial.failed(&address, now);
            }
        }
    }

    fn disconnect(&mut self, peer: PeerId) {
        if let Some(peer) = theirs(peer) {
            // An error means that the peer is already disconnected.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
    }

    fn punish(&mut self, peer: PeerId, misbehaviour: Misbehaviour) {
        let now = self.now();
        tracing::debug!(%peer, ?misbehaviour, cost = misbehaviour.cost(), "peer misbehaved");
        if let Some(until) = self.endpoint.punish(peer, misbehaviour, now) {
            tracing::warn!(%peer, ?misbehaviour, ban_ms = until.since(now), "peer is banned");
            self.enforce(peer);
            self.tell(Event::PeerBanned { peer });
        }
    }

    /// Updates libp2p's block list from the bans and the operator's blocks.
    fn enforce(&mut self, peer: PeerId) {
        let Some(id) = theirs(peer) else { return };
        let list = &mut self.swarm.behaviour_mut().blocked;
        if self.blocked.contains(&peer) || self.endpoint.is_banned(&peer) {
            list.block_peer(id);
        } else if list.unblock_peer(id) {
            let now = self.now();
            self.redial.hasten(peer, now);
        }
    }
}
