//! `shoal run`: starts the parts in the order in which they depend on each other, and stops them in reverse.
//!
//! ```text
//! network.rs      the network, with its bans, address book, and peers
//! front.rs        the servers for miners and API clients, which start before the share-chain is read
//! descriptors.rs  the limit of open files
//! waiting.rs      waits for a bitcoind that cannot be used yet
//! signals.rs      stops the node on a signal, or reads settings again
//! service.rs      reports to systemd
//! ```

mod descriptors;
mod front;
mod network;
mod service;
mod signals;
mod waiting;

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bitcoin::hex::DisplayHex;
use node_core::engine::{Engine, Keep, forget_settled};
use node_core::exchange::{Exchange, RefusedProof, SyncState};
use p2p::{Handle, Reachability};
use sharechain::Chain;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};
use tracing::{info, warn};

use crate::archiving::{Streamer, Streaming};
use crate::bans;
use crate::bitcoind::{Bitcoind, TemplateFeed};
use crate::check;
use crate::clock::now;
use crate::config::{Config, Trust};
use crate::consensus::{self, EngineHandle, Inputs, PeerLinks, PeerSide, Started, Views};
use crate::error::NodeError;
use crate::headers::{self, HeaderSource};
use crate::history::{Keeper, Observer};
use crate::identity;
use crate::isolation::{IsolationView, Watch};
use crate::lan::own_addresses;
use crate::limits::{REFUSED_QUEUE, SOLO_QUEUE, STOP_TIMEOUT};
use crate::miners::{FoundBlocks, JobBuilderTask, Miners, Proposals, WorkState, WorkWatch};
use crate::notify::Receivers;
use crate::pair;
use crate::peers::{self, BookFile, Builder, Lookups, PeerTips, Server};
use crate::report::Reporter;
use crate::state::{NodeState, PeerView};
use crate::store::{Store, StoreError};
use crate::stratum_url;
use crate::submissions::Submissions;
use crate::tor;

pub(crate) use signals::Reload;

use front::Front;
use service::Service;
use signals::{Reloaded, Signals};

/// What to do with the settled link that the last run stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StoredSettled {
    /// Keep it settled: a heavier branch without it is a conflict.
    Keep,
    /// Forget it, so that the node follows the heaviest branch: the operator's way to resolve a conflict.
    Forget,
}

/// Runs the node until it is stopped.
///
/// # Errors
/// The node cannot start, or a part of it failed.
pub(crate) async fn run(config: Config, settled: StoredSettled, reload: Reload) -> Result<(), NodeError> {
    config.require_launched()?;
    if let Some(words) = check::exposed(&config) {
        warn!("{words}");
    }
    let config = Arc::new(config);
    let mut signals = Signals::new(reload)?;
    let reloaded = signals.reloaded();
    let node = tokio::select! {
        node = Node::start(&config, settled, reloaded) => node?,
        signal = signals.stop() => {
            info!(signal, "stopping before the start was complete");
            service::stopping();
            return Ok(());
        }
    };
    node.until_stopped(signals).await
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
    /// The stream into the archive.
    streaming: Option<Streaming>,
    /// The address book, and the network that owns it.
    book: (BookFile, Handle),
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
    async fn start(
        config: &Arc<Config>,
        settled: StoredSettled,
        Reloaded { notify, limits }: Reloaded,
    ) -> Result<Self, NodeError> {
        let (started, params) = (Instant::now(), config.chain_params());
        let consensus_id = params.consensus_id();
        let bitcoind = Bitcoind::new(&config.bitcoind, config.network)?;
        make_data_folder(&config.data_dir)?;
        let (key, store) =
            (identity::load(&config.data_dir)?, Arc::new(Store::open(&config.store_path(), consensus_id)?));
        let front = Front::start(config, &bitcoind, &store, (started, limits)).await?;
        offer_pairing(config);
        let (serving, served) = watch::channel(None);
        tokio::spawn(Service { state: front.state.subscribe(), engine: served }.run());
        let headers = front.headers(&bitcoind, &params, headers::newest_base_height(&store)?).await;
        let opening = open_engine(Chain::new(params, headers), &store, settled, config.store.keep);
        let mut engine = front.while_reading(&store, opening).await?;
        let replayed = engine.take_replayed();
        let Front { miners, found, stratum, stratum_key, devices, submissions, history, views, .. } = front;
        let (node, state, stop, servers) = (front.state.subscribe(), front.state, front.stop, front.servers);
        let (network, events, book) =
            network::start(config, (&front.p2p_listen, &front.manual), &key, (consensus_id, front.traffic))?;
        front.network.send_replace(Some(network.clone()));
        let mut parts = JoinSet::new();
        parts.spawn(bans::keep(config.data_dir.clone(), network.bans()));
        start_onion(&mut parts, config, &network);
        let shown = (front.peers, front.reach);
        let peers = Peers { config, network: network.clone(), events, submissions: submissions.clone(), shown };
        let feed = TemplateFeed::start(bitcoind.clone());
        let (Started { engine, reader, failure }, seen) =
            peers.start(&mut parts, engine, found.shares, (&bitcoind, &feed), (&store, views))?;
        serving.send_replace(Some(engine.clone()));
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
        parts.spawn(submissions.clone().resubmit(feed.each()));
        parts.spawn(peers::keep(book.clone(), network.clone(), reader.clone(), front.discovery));
        let streaming = Streamer::start(config, &store, &reader, (&key, replayed), front.archive);
        let (solo, solo_blocks) = mpsc::channel(SOLO_QUEUE);
        parts.spawn(FoundBlocks { submissions, solo }.run(found.blocks));
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
            devices,
            config: Arc::clone(config),
        };
        parts.spawn(Receivers::new(config, notify).run(observer.event_log.clone()));
        parts.spawn(observer.run());
        tell_running(config, &consensus_id, stratum_key.as_deref());
        Ok(Self { engine, store, failure, stop, servers, parts, streaming, book: (book, network), _feed: feed })
    }

    /// Waits for a signal or a failure, then stops the node.
    async fn until_stopped(mut self, mut signals: Signals) -> Result<(), NodeError> {
        let result = tokio::select! {
            biased;
            signal = signals.stop() => {
                info!(signal, "stopping");
                Ok(())
            }
            failed = self.failure => match failed {
                Ok(error) => Err(error.into()),
                Err(_) => Err(NodeError::Stopped),
            },
            _ = self.parts.join_next() => Err(NodeError::Stopped),
        };
        service::stopping();
        self.stop.send_replace(true);
        for server in self.servers {
            // The end of the process cuts connections that do not close in time.
            let _ = tokio::time::timeout(STOP_TIMEOUT, server).await;
        }
        let (book, network) = &self.book;
        book.save(network).await;
        // Completes earlier calls to the consensus thread; then everything is written to disk.
        self.engine.end().await;
        if let Some(streaming) = self.streaming {
            streaming.end().await;
        }
        self.store.flush()?;
        result
    }
}

