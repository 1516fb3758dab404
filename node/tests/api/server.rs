//! A node's API on its own port, and ways to ask it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use node::api::{self, Context};
use node::bitcoind::Bitcoind;
use node::config::Config;
use node::consensus::{self, EngineHandle, Inputs, Started};
use node::devices::SharedDevices;
use node::history::{History, Keeper};
use node::power::Power;
use node::state::{NodeState, PeerView};
use node::submissions::Submissions;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{oneshot, watch};

use crate::config::config;
use crate::pool::Pool;

/// A running API, which stops when this is dropped.
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    pub(crate) node: watch::Sender<NodeState>,
    pub(crate) peers: watch::Sender<Arc<Vec<PeerView>>>,
    pub(crate) engine: EngineHandle,
    pub(crate) history: History,
    http: reqwest::Client,
    _stop: oneshot::Sender<()>,
    _dir: TempDir,
}

impl Api {
    /// Serves this pool.
    pub(crate) async fn of(pool: Pool) -> Self {
        Self::with(pool, None, |_| {}).await
    }

    /// Serves this pool, with a network and another configuration.
    pub(crate) async fn with(pool: Pool, network: Option<p2p::Handle>, change: impl FnOnce(&mut Config)) -> Self {
        let Pool { engine, store, dir, .. } = pool;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut config = config(dir.path(), address, 1_000);
        change(&mut config);
        let config = Arc::new(config);
        let bitcoind = Bitcoind::new(&config.bitcoind, config.network).unwrap();
        let token = api::Token::load(dir.path()).unwrap();
        let power = Power::load(config.power.clone(), dir.path());
        let submissions = Submissions::new(bitcoind, Arc::clone(&store)).unwrap();
        let Started { engine, reader, .. } = consensus::start(engine, Inputs::none());
        let history = History::open(Arc::clone(&store)).unwrap();
        history.catch_up(&reader).await.unwrap();
        let keeper = Keeper { config: Arc::clone(&config), stratum: Arc::default() };
        tokio::spawn(history.clone().run(reader.clone(), keeper));
        let (node, node_state) = watch::channel(NodeState::default());
        let (peers, peer_views) = watch::channel(Arc::default());
        let (own_engine, own_history) = (engine, history.clone());
        let context = Context {
            config,
            chain: reader,
            stratum_key: None,
            history,
            store,
            stratum: Arc::default(),
            devices: SharedDevices::of(power, bitcoin::Network::Signet),
            submissions,
            peers: peer_views,
            network: watch::channel(network).1,
            discovery: watch::channel(p2p::DiscoveryInfo::default()).1,
            manual: node::manual::ManualPeers::load(dir.path()),
            node: node_state,
            reach: watch::channel(Arc::default()).1,
            traffic: p2p::Traffic::default(),
            archive: node::state::ArchiveState::default(),
            token,
            started: Instant::now(),
        };
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            api::serve(listener, context, stopped).await.unwrap();
        });
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { address, node, peers, engine: own_engine, history: own_history, http, _stop: stop, _dir: dir }
    }

    /// The text at a path, with its status.
    pub(crate) async fn text(&self, path: &str) -> (u16, String) {
        let response = self.http.get(format!("http://{}/api/v1{path}", self.address)).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// The answer at a path to a request with these headers.
    pub(crate) async fn ask(&self, path: &str, headers: &[(&str, &str)]) -> reqwest::Response {
        let request = self.http.get(format!("http://{}{path}", self.address));
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
    }

    /// The data folder.
    pub(crate) fn folder(&self) -> &std::path::Path {
        self._dir.path()
    }

    /// The header that opens the owner's part.
    pub(crate) fn token(&self) -> (&'static str, String) {
        let token = std::fs::read_to_string(self._dir.path().join("api-token")).unwrap();
        ("authorization", format!("Bearer {}", token.trim()))
    }

    /// The JSON at a path that must exist.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, text) = self.text(path).await;
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The sentence with which a path must be refused.
    pub(crate) async fn refusal(&self, path: &str, status: u16) -> String {
        let (found, text) = self.text(path).await;
        assert_eq!(found, status, "{path}: {text}");
        sentence(&text)
    }

    /// A connection from another address of loopback.
    pub(crate) async fn connect_from(&self, ip: &str) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(ip.parse().unwrap(), 0)).unwrap();
        socket.connect(self.address).await.unwrap()
    }

    /// Sends bytes unchanged. Returns everything that comes back until the connection ends.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        // The server may close the connection before it has read everything.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }
}

/// The sentence in an error's JSON.
pub(crate) fn sentence(text: &str) -> String {
    let body: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    body["error"].as_str().unwrap().to_owned()
}
