//! The servers for miners and API clients, which start before the share-chain is read.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use p2p_proto::prefix::Prefix;
use sharechain::Chain;
use sharechain::bitcoin_headers::{BitcoinHeaders, Root};
use stratum::{Authority, Balancers, Tls};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::descriptors::room_for_miners;
use crate::api;
use crate::bitcoind::Bitcoind;
use crate::config::{Config, MinerListener, StratumConfig};
use crate::consensus::Views;
use crate::devices::SharedDevices;
use crate::error::NodeError;
use crate::headers::HeadersError;
use crate::history::{Event, EventKind, History};
use crate::identity;
use crate::limits::{READING_LOOK, READING_TOLD};
use crate::manual::ManualPeers;
use crate::memory;
use crate::miners::{FoundQueues, Miners, RestWatch};
use crate::ports;
use crate::power::Power;
use crate::state::{ArchiveState, NodeState, PeerView, READING};
use crate::store::Store;
use crate::submissions::Submissions;

/// Sockets for miners and API clients.
struct Sockets {
    miners: Arc<Miners>,
    found: FoundQueues,
    devices: SharedDevices,
    stratum: stratum::Server,
    /// Public key for miners of Stratum v2, if any may connect.
    stratum_key: Option<String>,
    api: TcpListener,
    /// Addresses for peers.
    p2p: Vec<SocketAddr>,
}

impl Sockets {
    /// Binds the sockets, and checks the ports for peers, which the network itself binds after the replay.
    async fn bind(config: &Config, limits: watch::Receiver<stratum::Limits>) -> Result<Self, NodeError> {
        let (miners, found) = Miners::new(config.network, config.address.as_ref());
        let power = Power::load(config.power.clone(), &config.data_dir);
        let miners = Arc::new(miners.charging(config.stratum.fee.clone()).resting_by(power.clone()));
        let authority = match config.stratum.v2().next() {
            Some(_) => Some(identity::load_authority(&config.data_dir)?),
            None => None,
        };
        let stratum_key = authority.as_ref().map(Authority::public_key_text);
        let stratum = stratum::Config { changes: limits, ..stratum_config(&config.stratum, authority)? };
        let stratum = stratum::Server::bind(stratum, Arc::clone(&miners) as _).await?;
        let api = TcpListener::bind(config.api.listen).await;
        let api = api.map_err(|source| NodeError::Listen { what: "the API", address: config.api.listen, source })?;
        let refused = |(address, source)| NodeError::Listen { what: "the connection to other nodes", address, source };
        if let Some(onion) = &config.p2p.onion {
            ports::tcp_free(onion.listen).map_err(|source| refused((onion.listen, source)))?;
        }
        let p2p = ports::for_peers(&config.p2p.listen).map_err(refused)?;
        tokio::spawn(RestWatch { miners: Arc::clone(&miners), stratum: stratum.stats() }.run());
        let devices = SharedDevices::of(power, config.network.into());
        Ok(Self { miners, found, devices, stratum, stratum_key, api, p2p })
    }
}

/// The configuration of the Stratum server.
fn stratum_config(config: &StratumConfig, authority: Option<Authority>) -> Result<stratum::Config, NodeError> {
    let tls = config.tls.as_ref().map(|(certificate, key)| Tls::from_pem(certificate, key)).transpose()?;
    let listeners =
        config.all().map(|MinerListener { address, difficulty, proxies, tls: secure, v2 }| stratum::Listener {
            address,
            difficulty,
            balancers: (!proxies.is_empty()).then(|| balancers(proxies)),
            tls: tls.clone().filter(|_| secure),
            v2: authority.clone().filter(|_| v2),
        });
    Ok(stratum::Config {
        listeners: listeners.collect(),
        coinbase_limits: config.coinbase_limits.clone().into(),
        connections_max: room_for_miners(stratum::limits::CONNECTIONS_MAX),
        ..stratum::Config::new(config.listen)
    })
}

fn balancers(proxies: Vec<Prefix>) -> Balancers {
    Balancers::new(move |ip| proxies.iter().any(|range| range.contains(ip)))
}

/// The servers for miners and API clients, already running while the node reads its share-chain.
pub(super) struct Front {
    pub(super) miners: Arc<Miners>,
    pub(super) found: FoundQueues,
    pub(super) stratum: Arc<stratum::Stats>,
    pub(super) stratum_key: Option<String>,
    pub(super) devices: SharedDevices,
    pub(super) submissions: Submissions,
    pub(super) history: History,
    pub(super) views: Views,
    pub(super) state: watch::Sender<NodeState>,
    pub(super) peers: watch::Sender<Arc<Vec<PeerView>>>,
    pub(super) discovery: watch::Sender<p2p::DiscoveryInfo>,
    pub(super) reach: watch::Sender<Arc<p2p::Reachability>>,
    /// Addresses to listen on for peers.
    pub(super) p2p_listen: Vec<SocketAddr>,
    pub(super) manual: ManualPeers,
    pub(super) traffic: p2p::Traffic,
    pub(super) archive: ArchiveState,
    pub(super) network: watch::Sender<Option<p2p::Handle>>,
    pub(super) stop: watch::Sender<bool>,
    pub(super) servers: Vec<JoinHandle<()>>,
}

