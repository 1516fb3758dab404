//! The listening socket: accepts connections within limits, and runs a session for each.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::admission::{Admission, Full, Ticket};
use crate::connection::{Connection, Neighbors};
use crate::extranonce::Extranonces;
use crate::limits;
use crate::message;
use crate::pool::Pool;
use crate::session::{Start, Timeouts};
use crate::stats::Stats;

/// Pause after `accept` fails, usually because the process has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Multiplier that spreads the first job ids over all values: 2^32 divided by the golden ratio. A
/// device that reconnects gets ids far from its earlier ones.
const JOB_ID_SPREAD: u32 = 0x9e37_79b1;

/// Configuration of a server.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Connections per server.
    pub connections_max: usize,
    /// Connections per IPv4 address or IPv6 /64 network.
    pub connections_per_ip_max: usize,
    /// Difficulty of a new connection. The share target caps it.
    pub initial_difficulty: f64,
    /// Deadlines of each connection.
    pub timeouts: Timeouts,
}

impl Config {
    /// Creates a configuration that listens on `listen`, with the defaults from [`crate::limits`].
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            connections_max: limits::CONNECTIONS_MAX,
            connections_per_ip_max: limits::CONNECTIONS_PER_IP_MAX,
            initial_difficulty: limits::INITIAL_DIFFICULTY,
            timeouts: Timeouts::default(),
        }
    }
}

/// The server cannot listen on an address.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot listen for miners on {listen}; stop the program that uses this port, or choose another port for miners"
)]
pub struct BindError {
    /// The address from [`Config::listen`].
    pub listen: SocketAddr,
    /// Error from the operating system.
    pub source: io::Error,
}

/// A Stratum server with a bound socket. [`Self::run`] serves its miners.
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
    config: Config,
    pool: Arc<dyn Pool>,
    stats: Arc<Stats>,
    extranonces: Arc<Extranonces>,
    stopping: CancellationToken,
}

impl Server {
    /// Binds the socket. Connections queue until [`Self::run`].
    ///
    /// # Errors
    /// Returns the address that the server cannot listen on, with the reason.
    pub async fn bind(config: Config, pool: Arc<dyn Pool>) -> Result<Self, BindError> {
        let fail = |source| BindError { listen: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(fail)?;
        let local_addr = listener.local_addr().map_err(fail)?;
        let (stats, extranonces, stopping) = (Arc::default(), Extranonces::new(), CancellationToken::new());
        Ok(Self { listener, local_addr, config, pool, stats, extranonces, stopping })
    }

    /// Returns the local address, with the actual port if the configuration has port 0.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Returns the statistics. They stay readable while the server runs and after it stops.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.stats)
    }

    /// Serves miners until `shutdown` completes, then closes all connections.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        info!(listen = %self.local_addr, "stratum server started");
        let admission = Admission::new(self.config.connections_max, self.config.connections_per_ip_max);
        let mut connections = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = self.listener.accept() => match accepted {
                    Ok((socket, peer)) => match admission.admit(peer.ip()) {
                        Ok(ticket) => { connections.spawn(self.serve(socket, peer, ticket)); }
                        Err(full) => self.reject(socket, peer, full),
                    },
                    Err(error) => {
                        warn!(%error, "cannot accept a miner's connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(ended) = connections.join_next() => {
                    if let Err(error) = ended {
                        warn!(%error, "the task of a miner's connection panicked");
                    }
                }
            }
        }
        // Each miner reads why it is disconnected, and turns to its next pool at once.
        self.stopping.cancel();
        let told = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(limits::STOP, told).await.is_err() {
            connections.shutdown().await;
        }
        info!(listen = %self.local_addr, "stratum server stopped");
    }

    fn serve(&self, socket: TcpStream, peer: SocketAddr, ticket: Ticket) -> impl Future<Output = ()> + use<> {
        if let Err(error) = socket.set_nodelay(true) {
            debug!(%peer, %error, "cannot set TCP_NODELAY");
        }
        let lease = self.extranonces.issue();
        let start = Start {
            extranonce1: lease.extranonce1(),
            first_job_id: lease.serial().wrapping_mul(JOB_ID_SPREAD),
            initial_difficulty: self.config.initial_difficulty,
            timeouts: self.config.timeouts,
        };
        let stats = Arc::clone(&self.stats);
        let mut id = 0;
        let neighbors = Neighbors { pool: Arc::clone(&self.pool), lease, stopping: self.stopping.clone() };
        let connection = Connection::new(socket, neighbors, start, |session| {
            let slot = stats.open(peer, session.report());
            id = slot.id;
            slot
        });
        async move {
            debug!(connection = id, %peer, "miner connected");
            let ended = connection.run().await;
            debug!(connection = id, %peer, reason = %ended, "miner disconnected");
            drop(ticket);
        }
    }

    /// Rejects a connection with an error message, but without waiting for the miner.
    fn reject(&self, socket: TcpStream, peer: SocketAddr, full: Full) {
        self.stats.count_rejected();
        debug!(%peer, reason = %full, "connection rejected");
        let line = message::rejected(&serde_json::Value::Null, 20, full);
        // The buffer of a new socket has room for one line. If not, the miner only sees the close.
        let _written = socket.try_write(line.as_bytes());
    }
}
