//! A Bitcoin for the test network: bitcoind's JSON-RPC, judged by Bitcoin Core's own engine.
//!
//! ```text
//! http (cookie, batches) -> rpc (methods) -> state (view, template) -> engine (bitcoinkernel)
//!                                              ^ wallet task: transactions for the pool
//! ```
//!
//! It has no peers, no transaction relay and no wallet calls; everything a pool node asks is there.

mod cookie;
mod engine;
mod http;
mod index;
mod listener;
mod pool;
mod proposal;
mod rpc;
mod state;
mod template;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use self::cookie::Cookie;
pub use self::engine::{EngineError, Verdict};
use self::state::State;
use crate::premine::{self, PremineError};

/// How to run an embedded Bitcoin.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder of its chain and its cookie file; created when missing.
    pub dir: PathBuf,
    /// Where its RPC listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Pause between two transactions of its wallet; none: no transactions.
    pub transaction_interval: Option<Duration>,
}

/// Reasons why an embedded Bitcoin does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The consensus engine cannot be opened.
    #[error("cannot open the chain in {dir}")]
    Engine {
        /// Its folder.
        dir: PathBuf,
        /// Why.
        source: EngineError,
    },
    /// The premined chain cannot be read.
    #[error(transparent)]
    Premine(#[from] PremineError),
    /// The engine refuses the premined chain.
    #[error("the engine refuses premined block {height}: {verdict:?}")]
    PremineRefused {
        /// Height of the block.
        height: u32,
        /// What the engine said.
        verdict: Verdict,
    },
    /// The cookie file cannot be written.
    #[error("cannot write the cookie file {path}")]
    Cookie {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on {listen}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
}

/// A running embedded Bitcoin; it stops when dropped.
pub struct Bitcoin {
    address: SocketAddr,
    cookie_path: PathBuf,
    tasks: JoinSet<()>,
}

impl Bitcoin {
    /// Opens or creates the chain, with the premined blocks in it, and serves its RPC.
    ///
    /// # Errors
    /// [`StartError`], each variant saying what is in the way.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let Config { dir, listen, transaction_interval } = config;
        // Takes some 100 ms on this thread; there is nothing to serve before.
        let state = open(&dir)?;
        let listener = TcpListener::bind(listen).await.map_err(|source| StartError::Listen { listen, source })?;
        let address = listener.local_addr().map_err(|source| StartError::Listen { listen, source })?;
        let cookie_path = dir.join(".cookie");
        let cookie =
            Cookie::write(&cookie_path).map_err(|source| StartError::Cookie { path: cookie_path.clone(), source })?;
        let mut tasks = JoinSet::new();
        tasks.spawn(http::serve(listener, state.clone(), cookie));
        if let Some(interval) = transaction_interval {
            tasks.spawn(make_transactions(state, interval));
        }
        tracing::info!(%address, dir = %dir.display(), "embedded Bitcoin is up");
        Ok(Self { address, cookie_path, tasks })
    }

    /// Where its RPC listens.
    pub fn rpc_address(&self) -> SocketAddr {
        self.address
    }

    /// The file with its RPC credentials.
    pub fn cookie_path(&self) -> &Path {
        &self.cookie_path
    }

    /// Waits until it ends, which it does only when it fails.
    pub async fn wait(mut self) {
        self.tasks.join_next().await;
    }
}

/// Opens the chain and adds the premined blocks it lacks.
fn open(dir: &Path) -> Result<Arc<State>, StartError> {
    let engine = |source| StartError::Engine { dir: dir.to_owned(), source };
    let state = State::open(dir).map_err(engine)?;
    if state.view().index.tip().1.height < premine::BLOCKS {
        for (height, block) in (1..).zip(premine::blocks()?) {
            match state.submit(&block).map_err(engine)? {
                Verdict::Accepted | Verdict::Duplicate => {}
                verdict => return Err(StartError::PremineRefused { height, verdict }),
            }
        }
    }
    Ok(Arc::new(state))
}

async fn make_transactions(state: Arc<State>, interval: Duration) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        state.make_transaction();
    }
}
