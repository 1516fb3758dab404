//! The web application and the read-only HTTP API: what the node knows, to whoever may reach its port.
//!
//! ```text
//! server.rs     sockets: how many, how long, how much
//! guard.rs      what is refused before any handler sees it: foreign hosts, bodies, too many requests, slow answers
//! tag.rs        tags, so that what a client has is not sent again
//! token.rs      what only the node's owner may see
//! pages.rs      the files of the web application
//! error.rs      one sentence and a status code for everything that can be wrong
//! params.rs     path segments and paging
//! views.rs      pieces that several answers share
//! windows.rs    who earned what up to a link, remembered
//! next_block.rs what a block found now would pay
//! refusals.rs   refused shares, counted by rule
//! decentralisation.rs, bitcoin_pools.rs   in how many hands the pool is, and Bitcoin's mining
//! status.rs, pool.rs, pool_history.rs, links.rs, graph.rs, shares.rs, miners.rs, miner_history.rs, window.rs,
//! blocks.rs, peers.rs, event log.rs, search.rs, live.rs, metrics.rs, openapi.rs
//!               a route or two each, with the types of its answer
//! ```
//!
//! Every answer is made from a copy: the share-chain's owner is asked once for each request and never waits for a
//! socket. The OpenAPI document of the routes is generated from the handlers.

mod bitcoin_pools;
mod blocks;
mod decentralisation;
mod error;
mod event_log;
mod graph;
mod guard;
pub mod limits;
mod links;
mod live;
mod metrics;
mod miner_history;
mod miners;
mod next_block;
mod openapi;
mod pages;
mod params;
mod peers;
mod pool;
mod pool_history;
mod refusals;
mod search;
mod server;
mod shares;
pub mod status;
mod tag;
mod thread;
mod token;
mod views;
mod window;
mod windows;

use std::sync::Arc;
use std::time::Instant;

use sharechain::chain::Chain;
use tokio::sync::watch;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::clock::now;
use crate::config::Config;
use crate::consensus::ChainReader;
use crate::history::History;
use crate::state::{NodeState, PeerView};
use crate::store::{Store, StoreError};
use crate::submissions::Submissions;

pub use server::serve;
pub use status::Status;
pub use thread::start;
pub use token::Token;

use error::ApiError;
use live::Live;
use peers::Groups;
use pool::KeptPool;
use refusals::Refusals;
use status::Memory;
use windows::Windows;

/// What the answers are made from.
#[derive(Clone, Debug)]
pub struct Context {
    /// The node's settings.
    pub config: Arc<Config>,
    /// The share-chain, to read: no answer takes anything from the thread that owns it.
    pub chain: ChainReader,
    /// The database, for what the share-chain no longer keeps in memory.
    pub store: Arc<Store>,
    /// What happened, by address and by time.
    pub history: History,
    /// The miners connected here.
    pub stratum: Arc<stratum::Stats>,
    /// What bitcoind said to found blocks.
    pub submissions: Submissions,
    /// The peers connected now.
    pub peers: watch::Receiver<Arc<Vec<PeerView>>>,
    /// Sync, work and bitcoind.
    pub node: watch::Receiver<NodeState>,
    /// What opens the owner's part.
    pub token: Token,
    /// When the process started.
    pub started: Instant,
}

/// The context, and what is remembered between requests.
#[derive(Debug)]
struct Api {
    context: Context,
    windows: Windows,
    pool: KeptPool,
    refusals: Arc<Refusals>,
    groups: Groups,
    memory: Memory,
    live: Live,
    /// When the process started, seconds since 1970: taken once, since two clocks drift.
    start_unix_s: f64,
    openapi: String,
}

impl Api {
    fn new(context: Context, openapi: String) -> Self {
        let start_unix_s = f64::from(now().0) - context.started.elapsed().as_secs_f64();
        Self {
            context,
            windows: Windows::default(),
            pool: KeptPool::default(),
            refusals: Arc::default(),
            groups: Groups::default(),
            memory: Memory::default(),
            live: Live::new(),
            start_unix_s,
            openapi,
        }
    }

    /// The newest published chain. An answer reads one and the same, so that its parts agree.
    fn chain(&self) -> Arc<Chain> {
        self.context.chain.chain()
    }

    /// Reads the database, away from the threads that serve sockets.
    async fn read<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    {
        let store = Arc::clone(&self.context.store);
        let result = tokio::task::spawn_blocking(move || work(&store)).await.map_err(|_| ApiError::Stopping)?;
        result.map_err(ApiError::from)
    }

    fn network(&self) -> bitcoin::Network {
        self.context.config.network.into()
    }
}

/// All routes, with their document.
fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(status::status))
        .routes(routes!(pool::pool))
        .routes(routes!(pool_history::history))
        .routes(routes!(graph::graph))
        .routes(routes!(links::links))
        .routes(routes!(links::link))
        .routes(routes!(shares::share))
        .routes(routes!(miners::miner))
        .routes(routes!(miner_history::history))
        .routes(routes!(miner_history::shares))
        .routes(routes!(miner_history::payments))
        .routes(routes!(window::window))
        .routes(routes!(blocks::blocks))
        .routes(routes!(blocks::block))
        .routes(routes!(peers::peers))
        .routes(routes!(event_log::log))
        .routes(routes!(event_log::reorganisations))
        .routes(routes!(search::search))
        .routes(routes!(live::events))
        .routes(routes!(metrics::metrics))
        .routes(routes!(openapi::document))
}
