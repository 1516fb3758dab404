//! `shoal run`: starts the parts in the order in which they need each other, and stops them in reverse.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitcoin::hex::DisplayHex;
use ed25519_dalek::SigningKey;
use p2p::Network;
use sharechain::{Chain, ChainParams};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tracing::{info, warn};

use crate::api;
use crate::bitcoind::{Bitcoind, TemplateFeed};
use crate::clock::now;
use crate::config::Config;
use crate::engine::{Engine, EngineHandle};
use crate::error::{NodeError, sentence};
use crate::found::Finds;
use crate::headers::{self, HeaderSource};
use crate::identity;
use crate::peers::{Links, Peers, SyncState, Views, publisher};
use crate::report::Reporter;
use crate::store::{Store, StoreError};
use crate::submissions::Submissions;
use crate::work::{FoundReceiver, Maker, Miners, WorkState};

/// Time that tasks get to end when the node stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// Runs the node until it is told to stop.
///
/// # Errors
/// What kept it from starting, or stopped it.
pub async fn run(config: Config) -> Result<(), NodeError> {
    let config = Arc::new(config);
    let node = Node::start(&config).await?;
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
    async fn bind(config: &Config) -> Result<Self, NodeError> {
        let (miners, found) = Miners::new(config.network, config.address.as_ref());
        let miners = Arc::new(miners);
        let listen = stratum::Config::new(config.stratum.listen);
        let stratum = stratum::Server::bind(listen, Arc::clone(&miners) as _).await?;
        let api = TcpListener::bind(config.api.listen).await;
        let api = api.map_err(|source| NodeError::Listen { what: "the API", address: config.api.listen, source })?;
        Ok(Self { miners, found, stratum, api })
    }
}

impl Node {
    async fn start(config: &Arc<Config>) -> Result<Self, NodeError> {
        let started = Instant::now();
        let params = config.network.chain_params();
        let bitcoind = Bitcoind::new(&config.bitcoind, config.network)?;
        bitcoind.ready().await?;
        let folder = |source| NodeError::DataDir { path: config.data_dir.clone(), source };
        std::fs::create_dir_all(&config.data_dir).map_err(folder)?;
        let key = identity::load(&config.data_dir)?;
        let store = Arc::new(Store::open(&config.store_path(), params.consensus_id())?);
        let consensus_id = params.consensus_id();
        // Bound before anything is replayed: a port in use is known at once.
        let Sockets { miners, found, stratum, api } = Sockets::bind(config).await?;
        let (engine, failure) = open_engine(&bitcoind, params, &store).await?;
        let (network, events) = Network::start(network_config(config, &key, consensus_id))?;
        let submissions = Submissions::new(bitcoind.clone(), Arc::clone(&store))?;
        let source = HeaderSource::new(bitcoind.clone(), engine.clone());
        let (publisher, outgoing) = publisher();
        let (trouble, sync_trouble) = watch::channel(Some(Arc::from("the node has just started")));
        let (sync, sync_state) = watch::channel(SyncState::Alone);
        let (peer_views, peers) = watch::channel(Arc::default());
        let (work, work_state) = watch::channel(WorkState::Waiting("the node has just started".into()));
        let peer_task = Peers::new(
            Links {
                network,
                events,
                outgoing,
                engine: engine.clone(),
                headers: source.clone(),
                submissions: submissions.clone(),
                new_pool: config.new_pool,
            },
            Views { trouble, sync, peers: peer_views },
        )
        .await?;
        let mut parts = JoinSet::new();
        parts.spawn(peer_task.run());
        let feed = TemplateFeed::start(bitcoind.clone());
        let maker = Maker {
            bitcoind,
            feed: feed.subscribe(),
            engine: engine.clone(),
            headers: source,
            miners,
            sync_trouble,
            state: work,
        };
        parts.spawn(maker.run());
        parts.spawn(submissions.clone().resubmit(feed.subscribe()));
        parts.spawn(Finds { engine: engine.clone(), submissions: submissions.clone(), publisher }.run(found));
        let reporter = Reporter {
            engine: engine.clone(),
            feed: feed.subscribe(),
            sync: sync_state,
            work: work_state,
            peers: peers.clone(),
            stratum: stratum.stats(),
        };
        let (state, node_state) = watch::channel(crate::state::NodeState::default());
        parts.spawn(reporter.run(state));
        let (stop, stopped) = watch::channel(false);
        let context = api::Context {
            config: Arc::clone(config),
            engine: engine.clone(),
            store: Arc::clone(&store),
            stratum: stratum.stats(),
            submissions,
            peers,
            node: node_state,
            started,
        };
        let servers = vec![
            tokio::spawn(stratum.run(until(stopped.clone()))),
            tokio::spawn(async move {
                if let Err(error) = api::serve(api, context, until(stopped)).await {
                    warn!(error = sentence(&error), "the API stopped");
                }
            }),
        ];
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

async fn open_engine(
    bitcoind: &Bitcoind,
    params: ChainParams,
    store: &Arc<Store>,
) -> Result<(EngineHandle, oneshot::Receiver<StoreError>), NodeError> {
    let headers = headers::load(bitcoind, &params.bitcoin).await?;
    let (chain, store) = (Chain::new(params, headers), Arc::clone(store));
    let replay = tokio::task::spawn_blocking(move || Engine::open(chain, store, now()));
    let engine = replay.await.map_err(|_| NodeError::Stopped)??;
    info!(links = engine.chain().height().0, "the share-chain was read from disk and checked");
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
