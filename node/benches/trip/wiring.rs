//! The node under test: its real parts, connected as in `shoal run`, but without a bitcoind. Only this file knows how
//! they are connected.

use std::net::{SocketAddr, TcpListener as Probe};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use bitcoin::BlockHash;
use node::api::{self, Context, Token};
use node::bitcoind::Bitcoind;
use node::clock::now;
use node::config::Network;
use node::consensus::{self, EngineHandle, FoundWork, Inputs, PeerLinks, PeerSide, Started};
use node::devices::SharedDevices;
use node::headers::HeaderSource;
use node::history::{History, Keeper};
use node::limits::REFUSED_QUEUE;
use node::miners::{FoundBlocks, Miners};
use node::peers::{self, Builder, Lookups, PeerTips, Server};
use node::state::{NodeState, PeerView};
use node::store::Store;
use node::submissions::Submissions;
use node_core::engine::{ChainEvent, Engine};
use node_core::exchange::{Exchange, SyncState};
use node_core::jobs::{BlockTemplate, Contents, JobBuilder, JobPosition, JobTemplate};
use sharechain::change_set::Source;
use sharechain::check::binding::BoundProof;
use sharechain::{Outcome, U256};
use testkit::World;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc, watch};

use crate::chain::Grown;
use crate::config::config;

/// The running node, as the benchmark sees it.
pub(crate) struct Node {
    engine: EngineHandle,
    /// Address for readers.
    pub(crate) api: SocketAddr,
    /// Addresses for peers, over TCP and over QUIC.
    pub(crate) p2p: [String; 2],
    /// Receives the shares from Stratum.
    pub(crate) miners: Arc<Miners>,
}

impl Node {
    /// Changes of the chain, sent once they are stored.
    pub(crate) fn events(&self) -> broadcast::Receiver<ChainEvent> {
        self.engine.reader().events()
    }

    /// Finds the position of new work like the job builder.
    pub(crate) async fn position(&self, previous: BlockHash) -> JobPosition {
        let found = self.engine.call(move |engine| JobPosition::find(engine.chain_mut(), &previous)).await;
        found.expect("the engine runs").expect("the chain has a position")
    }

    /// Makes a job template that has passed the peers' checks, like the job builder.
    pub(crate) async fn template(
        &self,
        block: Arc<BlockTemplate>,
        contents: Arc<Contents>,
        position: JobPosition,
    ) -> Arc<JobTemplate> {
        let time = now();
        let finishing =
            self.engine.call(move |engine| JobBuilder::finish(engine, block, contents, position, time, now()));
        finishing.await.expect("the engine runs").expect("peers would take it")
    }

    /// Stops the thread that owns the chain.
    pub(crate) async fn end(&self) {
        self.engine.end().await;
    }
}

/// Starts a node on the current runtime, with all proofs in its database in `dir`.
pub(crate) async fn node(grown: &Grown, dir: &Path) -> Node {
    let store = Arc::new(Store::open(&dir.join("db"), grown.params.consensus_id()).expect("a new database"));
    let engine = engine(grown, Arc::clone(&store));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let api = listener.local_addr().expect("it listens");
    let config = Arc::new(config(dir, api, 100));
    let bitcoind = Bitcoind::new(&config.bitcoind, config.network).expect("the settings are right");
    let submissions = Submissions::new(bitcoind.clone(), Arc::clone(&store)).expect("it is empty");
    let (network, events, p2p) = network(&grown.params.consensus_id());
    let (miners, found) = Miners::new(Network::Local, None);
    let peers = Peers { network, events, submissions: submissions.clone() };
    let (Started { engine, reader, .. }, peers) = peers.start(engine, found.shares, bitcoind, &store);
    let blocks = FoundBlocks { submissions: submissions.clone(), solo: mpsc::channel(1).0 };
    tokio::spawn(blocks.run(found.blocks));
    let history = History::open(Arc::clone(&store)).expect("it is empty");
    history.catch_up(&reader).await.expect("the disk works");
    let keeper = Keeper { config: Arc::clone(&config), stratum: Arc::default() };
    tokio::spawn(history.clone().run(reader.clone(), keeper));
    let context = Context {
        chain: reader,
        devices: SharedDevices::default(),
        submissions,
        store,
        stratum_key: None,
        history,
        stratum: Arc::default(),
        peers,
        discovery: watch::channel(p2p::DiscoveryInfo::default()).1,
        manual: node::manual::ManualPeers::load(dir),
        network: watch::channel(None).1,
        node: watch::channel(NodeState::default()).1,
        reach: watch::channel(Arc::default()).1,
        traffic: p2p::Traffic::default(),
        archive: node::state::ArchiveState::default(),
        token: Token::load(dir).expect("the folder can be written"),
        started: Instant::now(),
        config,
    };
    drop(api::start(listener, context, std::future::pending()).expect("the system gives threads"));
    Node { engine, api, p2p, miners: Arc::new(miners) }
}

