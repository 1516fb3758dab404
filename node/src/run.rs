//! `shoal run`: starts the parts in the order in which they need each other, and stops them in reverse.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bitcoin::hex::DisplayHex;
use ed25519_dalek::SigningKey;
use p2p::Network;
use sharechain::{Chain, ChainParams};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tracing::{info, warn};

use crate::api;
use crate::bitcoind::{Bitcoind, TemplateFeed};
use crate::clock::now;
use crate::config::Config;
use crate::engine::{Engine, EngineHandle, forget_final};
use crate::error::{NodeError, sentence};
use crate::exchange::RefusedProof;
use crate::found::Finds;
use crate::headers::{self, HeaderSource};
use crate::history::{History, Observer};
use crate::identity;
use crate::limits::{REFUSED_QUEUE, STOP_TIMEOUT};
use crate::peers::{Links, Peers, SyncState, Views, publisher};
use crate::ports::{tcp_free, udp_free};
use crate::report::Reporter;
use crate::state::NodeState;
use crate::state::PeerView;
use crate::store::{Store, StoreError};
use crate::submissions::Submissions;
use crate::webhooks;
use crate::work::{FoundReceiver, Maker, Miners, WorkState};

/// What becomes of the final link that the last run stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredFinality {
    /// It stays final: no branch without it is followed.
    Keep,
    /// It is forgotten, so that the heaviest branch wins: the operator's way out of a conflict.
    Forget,
}

/// Runs the node until it is told to stop.
///
/// # Errors
/// What kept it from starting, or stopped it.
pub async fn run(config: Config, finality: StoredFinality) -> Result<(), NodeError> {
    let config = Arc::new(config);
    let node = Node::start(&config, finality).await?;
    node.until_stopped().await
}

/// The running parts.
struct Node {
    engine: EngineHandle,
    store: Arc<Store>,
    failure: oneshot::Receiver<StoreError>,
    stop: watch::Sender<bool>,
    servers: Vec<JoinHandle<()>>,
    /// Tasks without which the node is of no use.
    parts: JoinSet<()>,
    /// Keeps following bitcoind for as long as the node runs.
    _feed: TemplateFeed,
}

/// Where miners and readers connect.
struct Sockets {
    miners: Arc<Miners>,
    found: FoundReceiver,
    stratum: stratum::Server,
    api: TcpListener,
}

impl Sockets {
    /// Binds the sockets, and tries the ports for peers, which the network binds itself after the replay.
    async fn bind(config: &Config) -> Result<Self, NodeError> {
        let (miners, found) = Miners::new(config.network, config.address.as_ref());
        let miners = Arc::new(miners);
        let listen = stratum::Config::new(config.stratum.listen);
        let stratum = stratum::Server::bind(listen, Arc::clone(&miners) as _).await?;
        let api = TcpListener::bind(config.api.listen).await;
        let api = api.map_err(|source| NodeError::Listen { what: "the API", address: config.api.listen, source })?;
        for &address in &config.p2p.listen {
            let refused = |source| NodeError::Listen { what: "the connection to other nodes", address, source };
            tcp_free(address).and_then(|()| udp_free(address)).map_err(refused)?;
        }
        Ok(Self { miners, found, stratum, api })
    }
}

/// What other parts see of the task that talks to peers.
struct PeersSeen {
    trouble: watch::Receiver<Option<Arc<str>>>,
    sync: watch::Receiver<SyncState>,
    peers: watch::Receiver<Arc<Vec<PeerView>>>,
    refused: mpsc::Receiver<RefusedProof>,
    /// For proofs of this node's own that break a rule.
    refuse: mpsc::Sender<RefusedProof>,
}

