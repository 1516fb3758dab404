//! The task that owns the swarm: the loop and the functions that its parts share.

mod bans;
mod command;
mod discovery;
mod event;
mod manual;
mod messages;
mod reach;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::request_response::{InboundRequestId, OutboundRequestId, ResponseChannel};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, Swarm};
use libp2p::{Multiaddr, gossipsub};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

use super::Config;
use super::api::{BanView, Call};
use super::behaviour::{Behaviour, Names};
use super::gate::Gate;
use super::ids::{ours, theirs};
use super::lease::{Answer, Lease, Ledger};
use super::peers::ConnectedPeers;
use super::proxy::Proxy;
use super::reach::{Reservations, Tracker};
use super::redial::{Redial, Source};
use super::replies::Replies;
use super::scores::Pace;
use super::traffic::Traffic;
use p2p_proto::budget::Budgets;
use p2p_proto::discovery::{DialId, Discovery, Seed};
use p2p_proto::endpoint::Endpoint;
use p2p_proto::faults::Faults;
use p2p_proto::limits::{OUTBOX_MAX, SEEDS_MAX};
use p2p_proto::message::Topic;
use p2p_proto::{Event, Millis, PeerId};

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
    discovery: Discovery,
    /// Dials in progress that discovery chose.
    found_dials: HashMap<ConnectionId, DialId>,
    dns_seeds: Vec<String>,
    seeds_in: mpsc::Sender<Vec<Seed>>,
    seeds: mpsc::Receiver<Vec<Seed>>,
    endpoint: Endpoint<GossipKey, Waiting, OutboundRequestId>,
    replies: Replies,
    budgets: Budgets,
    ledger: Ledger,
    faults: Faults,
    loopback_paused_until: Option<Millis>,
    /// Pace of the topic for shares.
    pace: Pace,
    bans: watch::Sender<Arc<Vec<BanView>>>,
    /// True if the list of bans is newer than the published one.
    bans_changed: bool,
    traffic: Traffic,
    proxy: Option<Proxy>,
    /// Address that the node's onion service connects to.
    onion: Option<Multiaddr>,
    tracker: Tracker,
    /// Whether this node is a relay for others.
    is_relay: bool,
    reservations: Reservations,
}

/// A gossip message: its id, the peer that it came from, its topic.
type GossipKey = (gossipsub::MessageId, libp2p::PeerId, Topic);

/// Channel of a reply, and the upload reserved for it.
struct Waiting {
    peer: libp2p::PeerId,
    id: InboundRequestId,
    channel: ResponseChannel<Answer>,
    lease: Option<Lease>,
}

/// Peer id at the end of an address, if any.
pub(super) fn peer_in(address: &Multiaddr) -> Option<PeerId> {
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
        (config, bans, reservations): (Config, watch::Sender<Arc<Vec<BanView>>>, Reservations),
        (discovery, dns_seeds): (Discovery, Vec<String>),
    ) -> Self {
        let (seeds_in, seeds) = mpsc::channel(SEEDS_MAX);
        let mut redial = Redial::default();
        for address in explicit {
            let peer = peer_in(&address);
            redial.add(address, peer, Source::Explicit, Millis(0));
        }
        let mut task = Self {
            swarm,
            names,
            calls,
            outbox: VecDeque::new(),
            started: Instant::now(),
            peers: ConnectedPeers::default(),
            redial,
            dials: HashMap::new(),
            discovery,
            found_dials: HashMap::new(),
            dns_seeds,
            seeds_in,
            seeds,
            endpoint: Endpoint::default(),
            replies: Replies::default(),
            budgets: Budgets::new(config.max_upload),
            ledger: Ledger::default(),
            faults: Faults::default(),
            loopback_paused_until: None,
            pace: Pace::default(),
            bans,
            bans_changed: false,
            traffic: config.traffic,
            proxy: config.proxy,
            onion: config.reach.onion_listen.as_deref().and_then(|text| text.parse().ok()),
            tracker: Tracker::default(),
            is_relay: false,
            reservations,
        };
        for ban in config.bans {
            let ban = task.dated(ban);
            // Too many bans: the caller gave more than this task ever publishes.
            let _ = task.gate().bans.add(ban);
        }
        task.publish_bans();
        task
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
                Some(found) = self.seeds.recv() => self.on_seeds_found(found),
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
        for (id, source, _) in self.endpoint.late_verdicts(now) {
            self.judge(&id, &source, gossipsub::MessageAcceptance::Ignore);
        }
        self.endpoint.retain_replies(|waiting| waiting.channel.is_open());
        self.settle();
        self.expire_bans(now);
        self.update_scores(now);
        for peer in self.peers.strangers(now) {
            tracing::debug!(%peer, "peer did not identify itself");
            self.disconnect(peer);
        }
        let peers = &self.peers;
        self.endpoint.forget_rates(now, |peer| peers.is_connected(*peer));
        self.budgets.forget(now, |host| peers.at(*host) > 0);
        self.tick_reach(now);
        let peers = &self.peers;
        for (address, peer) in self.redial.due(now, |peer| peers.is_connected(peer)) {
            self.dial(address, peer);
        }
        self.discover();
    }

    fn dial_options(address: Multiaddr, peer: Option<PeerId>) -> DialOpts {
        match peer.and_then(theirs) {
            Some(peer) => DialOpts::peer_id(peer)
                .condition(PeerCondition::DisconnectedAndNotDialing)
                .addresses(vec![address])
                .build(),
            None => DialOpts::unknown_peer_id().address(address).build(),
        }
    }

    fn dial(&mut self, address: Multiaddr, peer: Option<PeerId>) {
        let options = Self::dial_options(address.clone(), peer);
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

    fn gate(&mut self) -> &mut Gate {
        &mut self.swarm.behaviour_mut().gate
    }
}