/// The connections between peers and the thread that owns the chain.
struct Peers {
    network: p2p::Handle,
    events: mpsc::Receiver<p2p_proto::Event>,
    submissions: Submissions,
}

impl Peers {
    /// Starts that thread and all tasks for peers. Returns also a watch of the node's peers.
    fn start(
        self,
        engine: Engine<Store>,
        found: mpsc::Receiver<FoundWork>,
        bitcoind: Bitcoind,
        store: &Arc<Store>,
    ) -> (Started, watch::Receiver<Arc<Vec<PeerView>>>) {
        let Self { network, events, submissions } = self;
        let (tips, tips_seen) = watch::channel(PeerTips::default());
        let (shown, peers_seen) = watch::channel(Arc::default());
        let (refused, _) = mpsc::channel(REFUSED_QUEUE);
        let (trouble, sync) = (watch::Sender::new(None), watch::Sender::new(SyncState::Alone));
        let (lookups, looking_up) = Lookups::new();
        let (server, serving) = Server::new();
        let (builder, built) = Builder::new(bitcoind.clone());
        let links = PeerLinks {
            network: network.clone(),
            events,
            lookups,
            server,
            builder,
            built,
            submissions,
            refused,
            trouble,
            sync,
            tips,
        };
        let exchange = Exchange::new(&engine, true);
        let started = consensus::start(engine, Inputs { found, peers: Some(PeerSide::new(exchange, links)) });
        tokio::spawn(looking_up.run(HeaderSource::new(bitcoind, started.engine.clone())));
        tokio::spawn(serving.run(started.reader.clone(), Arc::clone(store), network.clone()));
        tokio::spawn(peers::show(network, tips_seen, (shown, watch::Sender::new(Arc::default()))));
        (started, peers_seen)
    }
}

/// An engine with all proofs.
fn engine(grown: &Grown, store: Arc<Store>) -> Engine<Store> {
    let chain = World::with(grown.params.clone()).chain;
    let mut engine = Engine::open(chain, store, now()).expect("it is empty");
    engine.insert_bitcoin_headers(&grown.headers, now());
    for (proof, list) in &grown.found {
        let bound = BoundProof::bind(proof.clone(), U256::MAX, engine.chain().consensus_id()).expect("it was mined so");
        let outcome = engine.insert(bound, list.clone(), Source(u64::MAX), now());
        assert!(matches!(outcome, Outcome::Accepted(_)), "{outcome:?}");
        drop(engine.take_events());
    }
    engine
}

/// A network that listens on a free port of loopback, and its addresses.
fn network(consensus_id: &[u8; 32]) -> (p2p::Handle, mpsc::Receiver<p2p_proto::Event>, [String; 2]) {
    // The network reports its addresses only to the peers' task, so the port is chosen first.
    let free = Probe::bind("127.0.0.1:0").and_then(|probe| probe.local_addr()).expect("a free port").port();
    let listen = [format!("/ip4/127.0.0.1/tcp/{free}"), format!("/ip4/127.0.0.1/udp/{free}/quic-v1")];
    let config = p2p::Config { listen: listen.to_vec(), ..p2p::Config::bare([1; 32], *consensus_id) };
    let (handle, events) = p2p::Network::start(config).expect("loopback can be listened on");
    (handle, events, listen)
}