impl Node {
    async fn start(config: &Arc<Config>, finality: StoredFinality) -> Result<Self, NodeError> {
        let started = Instant::now();
        let params = config.network.chain_params();
        let consensus_id = params.consensus_id();
        let bitcoind = Bitcoind::new(&config.bitcoind, config.network)?;
        bitcoind.ready().await?;
        let folder = |source| NodeError::DataDir { path: config.data_dir.clone(), source };
        std::fs::create_dir_all(&config.data_dir).map_err(folder)?;
        let key = identity::load(&config.data_dir)?;
        let token = api::Token::load(&config.data_dir).map_err(folder)?;
        let store = Arc::new(Store::open(&config.store_path(), consensus_id)?);
        // Bound before anything is replayed: a port in use is known at once.
        let Sockets { miners, found, stratum, api } = Sockets::bind(config).await?;
        let (engine, failure) = open_engine(&bitcoind, params, &store, finality).await?;
        let submissions = Submissions::new(bitcoind.clone(), Arc::clone(&store))?;
        let headers = HeaderSource::new(bitcoind.clone(), engine.clone());
        let (publisher, outgoing) = publisher();
        let mut parts = JoinSet::new();
        let (network, events) = Network::start(network_config(config, &key, consensus_id))?;
        let links = Links {
            network,
            events,
            outgoing,
            engine: engine.clone(),
            headers: headers.clone(),
            submissions: submissions.clone(),
            new_pool: config.new_pool,
        };
        let seen = start_peers(&mut parts, links).await?;
        let feed = TemplateFeed::start(bitcoind.clone());
        let work = start_maker(&mut parts, bitcoind, &feed, &engine, headers, miners, seen.trouble.clone());
        parts.spawn(submissions.clone().resubmit(feed.subscribe()));
        let finds =
            Finds { engine: engine.clone(), submissions: submissions.clone(), publisher, refused: seen.refuse.clone() };
        parts.spawn(finds.run(found));
        let node = start_reporter(&mut parts, &engine, &feed, work, &seen, stratum.stats());
        let history = History::open(Arc::clone(&store))?;
        parts.spawn(history.clone().run(engine.clone()));
        let observer = Observer {
            diary: history.diary().clone(),
            engine: engine.clone(),
            node: node.clone(),
            peers: seen.peers.clone(),
            refused: seen.refused,
            stratum: stratum.stats(),
            config: Arc::clone(config),
        };
        start_diary(&mut parts, observer, config);
        let context = api::Context {
            config: Arc::clone(config),
            engine: engine.clone(),
            store: Arc::clone(&store),
            stratum: stratum.stats(),
            history,
            submissions,
            peers: seen.peers,
            node,
            token,
            started,
        };
        let (stop, stopped) = watch::channel(false);
        let servers = start_servers(stratum, api, context, &stopped);
        info!(network = %config.network, consensus_id = %consensus_id.as_hex(), "the node runs");
        Ok(Self { engine, store, failure, stop, servers, parts, _feed: feed })
    }

    /// Waits for a signal or for what makes going on impossible, then stops.
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
            // A connection that does not close in time is cut by the end of the process.
            let _ = tokio::time::timeout(STOP_TIMEOUT, server).await;
        }
        // What was called before this has been done; then everything is on disk.
        let _ = self.engine.call(|_| ()).await;
        self.store.flush()?;
        result
    }
}

fn network_config(config: &Config, key: &SigningKey, consensus_id: [u8; 32]) -> p2p::Config {
    p2p::Config {
        secret_key: key.to_bytes(),
        listen: config.p2p.listen.iter().flat_map(multiaddrs).collect(),
        peers: config.p2p.peers.clone(),
        mdns: config.p2p.mdns,
        consensus_id,
        user_agent: concat!("shoal/", env!("CARGO_PKG_VERSION")).to_owned(),
    }
}

/// Starts the task that talks to peers.
async fn start_peers(parts: &mut JoinSet<()>, links: Links) -> Result<PeersSeen, NodeError> {
    let (trouble, trouble_seen) = watch::channel(Some(Arc::from("the node has just started")));
    let (sync, sync_seen) = watch::channel(SyncState::Alone);
    let (peers, peers_seen) = watch::channel(Arc::default());
    let (refuse, refused) = mpsc::channel(REFUSED_QUEUE);
    let task = Peers::new(links, Views { trouble, sync, peers, refused: refuse.clone() }).await?;
    parts.spawn(task.run());
    Ok(PeersSeen { trouble: trouble_seen, sync: sync_seen, peers: peers_seen, refused, refuse })
}