fn make_data_folder(path: &Path) -> Result<(), NodeError> {
    std::fs::create_dir_all(path).map_err(|source| NodeError::DataDir { path: path.to_owned(), source })
}

/// Logs that the node runs, and where miners of Stratum v2 reach it.
fn tell_running(config: &Config, consensus_id: &[u8; 32], stratum_key: Option<&str>) {
    let pool = config.pool.as_str();
    let v2 = stratum_key.map(|key| stratum_url::all_v2(&config.stratum, key, &own_addresses()).join(" "));
    info!(network = %config.network, pool, consensus_id = %consensus_id.as_hex(), v2, "the node is running");
}

/// Prints a pairing link for a browser, only on a terminal, since other people may read a log.
fn offer_pairing(config: &Config) {
    let mut out = std::io::stdout();
    if out.is_terminal()
        && let Err(error) = pair::first(config, &mut out)
    {
        warn!(%error, "no link to the web pages can be shown; `shoal pair` shows one");
    }
}

/// Starts the task that keeps the node's onion service, if it has one.
fn start_onion(parts: &mut JoinSet<()>, config: &Config, network: &Handle) {
    if let Some(onion) = config.p2p.onion.clone() {
        parts.spawn(tor::run(onion, config.data_dir.clone(), network.clone()));
    }
}

/// Connects the consensus thread with peers.
struct Peers<'a> {
    config: &'a Config,
    network: Handle,
    events: mpsc::Receiver<p2p_proto::Event>,
    submissions: Submissions,
    /// Publishes the connected peers, and how other nodes reach this one.
    shown: (watch::Sender<Arc<Vec<PeerView>>>, watch::Sender<Arc<Reachability>>),
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
        let peers_seen = shown.0.subscribe();
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
    feed.believe(headers.clone());
    let (heard, feed, engine) = (feed.heard(), feed.subscribe(), engine.clone());
    parts.spawn(WorkWatch { miners: Arc::clone(&miners), heard: heard.clone() }.run());
    let proposals = Proposals::new(watch::Sender::new(None));
    let task =
        JobBuilderTask { bitcoind, feed, engine, headers, miners, sync_trouble, isolation, heard, state, proposals };
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

async fn open_engine(
    chain: Chain,
    store: &Arc<Store>,
    settled: StoredSettled,
    keep: Keep,
) -> Result<Engine<Store>, NodeError> {
    if settled == StoredSettled::Forget {
        forget_settled(&**store)?;
    }
    let store = Arc::clone(store);
    let replay = tokio::task::spawn_blocking(move || {
        let mut engine = Engine::open(chain, store, now())?;
        engine.keep_headers()?;
        Ok::<_, StoreError>(engine)
    });
    let mut engine = replay.await.map_err(|_| NodeError::Stopped)??;
    engine.set_keep(keep);
    let (links, tip) = (engine.chain().height().0, engine.chain().tip());
    info!(links, %tip, "the share-chain is loaded from disk and checked");
    Ok(engine)
}
