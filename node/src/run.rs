//! `shoal run`: starts the parts in the sequence in which they depend on each other, and stops them in reverse.
//!
//! ```text
//! front.rs        what serves miners and API clients, from before the share-chain is read
//! descriptors.rs  the limit of open files
//! ```

mod descriptors;
mod front;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bitcoin::hex::DisplayHex;
use ed25519_dalek::SigningKey;
use node_core::engine::{Engine, Keep, forget_settled};
use node_core::exchange::{Exchange, RefusedProof, SyncState};
use p2p::{BanView, Handle, Network, Traffic};
use sharechain::{Chain, ChainParams};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tracing::info;

use crate::bans;
use crate::bitcoind::{Bitcoind, TemplateFeed};
use crate::clock::now;
use crate::config::{Config, Trust};
use crate::consensus::{self, EngineHandle, Inputs, PeerLinks, PeerSide, Started, Views};
use crate::error::NodeError;
use crate::headers::{self, HeaderSource};
use crate::history::{Keeper, Observer};
use crate::identity;
use crate::isolation::{IsolationView, Watch};
use crate::limits::{REFUSED_QUEUE, SOLO_QUEUE, STOP_TIMEOUT};
use crate::miners::{FoundBlocks, JobBuilderTask, Miners, WorkState, WorkWatch};
use crate::peers::{self, Builder, Lookups, PeerTips, Server};
use crate::report::Reporter;
use crate::state::{NodeState, PeerView};
use crate::store::{Store, StoreError};
use crate::submissions::Submissions;
use crate::webhooks;

use front::Front;

/// What to do with the settled link that the last run stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredSettled {
    /// Keep it settled: a heavier branch without it is a conflict.
    Keep,
    /// Forget it, so that the node follows the heaviest branch: the operator's way to resolve a conflict.
    Forget,
}

/// Runs the node until it is stopped.
///
/// # Errors
/// The node cannot start, or a part of it failed.
pub async fn run(config: Config, settled: StoredSettled) -> Result<(), NodeError> {
    config.require_launched()?;
    let config = Arc::new(config);
    let node = Node::start(&config, settled).await?;
    node.until_stopped().await
}

/// The running parts of the node.
struct Node {
    engine: EngineHandle,
    store: Arc<Store>,
    failure: oneshot::Receiver<StoreError>,
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
    /// Tasks that the node cannot run without.
    parts: JoinSet<()>,
    /// Follows bitcoind for as long as the node runs.
    _feed: TemplateFeed,
}

/// State of peers for other parts of the node.
struct PeersSeen {
    trouble: watch::Receiver<Option<Arc<str>>>,
    sync: watch::Receiver<SyncState>,
    peers: watch::Receiver<Arc<Vec<PeerView>>>,
    refused: mpsc::Receiver<RefusedProof>,
}

