//! The node's side of the network: gossip into the chain, requests out of the store, responses into both, and the sync
//! machine that decides what to ask whom.

mod judge;
mod lookup;
mod serve;
mod take;
mod wants;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use p2p::sync::{Input, Local, Output, RequestId, Sync, Want};
use p2p::{Command, Event, Gossip, Handle, Millis, Misbehaviour, PeerId, Request, TipInfo, Verdict, VerdictToken};
use sharechain::ShareId;
use sharechain::change_set::{AcceptedProof, ChangeSet, Source};
use tokio::sync::{broadcast, mpsc, watch};
use tracing::{debug, info, warn};

use crate::clock::now;
use crate::engine::{ChainEvent, EngineHandle, EngineStopped};
use crate::headers::HeaderSource;
use crate::limits::{PUBLISH_QUEUE, REQUESTS_MAX, SOURCES_MAX, SYNC_GAP_LINKS, UNDECIDED_MAX};
use crate::state::PeerView;
use crate::submissions::Submissions;

use lookup::Lookups;
use serve::Server;

pub use p2p::sync::SyncState;

/// Time between two looks at what is missing.
const TICK: Duration = Duration::from_millis(500);

/// A way to send Bitcoin blocks to all peers that never blocks.
#[derive(Clone, Debug)]
pub struct Publisher(mpsc::Sender<Gossip>);

impl Publisher {
    /// Sends to all peers, or drops the message when [`PUBLISH_QUEUE`] others wait.
    pub fn publish(&self, message: Gossip) {
        if self.0.try_send(message).is_err() {
            warn!("too many messages wait for peers: one is not sent");
        }
    }
}

/// A queue of blocks to all peers.
#[must_use]
pub fn publisher() -> (Publisher, mpsc::Receiver<Gossip>) {
    let (sender, receiver) = mpsc::channel(PUBLISH_QUEUE);
    (Publisher(sender), receiver)
}

/// What the peers' task needs.
#[derive(Debug)]
pub struct Links {
    /// The network.
    pub network: Handle,
    /// What the network says.
    pub events: mpsc::Receiver<Event>,
    /// Bitcoin blocks that this node's miners found. Their shares come from the chain, once they are stored.
    pub outgoing: mpsc::Receiver<Gossip>,
    /// The share-chain.
    pub engine: EngineHandle,
    /// Bitcoin's headers.
    pub headers: HeaderSource,
    /// bitcoind, for blocks.
    pub submissions: Submissions,
    /// Hand out work though no peer was reached: this node starts a new pool.
    pub new_pool: bool,
}

/// What the peers' task tells.
#[derive(Debug)]
pub struct Views {
    /// Why miners should not work, as far as peers are concerned.
    pub trouble: watch::Sender<Option<Arc<str>>>,
    /// How far the node is.
    pub sync: watch::Sender<SyncState>,
    /// Connected peers.
    pub peers: watch::Sender<Arc<Vec<PeerView>>>,
}

/// The task.
#[derive(Debug)]
pub struct Peers {
    links: Links,
    views: Views,
    sync: Sync,
    started: Instant,
    requests: BTreeMap<RequestId, Request>,
    sources: Sources,
    /// Gossip that the chain holds, oldest first: forwarded if it turns out to be valid soon.
    undecided: VecDeque<(ShareId, VerdictToken)>,
    lookups: Lookups,
    server: mpsc::Sender<serve::Asked>,
    /// What peers told of their tips.
    tips: BTreeMap<PeerId, TipInfo>,
    was_synced: bool,
}

/// Numbers for peers, by which the chain knows who brought what. They outlive connections, so that a refusal reaches who
/// hung up meanwhile.
#[derive(Debug, Default)]
struct Sources {
    by_peer: BTreeMap<PeerId, Source>,
    by_source: BTreeMap<Source, PeerId>,
    last: u64,
}

impl Sources {
    fn of(&mut self, peer: PeerId) -> Source {
        if let Some(source) = self.by_peer.get(&peer) {
            return *source;
        }
        self.last += 1;
        let source = Source(self.last);
        self.by_peer.insert(peer, source);
        self.by_source.insert(source, peer);
        if self.by_source.len() > SOURCES_MAX
            && let Some((_, oldest)) = self.by_source.pop_first()
        {
            self.by_peer.remove(&oldest);
        }
        source
    }