impl Front {
    /// Starts the servers. Until the engine runs, they show a share-chain without links, and reject miners.
    pub(super) async fn start(
        config: &Arc<Config>,
        bitcoind: &Bitcoind,
        store: &Arc<Store>,
        (started, limits): (Instant, watch::Receiver<stratum::Limits>),
    ) -> Result<Self, NodeError> {
        let unusable = |source| NodeError::Token { path: config.data_dir.join(api::TOKEN_FILE), source };
        let token = api::Token::load(&config.data_dir).map_err(unusable)?;
        // Bound before the replay, so that a port in use is reported at once.
        let Sockets { miners, found, devices, stratum, stratum_key, api, p2p: p2p_listen } =
            Sockets::bind(config, limits).await?;
        let params = config.chain_params();
        // bitcoind may not be up yet, and the views are empty before the replay.
        let headers =
            BitcoinHeaders::new(&params.bitcoin, &Root::genesis(&params.bitcoin)).map_err(HeadersError::from)?;
        let views = Views::of(Chain::new(params, headers));
        let submissions = Submissions::new(bitcoind.clone(), Arc::clone(store))?;
        let history = History::open(Arc::clone(store))?;
        let state = watch::Sender::new(NodeState::reading(started, (0, 0.0)));
        let (peers, reach) = (watch::Sender::new(Arc::default()), watch::Sender::new(Arc::default()));
        let manual = ManualPeers::load(&config.data_dir);
        let (discovery, network) = (watch::Sender::new(p2p::DiscoveryInfo::default()), watch::Sender::new(None));
        if let Some(known) = history.event_log().devices() {
            devices.lock().restore(&known);
        }
        let (stats, traffic, archive) = (stratum.stats(), p2p::Traffic::default(), ArchiveState::default());
        let context = api::Context {
            config: Arc::clone(config),
            chain: views.reader(),
            store: Arc::clone(store),
            stratum: Arc::clone(&stats),
            stratum_key: stratum_key.clone(),
            history: history.clone(),
            devices: devices.clone(),
            submissions: submissions.clone(),
            peers: peers.subscribe(),
            reach: reach.subscribe(),
            network: network.subscribe(),
            discovery: discovery.subscribe(),
            manual: manual.clone(),
            traffic: traffic.clone(),
            archive: archive.clone(),
            node: state.subscribe(),
            token,
            started,
        };
        let (stop, stopped) = watch::channel(false);
        let servers = start_servers(stratum, api, context, &stopped)?;
        Ok(Self {
            miners,
            found,
            stratum: stats,
            stratum_key,
            devices,
            submissions,
            history,
            views,
            state,
            peers,
            discovery,
            reach,
            p2p_listen,
            manual,
            traffic,
            archive,
            network,
            stop,
            servers,
        })
    }

    /// Shows a task's progress through the store until it ends. Notes a long read in the event log.
    pub(super) async fn while_reading<T>(&self, store: &Store, reading: impl Future<Output = T>) -> T {
        let (began, mut told) = (Instant::now(), false);
        let mut look = tokio::time::interval(READING_LOOK);
        tokio::pin!(reading);
        let done = loop {
            tokio::select! {
                done = &mut reading => break done,
                _ = look.tick() => {
                    self.state.send_replace(NodeState::reading(began, store.read_so_far()));
                    if !told && began.elapsed() >= READING_TOLD {
                        told = true;
                        self.history.event_log().note(Event::new(EventKind::Start, READING));
                    }
                }
            }
        };
        if told {
            let sentence = format!("the node has read its share-chain in {} s", began.elapsed().as_secs());
            self.history.event_log().note(Event::new(EventKind::Start, sentence));
        }
        done
    }
}

/// Starts the servers for miners and API clients, and the task that returns their memory. All end when `stopped`
/// becomes true.
fn start_servers(
    stratum: stratum::Server,
    api: TcpListener,
    context: api::Context,
    stopped: &watch::Receiver<bool>,
) -> Result<Vec<JoinHandle<()>>, NodeError> {
    let readers = api::start(api, context, until(stopped.clone()))?;
    let give_back = tokio::spawn(memory::give_back(stratum.stats(), until(stopped.clone())));
    Ok(vec![tokio::spawn(stratum.run(until(stopped.clone()))), tokio::spawn(readers), give_back])
}

async fn until(mut stopped: watch::Receiver<bool>) {
    // Ends when the value is true, or when the sender is gone.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}