impl Node {
    async fn start(config: &Arc<Config>, settled: StoredSettled) -> Result<Self, NodeError> {
        let started = Instant::now();
        let params = config.chain_params();
        let consensus_id = params.consensus_id();
        let bitcoind = Bitcoind::new(&config.bitcoind, config.network)?;
        bitcoind.ready().await?;
        let folder = |source| NodeError::DataDir { path: config.data_dir.clone(), source };
        std::fs::create_dir_all(&config.data_dir).map_err(folder)?;
        let key = identity::load(&config.data_dir)?;
        let store = Arc::new(Store::open(&config.store_path(), consensus_id)?);
        let front = Front::start(config, &bitcoind, &store, started).await?;
        let opening = open_engine(&bitcoind, params, &store, settled, config.store.keep);
        let engine = front.while_reading(&store, opening).await?;
        let Front { miners, found, stratum, submissions, history, views, state, peers: shown, stop, servers, .. } =
            front;
        let banned = bans::load(&config.data_dir);
        let (network, events) = Network::start(network_config(config, &key, (consensus_id, banned, front.traffic)))?;
        front.network.send_replace(Some(network.clone()));
        let mut parts = JoinSet::new();
        parts.spawn(bans::keep(config.data_dir.clone(), network.bans()));
        let peers = Peers { config, network: network.clone(), events, submissions: submissions.clone(), shown };
        let feed = TemplateFeed::start(bitcoind.clone());
        let (Started { engine, reader, failure }, seen) =
            peers.start(&mut parts, engine, found.shares, (&bitcoind, &feed), (&store, views))?;
        let (view, isolation) = watch::channel(IsolationView::default());
        let watch = Watch {
            chain: reader.clone(),
            peers: seen.peers.clone(),
            feed: feed.subscribe(),
            sync_trouble: seen.trouble.clone(),
            bitcoind: bitcoind.clone(),
            config: Arc::clone(config),
            view,
        };
        parts.spawn(watch.run());
        let work =
            start_job_builder(&mut parts, bitcoind, &feed, &engine, miners, (seen.trouble.clone(), isolation.clone()));
        parts.spawn(submissions.clone().resubmit(feed.subscribe()));
        let (solo, solo_blocks) = mpsc::channel(SOLO_QUEUE);
        parts.spawn(FoundBlocks { submissions, solo }.run(found.blocks));
        let node = state.subscribe();
        start_reporter(&mut parts, &reader, &feed, (work, isolation), &seen, Arc::clone(&stratum), state);
        let keeper = Keeper { config: Arc::clone(config), stratum: Arc::clone(&stratum) };
        parts.spawn(history.clone().run(reader.clone(), keeper));
        let observer = Observer {
            event_log: history.event_log().clone(),
            chain: reader,
            node,
            peers: seen.peers,
            refused: seen.refused,
            solo: solo_blocks,
            stratum,
            config: Arc::clone(config),
        };
        start_event_log(&mut parts, observer, config);
        let pool = config.pool.as_str();
        info!(network = %config.network, pool, consensus_id = %consensus_id.as_hex(), "the node is running");
        Ok(Self { engine, store, failure, stop, servers, parts, _feed: feed })
    }

    /// Waits for a signal or a failure, then stops the node.
    async fn until_stopped(mut self) -> Result<(), NodeError> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let result = tokio::select! {
            biased;
            _ = terminate.recv() => Ok(()),
            _ = interrupt.recv() => Ok(()),
            failed = self.failure => match failed {
                Ok(error) => Err(error.into()),
                Err(_) => Err(NodeError::Stopped),
            },
            _ = self.parts.join_next() => Err(NodeError::Stopped),
        };
        info!("stopping");
        self.stop.send_replace(true);
        for server in self.servers {
            // The end of the process cuts connections that do not close in time.
            let _ = tokio::time::timeout(STOP_TIMEOUT, server).await;
        }
        // Completes earlier calls to the consensus thread; then everything is written to disk.
        self.engine.end().await;
        self.store.flush()?;
        result
    }
}

fn network_config(
    config: &Config,
    key: &SigningKey,
    (consensus_id, bans, traffic): ([u8; 32], Vec<BanView>, Traffic),
) -> p2p::Config {
    p2p::Config {
        secret_key: key.to_bytes(),
        listen: config.p2p.listen.iter().flat_map(multiaddrs).collect(),
        peers: config.p2p.peers.clone(),
        mdns: config.p2p.mdns,
        consensus_id,
        user_agent: concat!("shoal/", env!("CARGO_PKG_VERSION")).to_owned(),
        traffic,
        max_upload: config.p2p.max_upload,
        bans,
    }
}

/// What connects the consensus thread with peers.
struct Peers<'a> {
    config: &'a Config,
    network: Handle,
    events: mpsc::Receiver<p2p_proto::Event>,
    submissions: Submissions,
    shown: watch::Sender<Arc<Vec<PeerView>>>,
}

impl Peers<'_> {
    /// Starts the consensus thread, and the tasks for peers that run off it.
    fn start(
        self,
        parts: &mut JoinSet<()>,
        engine: Engine<Store>,
        found: mpsc::Receiver<consensus::FoundWork>,
        (bitcoind, feed): (&Bitcoind, &TemplateFeed),
        (store, views): (&Arc<Store>, Views),
    ) -> Result<(Started, PeersSeen), StoreError> {
        let Peers { config, network, events, submissions, shown } = self;
        let (trouble, trouble_seen) = watch::channel(Some(Arc::from("the node has just started")));
        let (sync, sync_seen) = watch::channel(SyncState::Alone);
        let (tips, tips_seen) = watch::channel(PeerTips::default());
        let peers_seen = shown.subscribe();
        let (refuse, refused) = mpsc::channel(REFUSED_QUEUE);
        let (lookups, looking_up) = Lookups::new();
        let (server, serving) = Server::new();
        let (builder, built) = Builder::new(bitcoind.clone());
        parts.spawn(builder.clone().follow(feed.subscribe()));
        let links = PeerLinks {
            network: network.clone(),
            events,
            lookups,
            server,
            builder,
            built,
            submissions,
            refused: refuse,
            trouble,
            sync,
            tips,
        };
        let mut exchange = Exchange::new(&engine, config.new_pool);
        if let Some(Trust { link, height }) = config.trust {
            exchange.trust(link, height, &engine)?;
        }
        let inputs = Inputs { found, peers: Some(PeerSide::new(exchange, links)) };
        let started = consensus::start_with(engine, inputs, views);
        parts.spawn(looking_up.run(HeaderSource::new(bitcoind.clone(), started.engine.clone())));
        parts.spawn(serving.run(started.reader.clone(), Arc::clone(store), network.clone()));
        parts.spawn(peers::show(network, tips_seen, shown));
        let seen = PeersSeen { trouble: trouble_seen, sync: sync_seen, peers: peers_seen, refused };
        Ok((started, seen))
    }
}