    fn peer(&self, source: Source) -> Option<PeerId> {
        self.by_source.get(&source).copied()
    }
}

impl Peers {
    /// Prepares the task.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn new(links: Links, views: Views) -> Result<Self, EngineStopped> {
        let local = local(&links.engine).await?;
        let sync = Sync::new(local);
        let lookups = Lookups::start(links.headers.clone());
        let server = Server::start(links.engine.clone(), links.network.clone());
        let mut peers = Self {
            links,
            views,
            sync,
            started: Instant::now(),
            requests: BTreeMap::new(),
            sources: Sources::default(),
            undecided: VecDeque::new(),
            lookups,
            server,
            tips: BTreeMap::new(),
            was_synced: false,
        };
        peers.tell_state(SyncState::Alone);
        Ok(peers)
    }

    /// Runs until the network or the engine stops.
    pub async fn run(mut self) {
        let mut chain = self.links.engine.events();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let step = tokio::select! {
                event = self.links.events.recv() => match event {
                    Some(event) => self.on_event(event).await,
                    None => return,
                },
                Some(message) = self.links.outgoing.recv() => {
                    self.send(Command::Publish(message)).await;
                    Ok(())
                }
                event = chain.recv() => self.on_chain(event).await,
                answer = self.lookups.answer() => {
                    self.on_lookup(answer);
                    Ok(())
                }
                _ = tick.tick() => self.on_tick().await,
            };
            if step.is_err() {
                return;
            }
            self.act().await;
        }
    }

    fn millis(&self) -> Millis {
        Millis(u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    fn tell_sync(&mut self, input: Input) {
        let now = self.millis();
        self.sync.handle(input, now);
    }

    async fn send(&self, command: Command) {
        // Fails only when the network has stopped, which the event loop notices.
        let _ = self.links.network.send(command).await;
    }

    async fn punish(&self, peer: PeerId, misbehaviour: Misbehaviour) {
        self.send(Command::Punish { peer, misbehaviour }).await;
    }

    async fn on_event(&mut self, event: Event) -> Result<(), EngineStopped> {
        match event {
            Event::Listening(address) => info!(address, "peers can connect"),
            Event::PeerConnected { peer, addr, inbound } => {
                debug!(%peer, addr, inbound, "peer connected");
                self.tell_sync(Input::Connected(peer));
            }
            Event::PeerDisconnected { peer } => {
                debug!(%peer, "peer disconnected");
                self.tell_sync(Input::Disconnected(peer));
            }
            Event::Gossip { token, peer, message } => {
                if let Some(verdict) = self.judge_gossip(token, peer, message).await? {
                    self.send(Command::Verdict { token, verdict }).await;
                }
            }
            // Answered beside this loop: whoever asks much waits for the others, not the chain for them.
            Event::Request { token, peer: _, request } => self.on_request(token, request),
            Event::PeerBanned { peer } => warn!(%peer, "a peer misbehaved and is banned for a while"),
            Event::Response { peer, id, result } => {
                if let Some(request) = self.requests.remove(&id) {
                    let outcome = self.take_response(peer, &request, result).await?;
                    self.tell_sync(Input::Response { id, outcome });
                }
            }
        }
        Ok(())
    }

    async fn on_chain(&mut self, event: Result<ChainEvent, broadcast::error::RecvError>) -> Result<(), EngineStopped> {
        match event {
            Ok(ChainEvent::Changed(changes)) => self.on_change(&changes).await,
            Ok(ChainEvent::Block(_)) => Ok(()),
            Err(broadcast::error::RecvError::Closed) => Err(EngineStopped),
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                debug!(missed, "events of the chain were missed; asking it again");
                self.tell_local().await
            }
        }
    }

    async fn on_change(&mut self, changes: &ChangeSet) -> Result<(), EngineStopped> {
        for accepted in &changes.accepted {
            self.tell_sync(Input::Got(Want::Proof(accepted.id)));
            self.decide(accepted.id, Verdict::Accept).await;
            if accepted.source == Source::default() {
                self.publish_own(accepted, &changes.lists).await;
            }
        }
        for (id, _) in &changes.lists {
            self.tell_sync(Input::Got(Want::Body(*id)));
        }
        for refusal in &changes.refused {
            self.decide(refusal.id, Verdict::Ignore).await;
            if let Some(peer) = self.sources.peer(refusal.source) {
                self.punish(peer, Misbehaviour::InvalidItem).await;
            }
        }
        if changes.tips.is_empty() { Ok(()) } else { self.tell_local().await }
    }

    /// Sends what this node's miners found to everybody, now that it is stored.
    async fn publish_own(&mut self, accepted: &AcceptedProof, lists: &[(ShareId, Vec<ShareId>)]) {
        let proof = Box::new(accepted.proof.clone());
        let list = lists.iter().find(|(id, _)| *id == accepted.id).map(|(_, list)| list.clone());
        let message = match list {
            Some(list) if accepted.is_link => Gossip::Link { proof, list },
            _ => Gossip::Share(proof),
        };
        self.send(Command::Publish(message)).await;
    }

    /// Notes gossip that the chain holds.
    fn leave_undecided(&mut self, id: ShareId, token: VerdictToken) {
        // The network itself gives those up that wait too long.
        if self.undecided.len() >= UNDECIDED_MAX {
            self.undecided.pop_front();
        }
        self.undecided.push_back((id, token));
    }

    /// Tells the network what became of gossip that was left undecided.
    async fn decide(&mut self, id: ShareId, verdict: Verdict) {
        if !self.undecided.iter().any(|(known, _)| *known == id) {
            return;
        }
        let (decided, left): (VecDeque<_>, _) = self.undecided.drain(..).partition(|(known, _)| *known == id);
        self.undecided = left;
        for (_, token) in decided {
            self.send(Command::Verdict { token, verdict }).await;
        }
    }

    async fn tell_local(&mut self) -> Result<(), EngineStopped> {
        let local = local(&self.links.engine).await?;
        self.tell_sync(Input::Local(local));
        Ok(())
    }

    async fn on_tick(&mut self) -> Result<(), EngineStopped> {
        self.links.engine.call(|engine| engine.tick(now())).await?;
        self.want_missing(None).await?;
        self.tell_sync(Input::Tick);
        self.show_peers().await;
        Ok(())
    }

    /// Does what the sync machine decided.
    async fn act(&mut self) {
        while let Some(output) = self.sync.poll_output() {
            match output {
                Output::Request { peer, id, request } => {
                    self.requests.insert(id, request.clone());
                    if self.requests.len() > REQUESTS_MAX {
                        self.requests.pop_first();
                    }
                    self.send(Command::Request { peer, id, request }).await;
                }
                Output::Punish { peer, misbehaviour } => self.punish(peer, misbehaviour).await,
                Output::State(state) => self.tell_state(state),
            }
        }
    }

    fn tell_state(&mut self, state: SyncState) {
        self.was_synced |= state == SyncState::Synced;
        let trouble = match state {
            SyncState::Synced => None,
            SyncState::Alone if self.was_synced || self.links.new_pool => None,
            SyncState::Alone => Some(Arc::from(
                "no peer was reached yet; name one in `p2p.peers`, or set `new_pool` if this node starts a new pool",
            )),
            SyncState::Syncing { done, target } if self.was_synced && target.above(done) <= SYNC_GAP_LINKS => None,
            SyncState::Syncing { done, target } => {
                Some(Arc::from(format!("the share-chain is being fetched: link {done} of {target}")))
            }
        };
        self.views.trouble.send_if_modified(|old| {
            let news = *old != trouble;
            *old = trouble;
            news
        });
        self.views.sync.send_replace(state);
    }
}

/// Where this node is, as the sync machine wants to know it.
async fn local(engine: &EngineHandle) -> Result<Local, EngineStopped> {
    engine
        .call(|engine| {
            let chain = engine.chain();
            let work = chain.link(&chain.tip()).map(|link| link.chain_work).unwrap_or_default();
            let bitcoin_locator = wants::bitcoin_locator(chain.bitcoin());
            Local { height: chain.height(), work, locator: chain.locator(), bitcoin_locator }
        })
        .await
}
