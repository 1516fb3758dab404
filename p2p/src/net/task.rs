//! The task that owns the swarm: the loop, and what is common to its parts.

mod command;
mod event;
mod traffic;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::request_response::{OutboundRequestId, ResponseChannel};
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, Swarm};
use libp2p::{Multiaddr, gossipsub};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::api::{Command, Event, ReplyToken};
use super::behaviour::{Behaviour, Names};
use super::peers::Peers;
use super::redial::{Redial, Source};
use super::verdicts::Verdicts;
use crate::limits::OUTBOX_MAX;
use crate::message::{RequestKind, Response};
use crate::rate::Rates;
use crate::score::{Misbehaviour, Scores, Sentence};
use crate::sync::RequestId;
use crate::{Millis, PeerId};

/// Between two looks at timers.
const TICK: Duration = Duration::from_millis(250);

/// A request under way.
#[derive(Clone, Copy, Debug)]
struct Asked {
    id: RequestId,
    peer: PeerId,
    kind: RequestKind,
}

/// The state of the network.
pub(super) struct Task {
    swarm: Swarm<Behaviour>,
    names: Names,
    commands: mpsc::Receiver<Command>,
    /// Events that have no room in the channel yet.
    outbox: VecDeque<Event>,
    started: Instant,
    peers: Peers,
    redial: Redial,
    /// Addresses behind the dials under way.
    dials: HashMap<ConnectionId, Multiaddr>,
    scores: Scores,
    rates: Rates,
    /// Whom the operator blocks; bans are counted apart.
    blocked: BTreeSet<PeerId>,
    verdicts: Verdicts<(gossipsub::MessageId, libp2p::PeerId, PeerId)>,
    asked: HashMap<OutboundRequestId, Asked>,
    replies: BTreeMap<ReplyToken, ResponseChannel<Response>>,
    next_reply: u64,
}

/// libp2p's id of a peer. It has the same bytes.
fn theirs(peer: PeerId) -> Option<libp2p::PeerId> {
    libp2p::PeerId::from_bytes(&peer.id_bytes()).ok()
}

/// This crate's id of a peer; none for keys that are not ed25519, which libp2p is built without.
fn ours(peer: &libp2p::PeerId) -> Option<PeerId> {
    PeerId::from_id_bytes(&peer.to_bytes())
}

/// The peer id at the end of an address.
fn peer_in(address: &Multiaddr) -> Option<PeerId> {
    address.iter().find_map(|part| match part {
        libp2p::multiaddr::Protocol::P2p(peer) => ours(&peer),
        _ => None,
    })
}

impl Task {
    pub(super) fn new(
        swarm: Swarm<Behaviour>,
        names: Names,
        explicit: Vec<Multiaddr>,
        commands: mpsc::Receiver<Command>,
    ) -> Self {
        let mut redial = Redial::default();
        for address in explicit {
            let peer = peer_in(&address);
            redial.add(address, peer, Source::Explicit, Millis(0));
        }
        Self {
            swarm,
            names,
            commands,
            outbox: VecDeque::new(),
            started: Instant::now(),
            peers: Peers::default(),
            redial,
            dials: HashMap::new(),
            scores: Scores::default(),
            rates: Rates::default(),
            blocked: BTreeSet::new(),
            verdicts: Verdicts::new(),
            asked: HashMap::new(),
            replies: BTreeMap::new(),
            next_reply: 0,
        }
    }

    fn now(&self) -> Millis {
        Millis(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Runs until the caller has dropped its ends of the channels.
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
                command = self.commands.recv() => match command {
                    Some(command) => self.on_command(command),
                    None => break,
                },
                event = self.swarm.select_next_some(), if self.outbox.len() < OUTBOX_MAX => self.on_swarm(event),
                _ = tick.tick() => self.on_tick(),
            }
        }
        tracing::debug!("network stopped");
    }

    /// Queues an event that must not be lost.
    fn tell(&mut self, event: Event) {
        self.outbox.push_back(event);
    }

    fn on_tick(&mut self) {
        let now = self.now();
        for (id, source, _) in self.verdicts.take_late(now) {
            self.judge(&id, &source, gossipsub::MessageAcceptance::Ignore);
        }
        self.replies.retain(|_, channel| channel.is_open());
        for peer in self.scores.release(now) {
            tracing::info!(%peer, "ban is over");
            self.enforce(peer);
        }
        for peer in self.peers.strangers(now) {
            tracing::debug!(%peer, "peer did not identify itself");
            self.disconnect(peer);
        }
        let peers = &self.peers;
        self.rates.forget(now, |peer| peers.is_connected(*peer));
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
            // An error means that it is not connected, which is what is wanted.
            let _ = self.swarm.disconnect_peer_id(peer);
        }
    }

    fn punish(&mut self, peer: PeerId, misbehaviour: Misbehaviour) {
        let now = self.now();
        tracing::debug!(%peer, ?misbehaviour, cost = misbehaviour.cost(), "peer misbehaves");
        if let Sentence::Banned { until } = self.scores.punish(peer, misbehaviour, now) {
            tracing::warn!(%peer, ?misbehaviour, ban_ms = until.since(now), "peer is banned");
            self.enforce(peer);
            self.tell(Event::PeerBanned { peer });
        }
    }

    /// Makes libp2p's list follow the bans and the operator's.
    fn enforce(&mut self, peer: PeerId) {
        let Some(id) = theirs(peer) else { return };
        let list = &mut self.swarm.behaviour_mut().blocked;
        if self.blocked.contains(&peer) || self.scores.is_banned(&peer) {
            list.block_peer(id);
        } else if list.unblock_peer(id) {
            let now = self.now();
            self.redial.hasten(peer, now);
        }
    }
}
