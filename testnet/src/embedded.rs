//! A Bitcoin for the test network: bitcoind's JSON-RPC on top of Bitcoin Core's consensus engine.
//!
//! ```text
//! http (cookie, batches) -> rpc (methods) -> state (view, template) -> engine (bitcoinkernel)
//!                                              ^ wallet task: transactions for the pool
//! ```
//!
//! It has no peers, no transaction relay and no wallet calls. It serves every call that a pool node makes.

pub(crate) mod cookie;
mod engine;
pub(crate) mod http;
mod index;
mod listener;
mod pool;
mod proposal;
pub(crate) mod rpc;
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

/// Options of an embedded Bitcoin.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder of its chain and its cookie file. It is created if it is missing.
    pub dir: PathBuf,
    /// Address of its RPC. Port 0 chooses a free port.
    pub listen: SocketAddr,
    /// Pause between two transactions of its wallet. `None` means no transactions.
    pub transaction_interval: Option<Duration>,
}

/// An error that prevents an embedded Bitcoin from starting.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The consensus engine cannot be opened.
    #[error("cannot open the chain in {dir}")]
    Engine {
        /// The chain's folder.
        dir: PathBuf,
        /// The cause.
        source: EngineError,
    },
    /// The premined chain cannot be read.
    #[error(transparent)]
    Premine(#[from] PremineError),
    /// The engine rejects the premined chain.
    #[error("the engine rejects premined block {height}: {verdict:?}")]
    PremineRejected {
        /// Height of the block.
        height: u32,
        /// The engine's verdict.
        verdict: Verdict,
    },
    /// The cookie file cannot be written.
    #[error("cannot write the cookie file {path}")]
    Cookie {
        /// Path of the file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The server cannot listen on its address.
    #[error("cannot listen on {listen}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// The cause.
        source: std::io::Error,
    },
}

/// A running embedded Bitcoin. It stops when dropped.
pub struct Bitcoin {
    address: SocketAddr,
    cookie_path: PathBuf,
    state: Arc<State>,
    tasks: JoinSet<()>,
}

impl Bitcoin {
    /// Opens the chain, or creates it with the premined blocks, and serves its RPC.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let Config { dir, listen, transaction_interval } = config;
        // Takes about 100 ms on this thread. Nothing can be served earlier.
        let state = open(&dir)?;
        let listener = TcpListener::bind(listen).await.map_err(|source| StartError::Listen { listen, source })?;
        let address = listener.local_addr().map_err(|source| StartError::Listen { listen, source })?;
        let cookie_path = dir.join(".cookie");
        let cookie =
            Cookie::write(&cookie_path).map_err(|source| StartError::Cookie { path: cookie_path.clone(), source })?;
        let mut tasks = JoinSet::new();
        tasks.spawn(http::serve(listener, Arc::new(rpc::Calls(state.clone())), cookie));
        if let Some(interval) = transaction_interval {
            tasks.spawn(make_transactions(state.clone(), interval));
        }
        tracing::info!(%address, dir = %dir.display(), "embedded Bitcoin is up");
        Ok(Self { address, cookie_path, state, tasks })
    }

    /// Returns the address of its RPC.
    pub fn rpc_address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the path of its cookie file.
    pub fn cookie_path(&self) -> &Path {
        &self.cookie_path
    }

    /// Fills the pool with this many valid transactions of the wallet, in long chains of dependencies. Returns how many
    /// there are.
    pub fn fill(&self, transactions: usize) -> usize {
        self.state.fill(transactions)
    }

    /// Waits until it ends, which happens only if it fails.
    pub async fn wait(mut self) {
        self.tasks.join_next().await;
    }
}

/// Opens the chain and adds missing premined blocks.
fn open(dir: &Path) -> Result<Arc<State>, StartError> {
    let engine = |source| StartError::Engine { dir: dir.to_owned(), source };
    let state = State::open(dir).map_err(engine)?;
    if state.view().index.tip().1.height < premine::BLOCKS {
        for (height, block) in (1..).zip(premine::blocks()?) {
            match state.submit(&block).map_err(engine)? {
                Verdict::Accepted | Verdict::Duplicate => {}
                verdict => return Err(StartError::PremineRejected { height, verdict }),
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
