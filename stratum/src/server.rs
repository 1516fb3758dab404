//! The listening socket: accepts connections within limits, and runs a session for each.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tracing::{debug, info, warn};

use crate::admission::{Admission, Full, Ticket};
use crate::connection::Connection;
use crate::limits;
use crate::message;
use crate::pool::{EXTRANONCE1_BYTES, Pool};
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
    serials: Serials,
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
        Ok(Self { listener, local_addr, config, pool, stats: Arc::default(), serials: Serials::new() })
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
                    Ok((_, peer)) if !self.pool.is_ready() => debug!(%peer, "no work yet: a miner is turned away"),
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
        connections.shutdown().await;
        info!(listen = %self.local_addr, "stratum server stopped");
    }

    fn serve(&self, socket: TcpStream, peer: SocketAddr, ticket: Ticket) -> impl Future<Output = ()> + use<> {
        if let Err(error) = socket.set_nodelay(true) {
            debug!(%peer, %error, "cannot set TCP_NODELAY");
        }
        let start = self.serials.next(&self.config);
        let stats = Arc::clone(&self.stats);
        let mut id = 0;
        let connection = Connection::new(socket, Arc::clone(&self.pool), start, |session| {
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

/// Issues the parameters of each session: unique extranonces and job ids.
struct Serials {
    started_s: u32,
    next: AtomicU32,
}

impl Serials {
    fn new() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started_s = u32::try_from(since_1970.as_secs() & u64::from(u32::MAX)).unwrap_or_default();
        Self { started_s, next: AtomicU32::new(0) }
    }

    /// Returns the parameters of the next session. Extranonce1 is the start time of the process followed by
    /// a serial number, so it also differs between successive processes.
    fn next(&self, config: &Config) -> Start {
        let serial = self.next.fetch_add(1, Ordering::Relaxed);
        let mut extranonce1 = [0; EXTRANONCE1_BYTES];
        extranonce1[..4].copy_from_slice(&self.started_s.to_be_bytes());
        extranonce1[4..].copy_from_slice(&serial.to_be_bytes());
        Start {
            extranonce1,
            first_job_id: serial.wrapping_add(1).wrapping_mul(JOB_ID_SPREAD),
            initial_difficulty: config.initial_difficulty,
            timeouts: config.timeouts,
        }
    }
}