/// Starts the task that keeps the miners' work up to date.
fn start_maker(
    parts: &mut JoinSet<()>,
    bitcoind: Bitcoind,
    feed: &TemplateFeed,
    engine: &EngineHandle,
    headers: HeaderSource,
    miners: Arc<Miners>,
    sync_trouble: watch::Receiver<Option<Arc<str>>>,
) -> watch::Receiver<WorkState> {
    let (state, seen) = watch::channel(WorkState::Waiting("the node has just started".into()));
    let (feed, engine) = (feed.subscribe(), engine.clone());
    parts.spawn(Maker { bitcoind, feed, engine, headers, miners, sync_trouble, state }.run());
    seen
}

/// Starts the task that gathers what the node says of itself.
fn start_reporter(
    parts: &mut JoinSet<()>,
    engine: &EngineHandle,
    feed: &TemplateFeed,
    work: watch::Receiver<WorkState>,
    seen: &PeersSeen,
    stratum: Arc<stratum::Stats>,
) -> watch::Receiver<NodeState> {
    let (state, node) = watch::channel(NodeState::default());
    let reporter = Reporter {
        engine: engine.clone(),
        feed: feed.subscribe(),
        sync: seen.sync.clone(),
        work,
        peers: seen.peers.clone(),
        stratum,
    };
    parts.spawn(reporter.run(state));
    node
}

/// Starts the task that writes the diary, and the one that sends it to whom the operator named.
fn start_diary(parts: &mut JoinSet<()>, observer: Observer, config: &Config) {
    if let Some(webhooks) = config.webhooks.clone() {
        parts.spawn(webhooks::run(webhooks, config.network.name(), observer.diary.clone()));
    }
    parts.spawn(observer.run());
}

/// Starts the servers for miners and readers; both end when told to stop.
fn start_servers(
    stratum: stratum::Server,
    api: TcpListener,
    context: api::Context,
    stopped: &watch::Receiver<bool>,
) -> Vec<JoinHandle<()>> {
    let end = until(stopped.clone());
    let readers = async move {
        if let Err(error) = api::serve(api, context, end).await {
            warn!(error = sentence(&error), "the API stopped");
        }
    };
    vec![tokio::spawn(stratum.run(until(stopped.clone()))), tokio::spawn(readers)]
}

async fn open_engine(
    bitcoind: &Bitcoind,
    params: ChainParams,
    store: &Arc<Store>,
    finality: StoredFinality,
) -> Result<(EngineHandle, oneshot::Receiver<StoreError>), NodeError> {
    let headers = headers::load(bitcoind, &params.bitcoin).await?;
    if finality == StoredFinality::Forget {
        forget_final(&**store)?;
    }
    let (chain, store) = (Chain::new(params, headers), Arc::clone(store));
    let replay = tokio::task::spawn_blocking(move || Engine::open(chain, store, now()));
    let engine = replay.await.map_err(|_| NodeError::Stopped)??;
    let (links, tip) = (engine.chain().height().0, engine.chain().tip());
    info!(links, %tip, "the share-chain was read from disk and checked");
    let (engine, failure) = engine.start();
    HeaderSource::new(bitcoind.clone(), engine.clone()).catch_up().await?;
    Ok((engine, failure))
}

/// The TCP and QUIC addresses of a socket address, as libp2p writes them.
fn multiaddrs(address: &SocketAddr) -> [String; 2] {
    let (family, ip, port) = match address {
        SocketAddr::V4(v4) => ("ip4", v4.ip().to_string(), v4.port()),
        SocketAddr::V6(v6) => ("ip6", v6.ip().to_string(), v6.port()),
    };
    [format!("/{family}/{ip}/tcp/{port}"), format!("/{family}/{ip}/udp/{port}/quic-v1")]
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // Ends when told, or when whoever would tell is gone.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