/// Starts the job builder's task.
fn start_job_builder(
    parts: &mut JoinSet<()>,
    bitcoind: Bitcoind,
    feed: &TemplateFeed,
    engine: &EngineHandle,
    miners: Arc<Miners>,
    (sync_trouble, isolation): (watch::Receiver<Option<Arc<str>>>, watch::Receiver<IsolationView>),
) -> watch::Receiver<WorkState> {
    let (state, seen) = watch::channel(WorkState::Waiting("the node has just started".into()));
    let headers = HeaderSource::new(bitcoind.clone(), engine.clone());
    let (heard, feed, engine) = (feed.heard(), feed.subscribe(), engine.clone());
    parts.spawn(WorkWatch { miners: Arc::clone(&miners), heard: heard.clone() }.run());
    let task = JobBuilderTask { bitcoind, feed, engine, headers, miners, sync_trouble, isolation, heard, state };
    parts.spawn(task.run());
    seen
}

/// Starts the task that reports the node's state.
fn start_reporter(
    parts: &mut JoinSet<()>,
    chain: &consensus::ChainReader,
    feed: &TemplateFeed,
    (work, isolation): (watch::Receiver<WorkState>, watch::Receiver<IsolationView>),
    seen: &PeersSeen,
    stratum: Arc<stratum::Stats>,
    state: watch::Sender<NodeState>,
) {
    let reporter = Reporter {
        chain: chain.clone(),
        feed: feed.subscribe(),
        sync: seen.sync.clone(),
        work,
        isolation,
        peers: seen.peers.clone(),
        stratum,
    };
    parts.spawn(reporter.run(state));
}

/// Starts the task that writes the event log, and the one that sends its events to the operator's webhooks.
fn start_event_log(parts: &mut JoinSet<()>, observer: Observer, config: &Config) {
    if let Some(webhooks) = config.webhooks.clone() {
        parts.spawn(webhooks::run(webhooks, config.network.name(), observer.event_log.clone()));
    }
    parts.spawn(observer.run());
}

async fn open_engine(
    bitcoind: &Bitcoind,
    params: ChainParams,
    store: &Arc<Store>,
    settled: StoredSettled,
    keep: Keep,
) -> Result<Engine<Store>, NodeError> {
    let headers = headers::load_up_to_tip(bitcoind, &params, headers::newest_base_height(store)?).await?;
    if settled == StoredSettled::Forget {
        forget_settled(&**store)?;
    }
    let (chain, store) = (Chain::new(params, headers), Arc::clone(store));
    let replay = tokio::task::spawn_blocking(move || Engine::open(chain, store, now()));
    let mut engine = replay.await.map_err(|_| NodeError::Stopped)??;
    engine.set_keep(keep);
    let (links, tip) = (engine.chain().height().0, engine.chain().tip());
    info!(links, %tip, "the share-chain is loaded from disk and checked");
    Ok(engine)
}

/// The TCP and QUIC multiaddrs of a socket address.
fn multiaddrs(address: &SocketAddr) -> [String; 2] {
    let (family, ip, port) = match address {
        SocketAddr::V4(v4) => ("ip4", v4.ip().to_string(), v4.port()),
        SocketAddr::V6(v6) => ("ip6", v6.ip().to_string(), v6.port()),
    };
    [format!("/{family}/{ip}/tcp/{port}"), format!("/{family}/{ip}/udp/{port}/quic-v1")]
}
