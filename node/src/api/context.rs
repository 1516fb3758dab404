//! What handlers share: the parts of the node that answers are made from, and caches between requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::http::HeaderMap;
use node_core::isolation::pool_rates;
use sharechain::chain::Chain;
use tokio::sync::watch;

use super::block_counts::Counted;
use super::error::ApiError;
use super::live_feed::Live;
use super::memory::Memory;
use super::mining_health::{MiningHealth, Surroundings};
use super::peer_groups::Groups;
use super::pool_view::KeptPool;
use super::refusals::Refusals;
use super::token::Token;
use super::windows::Windows;
use crate::clock::now;
use crate::config::Config;
use crate::consensus::ChainReader;
use crate::devices::SharedDevices;
use crate::history::History;
use crate::manual::ManualPeers;
use crate::state::{ArchiveState, NodeState, PeerView};
use crate::store::{Store, StoreError};
use crate::submissions::Submissions;

/// Everything that answers are made from.
#[derive(Clone, Debug)]
pub struct Context {
    /// The node's settings.
    pub config: Arc<Config>,
    /// The share-chain, read from the published view: no answer takes time from the thread that owns it.
    pub chain: ChainReader,
    /// The database, for what the share-chain no longer keeps in memory.
    pub store: Arc<Store>,
    /// The event log, and finds and payments by address and by time.
    pub history: History,
    /// The miners connected here.
    pub stratum: Arc<stratum::Stats>,
    /// The node's public key for miners of Stratum v2, base58check; none if it does not serve them.
    pub stratum_key: Option<String>,
    /// The devices of these miners.
    pub devices: SharedDevices,
    /// bitcoind's verdicts on found blocks.
    pub submissions: Submissions,
    /// The connected peers.
    pub peers: watch::Receiver<Arc<Vec<PeerView>>>,
    /// How other nodes reach this one.
    pub reach: watch::Receiver<Arc<p2p::Reachability>>,
    /// The network; none while the node reads its share-chain.
    pub network: watch::Receiver<Option<p2p::Handle>>,
    /// Peers that the operator added at run time.
    pub manual: ManualPeers,
    /// The address book and the connections that the node makes by itself.
    pub discovery: watch::Receiver<p2p::DiscoveryInfo>,
    /// Bytes of messages from and to peers.
    pub traffic: p2p::Traffic,
    /// How far the archive is behind.
    pub archive: ArchiveState,
    /// State of sync, of mining and of bitcoind.
    pub node: watch::Receiver<NodeState>,
    /// The token of the node's operator.
    pub token: Token,
    /// Start time of the process.
    pub started: Instant,
}

/// The context, and the caches kept between requests.
#[derive(Debug)]
pub(super) struct Api {
    /// The parts of the node that answers are made from.
    pub context: Context,
    /// PPLNS windows by payout script.
    pub windows: Windows,
    /// The last summary of the pool.
    pub pool: KeptPool,
    /// Rejected shares, counted by rule.
    pub refusals: Arc<Refusals>,
    /// Groups of neighboring peers.
    pub groups: Groups,
    /// Memory of this process.
    pub memory: Memory,
    /// States of this node's miners that need attention.
    mining: Mutex<MiningHealth>,
    /// Counts of the pool's blocks.
    pub counted: Arc<Mutex<Counted>>,
    /// The newest live events and their readers.
    pub live: Live,
    /// Start time of the process, seconds since 1970. Taken once, since the monotonic clock and the wall clock drift.
    pub start_unix_s: f64,
    /// The OpenAPI document, JSON.
    pub openapi: String,
}

impl Api {
    /// The context with empty caches and the OpenAPI document.
    pub(super) fn new(context: Context, openapi: String) -> Self {
        let start_unix_s = f64::from(now().0) - context.started.elapsed().as_secs_f64();
        let live = Live::new(&context.config.api.trusted_proxies);
        Self {
            context,
            windows: Windows::default(),
            pool: KeptPool::default(),
            refusals: Arc::default(),
            groups: Groups::default(),
            memory: Memory::default(),
            mining: Mutex::default(),
            counted: Arc::default(),
            live,
            start_unix_s,
            openapi,
        }
    }

    /// The newest published chain. One answer must use one view, so that its parts agree.
    pub(super) fn chain(&self) -> Arc<Chain> {
        self.context.chain.chain()
    }

    /// Reads the database on a blocking thread, off the threads that serve sockets.
    pub(super) async fn read<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    {
        let store = Arc::clone(&self.context.store);
        let result = tokio::task::spawn_blocking(move || work(&store)).await.map_err(|_| ApiError::Stopping)?;
        result.map_err(ApiError::from)
    }

    /// The states of this node's miners.
    pub(super) fn mining(&self) -> MutexGuard<'_, MiningHealth> {
        // A panic leaves it consistent.
        self.mining.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records what the miners do now.
    pub(super) fn look_at_miners(&self) -> stratum::Snapshot {
        let now = now();
        let miners = self.context.devices.look_at(&self.context.stratum, now.0);
        let working = self.context.node.borrow().no_work_because.is_none();
        let resting = self.context.devices.lock().resting(now.0).0 > 0;
        let around = Surroundings { working, resting, pool_hs: pool_rates(&self.chain(), now) };
        self.mining().look(&miners, around, now.0);
        miners
    }

    /// True if a request may see workers and devices: it is the owner's, and the node is not open to everyone.
    pub(super) fn shows_workers(&self, headers: &HeaderMap) -> bool {
        !self.context.config.api.public && self.context.token.is_in(headers)
    }

    /// Rejects a request that may not see workers and devices.
    pub(super) fn for_owner(&self, headers: &HeaderMap) -> Result<(), ApiError> {
        match (self.context.token.is_in(headers), self.context.config.api.public) {
            (true, false) => Ok(()),
            (true, true) => Err(ApiError::Public),
            (false, _) => Err(ApiError::Token),
        }
    }

    /// The Bitcoin network of this node, for addresses.
    pub(super) fn network(&self) -> bitcoin::Network {
        self.context.config.network.into()
    }
}
