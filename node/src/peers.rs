//! The node's side of the network: does what the [`Exchange`] decides, between network, engine and bitcoind.
//!
//! ```text
//! lookup.rs   asks bitcoind for Bitcoin headers, beside the exchange
//! server.rs   answers requests of peers, beside the exchange
//! ```

mod lookup;
mod server;

use std::sync::Arc;
use std::time::{Duration, Instant};

use p2p::{Command, Event, Gossip, Handle, Millis, PeerInfo, Verdict};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Interval, MissedTickBehavior};
use tracing::{debug, warn};

use crate::clock::now;
use crate::engine::{ChainEvent, Engine, EngineHandle, EngineStopped};
use crate::exchange::{Exchange, Input, Now, Output, PeerBlock, RefusedProof};
use crate::headers::HeaderSource;
use crate::limits::PUBLISH_QUEUE;
use crate::state::PeerView;
use crate::submissions::{Submissions, Whose};

use lookup::Lookups;
use server::Server;

pub use crate::exchange::SyncState;

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
    /// Proofs that broke a rule.
    pub refused: mpsc::Sender<RefusedProof>,
}

/// The task.
#[derive(Debug)]
pub struct Peers {
    exchange: Box<Exchange>,
    shell: Shell,
}

/// Everything around the exchange.
#[derive(Debug)]
struct Shell {
    links: Links,
    views: Views,
    started: Instant,
    chain: broadcast::Receiver<ChainEvent>,
    tick: Interval,
    lookups: Lookups,
    server: Server,
}

impl Peers {
    /// Prepares the task.
    ///
    /// # Errors
    /// The engine has stopped.
    pub async fn new(links: Links, views: Views) -> Result<Self, EngineStopped> {
        // Before the exchange looks at the chain, so that it misses nothing.
        let chain = links.engine.events();
        let new_pool = links.new_pool;
        let mut exchange = links.engine.call(move |engine| Box::new(Exchange::new(engine, new_pool))).await?;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let lookups = Lookups::start(links.headers.clone());
        let server = Server::start(links.engine.clone(), links.network.clone());
        let shell = Shell { links, views, started: Instant::now(), chain, tick, lookups, server };
        while let Some(output) = exchange.poll_output() {
            shell.act(output).await;
        }
        Ok(Self { exchange, shell })
    }

    /// Runs until the network or the engine stops.
    pub async fn run(self) {
        let Self { mut exchange, mut shell } = self;
        while let Some(input) = shell.next().await {
            let looks = matches!(input, Input::Tick);
            exchange = match shell.take_in(exchange, input).await {
                Ok(exchange) => exchange,
                Err(EngineStopped) => return,
            };
            if looks {
                shell.show_peers(&exchange).await;
            }
        }
    }
}

impl Shell {
    /// What the exchange has to know next; none when network or engine have stopped.
    async fn next(&mut self) -> Option<Input> {
        loop {
            tokio::select! {
                event = self.links.events.recv() => match event? {
                    // Answered beside this loop: whoever asks much waits for the others, not the chain for them.
                    Event::Request { token, peer: _, request } => self.server.ask(token, request),
                    event => return Some(Input::Network(event)),
                },
                // A Bitcoin block goes out at once, whatever keeps the engine busy.
                Some(message) = self.links.outgoing.recv() => self.send(Command::Publish(message)).await,
                event = self.chain.recv() => match event {
                    Ok(ChainEvent::Changed(changes)) => return Some(Input::Changed(changes)),
                    Ok(ChainEvent::Block(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                    Err(broadcast::error::RecvError::Lagged(missed)) => {
                        debug!(missed, "events of the chain were missed; asking it again");
                        return Some(Input::Missed);
                    }
                },
                lookup = self.lookups.answer() => return Some(lookup.into()),
                _ = self.tick.tick() => return Some(Input::Tick),
            }
        }
    }

    /// Lets the exchange take in what happened, and does what it says. A large response takes several calls of the
    /// engine, between which others have theirs.
    async fn take_in(&self, exchange: Box<Exchange>, input: Input) -> Result<Box<Exchange>, EngineStopped> {
        let mut exchange = self.on_engine(exchange, |exchange, engine, now| exchange.begin(input, engine, now)).await?;
        while exchange.is_unfinished() {
            exchange = self.on_engine(exchange, |exchange, engine, now| exchange.go_on(engine, now)).await?;
        }
        Ok(exchange)
    }

    async fn on_engine(
        &self,
        mut exchange: Box<Exchange>,
        work: impl FnOnce(&mut Exchange, &mut Engine, Now) + Send + 'static,
    ) -> Result<Box<Exchange>, EngineStopped> {
        let started = self.started;
        let worked = self.links.engine.call(move |engine| {
            let millis = Millis(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
            work(&mut exchange, engine, Now { millis, time: now() });
            exchange
        });
        let mut exchange = worked.await?;
        while let Some(output) = exchange.poll_output() {
            self.act(output).await;
        }
        Ok(exchange)
    }

    async fn act(&self, output: Output) {
        match output {
            Output::Network(command) => self.send(command).await,
            Output::LookUp { hash, from } => self.lookups.ask(hash, from).await,
            Output::Block(block) => self.on_block(block).await,
            // When more come than are read, the diary lacks some.
            Output::Refused(proof) => drop(self.views.refused.try_send(proof)),
            Output::State { state, trouble } => {
                self.views.trouble.send_if_modified(|old| {
                    let news = *old != trouble;
                    *old = trouble;
                    news
                });
                self.views.sync.send_replace(state);
            }
        }
    }

    async fn send(&self, command: Command) {
        // Fails only when the network has stopped, which the event loop notices.
        let _ = self.links.network.send(command).await;
    }

    /// Submits and forwards a peer's Bitcoin block; neither waits for the other.
    async fn on_block(&self, block: PeerBlock) {
        let verdict = block.verdict();
        let PeerBlock { token, hash, height, bytes } = block;
        if verdict == Verdict::Accept {
            let submissions = self.links.submissions.clone();
            tokio::spawn(async move { submissions.submit(hash, height, bytes.into(), Whose::Peer).await });
        }
        self.send(Command::Verdict { token, verdict }).await;
    }

    /// Shows the connected peers to whoever looks.
    async fn show_peers(&self, exchange: &Exchange) {
        let Ok(peers) = self.links.network.peers().await else { return };
        let views = peers.into_iter().map(|info| view(info, exchange)).collect();
        self.views.peers.send_replace(Arc::new(views));
    }
}

fn view(info: PeerInfo, exchange: &Exchange) -> PeerView {
    let tip = exchange.tip_of(&info.peer);
    let connected = Duration::from_millis(info.connected_ms);
    let now = Instant::now();
    PeerView {
        id: info.peer.to_string(),
        address: info.addr,
        inbound: info.inbound,
        agent: Some(info.user_agent).filter(|agent| !agent.is_empty()),
        height: tip.map(|tip| tip.height.0),
        tip: tip.map(|tip| tip.tip.block_hash()),
        points: info.points,
        round_trip_ms: info.round_trip_ms,
        since: now.checked_sub(connected).unwrap_or(now),
    }
}
