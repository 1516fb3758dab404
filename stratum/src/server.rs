//! The listening socket: takes connections, within limits, and gives each its session.

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

/// Pause after the system refused to accept a connection, usually for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Multiplier that spreads first job ids over all values (2^32 divided by the golden ratio): a
/// device that reconnects gets ids far from those it saw.
const JOB_ID_SPREAD: u32 = 0x9e37_79b1;

/// What an operator may choose.
#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Connections in all.
    pub connections_max: usize,
    /// Connections of one IP address.
    pub connections_per_ip_max: usize,
    /// Difficulty of a new connection; the share target caps it.
    pub initial_difficulty: f64,
    /// Deadlines.
    pub timeouts: Timeouts,
}

impl Config {
    /// Listens on `listen`, with the defaults of [`crate::limits`].
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

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen for miners on {listen}; stop what uses that port, or choose another one for miners")]
pub struct BindError {
    /// The address.
    pub listen: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

/// A Stratum server that listens already.
pub struct Server {
    listener: TcpListener,
    local_addr: SocketAddr,
    config: Config,
    pool: Arc<dyn Pool>,
    stats: Arc<Stats>,
    serials: Serials,
}

impl Server {
    /// Starts to listen; connections wait until [`Self::run`].
    ///
    /// # Errors
    /// Says which address cannot be listened on and why.
    pub async fn bind(config: Config, pool: Arc<dyn Pool>) -> Result<Self, BindError> {
        let fail = |source| BindError { listen: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(fail)?;
        let local_addr = listener.local_addr().map_err(fail)?;
        Ok(Self { listener, local_addr, config, pool, stats: Arc::default(), serials: Serials::new() })
    }

    /// Returns the address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Returns the statistics, which stay readable while the server runs and after.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.stats)
    }

    /// Serves miners until `shutdown` completes, then closes every connection.
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
                        Err(full) => self.turn_away(socket, peer, full),
                    },
                    Err(error) => {
                        warn!(%error, "cannot accept a miner's connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                Some(ended) = connections.join_next() => {
                    if let Err(error) = ended {
                        warn!(%error, "a miner's connection failed inside the server");
                    }
                }
            }
        }
        connections.shutdown().await;
        info!(listen = %self.local_addr, "stratum server stopped");
    }

    fn serve(&self, socket: TcpStream, peer: SocketAddr, ticket: Ticket) -> impl Future<Output = ()> + use<> {
        if let Err(error) = socket.set_nodelay(true) {
            debug!(%peer, %error, "cannot switch off Nagle's algorithm");
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

    /// Tells a miner why it is turned away, as far as that needs no waiting.
    fn turn_away(&self, socket: TcpStream, peer: SocketAddr, full: Full) {
        self.stats.count_refused();
        debug!(%peer, reason = %full, "miner turned away");
        let line = message::refused(&serde_json::Value::Null, 20, full);
        // A fresh socket's buffer takes one line at once; if not, the miner just sees the close.
        let _told = socket.try_write(line.as_bytes());
    }
}

/// Numbers for connections: none is given twice in the process's life.
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

    /// The start time in extranonce1 keeps connections of successive processes apart as well.
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
