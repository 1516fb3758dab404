//! The listening sockets: accept connections within limits, and run a session for each.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{debug, info, warn};

use crate::admission::{Admission, Full, Ticket};
use crate::agents::CoinbaseLimits;
use crate::budgets::Budgets;
use crate::connection::{Connection, Neighbors};
use crate::difficulty::DifficultyRange;
use crate::extranonce::Extranonces;
use crate::learnt::Learnt;
use crate::limits;
use crate::listen::listen;
use crate::message;
use crate::paces::Paces;
use crate::pool::{Change, Pool};
use crate::proxy::{self, Balancers, ProxyError};
use crate::session::{Start, Timeouts};
use crate::socket::{Ended, Phase, Reader, Writer, halves, stopping};
use crate::stats::Stats;
use crate::tls::Tls;
use crate::v2::{self, Authority, Host};

/// Pause after `accept` fails, usually because the process has no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Multiplier that spreads the first job ids over all values: 2^32 divided by the golden ratio. A
/// device that reconnects gets ids far from its earlier ones.
const JOB_ID_SPREAD: u32 = 0x9e37_79b1;

/// One address for miners, with what holds for those who connect there.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Address to listen on.
    pub address: SocketAddr,
    /// Difficulties of the jobs.
    pub difficulty: DifficultyRange,
    /// The load balancers that this listener is for, if it is: each connection begins with a PROXY header, which names the
    /// miner's address, and others are not served.
    pub balancers: Option<Balancers>,
    /// Certificate, if the miners speak TLS.
    pub tls: Option<Tls>,
    /// The server's authority key, if the miners speak Stratum v2 over Noise.
    pub v2: Option<Authority>,
}

impl Listener {
    /// Creates a plain listener with the default difficulties.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, difficulty: DifficultyRange::default(), balancers: None, tls: None, v2: None }
    }
}

/// Limits that may change while a server runs. They hold for connections that begin afterwards.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Difficulties of listeners, by their addresses. Others keep theirs.
    pub difficulties: Vec<(SocketAddr, DifficultyRange)>,
    /// What the operator knows of programs.
    pub coinbase_limits: CoinbaseLimits,
}

/// What holds for new connections of a listener.
struct Terms {
    listener: Listener,
    coinbase_limits: CoinbaseLimits,
}

impl Terms {
    /// These terms with other limits.
    fn with(&self, limits: &Limits) -> Self {
        let mut listener = self.listener.clone();
        let new = limits.difficulties.iter().find(|(address, _)| *address == listener.address);
        listener.difficulty = new.map_or(listener.difficulty, |(_, difficulty)| *difficulty);
        Self { listener, coinbase_limits: Arc::clone(&limits.coinbase_limits) }
    }
}

/// Configuration of a server.
#[derive(Clone, Debug)]
pub struct Config {
    /// Addresses to listen on.
    pub listeners: Vec<Listener>,
    /// Connections per server.
    pub connections_max: usize,
    /// Connections per IPv4 address or IPv6 /64 network.
    pub connections_per_ip_max: usize,
    /// Handshakes of TLS or Noise that one such network may begin in a burst.
    pub handshakes_burst: f64,
    /// Messages without work that all connections of one such network may send in a burst.
    pub messages_burst: f64,
    /// What the operator knows of programs.
    pub coinbase_limits: CoinbaseLimits,
    /// Limits that replace those above when they change.
    pub changes: watch::Receiver<Limits>,
    /// Deadlines of each connection.
    pub timeouts: Timeouts,
}

impl Config {
    /// Creates a configuration that listens on `address`, with the defaults from [`crate::limits`].
    pub fn new(address: SocketAddr) -> Self {
        Self {
            listeners: vec![Listener::new(address)],
            connections_max: limits::CONNECTIONS_MAX,
            connections_per_ip_max: limits::CONNECTIONS_PER_IP_MAX,
            handshakes_burst: limits::HANDSHAKES_BURST,
            messages_burst: limits::ADDRESS_MESSAGES_BURST,
            coinbase_limits: CoinbaseLimits::default(),
            changes: watch::channel(Limits::default()).1,
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
    /// The address from [`Listener::address`].
    pub listen: SocketAddr,
    /// Error from the operating system.
    pub source: io::Error,
}

/// A Stratum server with bound sockets. [`Self::run`] serves its miners.
pub struct Server {
    sockets: Vec<(TcpListener, Listener)>,
    shared: Shared,
}

/// What all connections of a server share.
struct Shared {
    pool: Arc<dyn Pool>,
    admission: Arc<Admission>,
    /// Places of user names beyond the first of each connection.
    names: Arc<Admission>,
    handshakes: Budgets,
    /// Messages that no work pays for.
    messages: Arc<Budgets>,
    coinbase_limits: CoinbaseLimits,
    changes: watch::Receiver<Limits>,
    timeouts: Timeouts,
    stats: Arc<Stats>,
    learnt: Arc<Learnt>,
    paces: Arc<Paces>,
    extranonces: Arc<Extranonces>,
    phases: watch::Sender<Phase>,
}

impl Server {
    /// Binds the sockets. Connections queue until [`Self::run`].
    ///
    /// # Errors
    /// Returns the address that the server cannot listen on, with the reason.
    pub async fn bind(config: Config, pool: Arc<dyn Pool>) -> Result<Self, BindError> {
        let mut sockets = Vec::with_capacity(config.listeners.len());
        for listener in config.listeners {
            let fail = |source| BindError { listen: listener.address, source };
            let socket = listen(listener.address).map_err(fail)?;
            let address = socket.local_addr().map_err(fail)?;
            sockets.push((socket, Listener { address, ..listener }));
        }
        let shared = Shared {
            pool,
            admission: Admission::new(config.connections_max, config.connections_per_ip_max),
            names: Admission::new(limits::CONNECTIONS_MAX, limits::WORKERS_MAX),
            handshakes: Budgets::new(config.handshakes_burst, limits::HANDSHAKES_PER_SECOND),
            messages: Arc::new(Budgets::new(config.messages_burst, limits::ADDRESS_MESSAGES_PER_SECOND)),
            coinbase_limits: config.coinbase_limits,
            changes: config.changes,
            timeouts: config.timeouts,
            stats: Arc::default(),
            learnt: Arc::default(),
            paces: Arc::default(),
            extranonces: Extranonces::new(),
            phases: watch::Sender::default(),
        };
        Ok(Self { sockets, shared })
    }

    /// Returns the local addresses, in order of [`Config::listeners`], with the actual ports where those were 0.
    pub fn local_addrs(&self) -> Vec<SocketAddr> {
        self.sockets.iter().map(|(_, listener)| listener.address).collect()
    }

    /// Returns the statistics. They stay readable while the server runs and after it stops.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.shared.stats)
    }

    /// Serves miners until `shutdown` completes, then closes all connections.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let shared = Arc::new(self.shared);
        let mut accepting = JoinSet::new();
        let mut relaying = JoinSet::new();
        relaying.spawn(Arc::clone(&shared).relay(shared.pool.changes()));
        for (socket, listener) in self.sockets {
            accepting.spawn(Arc::clone(&shared).accept(socket, listener));
        }
        shutdown.await;
        shared.phases.send_replace(Phase::Stopping);
        while accepting.join_next().await.is_some() {}
    }
}

impl Shared {
    /// Wakes all connections whenever the pool's work or its readiness changes. Once the pool is gone, they end.
    async fn relay(self: Arc<Self>, mut changes: watch::Receiver<Change>) {
        while changes.changed().await.is_ok() {
            self.phases.send_modify(|_| ());
        }
        self.phases.send_replace(Phase::Stopping);
    }

    /// Accepts the connections of one listener until the server stops.
    async fn accept(self: Arc<Self>, socket: TcpListener, listener: Listener) {
        let (tls, proxy) = (listener.tls.is_some(), listener.balancers.is_some());
        let v2 = listener.v2.as_ref().map(Authority::public_key_text);
        info!(listen = %listener.address, tls, proxy, v2, "stratum server started");
        let mut connections = JoinSet::new();
        let (mut changes, mut phases) = (self.changes.clone(), self.phases.subscribe());
        let mut terms = Arc::new(Terms { listener, coinbase_limits: Arc::clone(&self.coinbase_limits) });
        loop {
            tokio::select! {
                () = stopping(&mut phases) => break,
                Ok(()) = changes.changed() => terms = Arc::new(terms.with(&changes.borrow_and_update())),
                accepted = socket.accept() => match accepted {
                    Ok((socket, peer)) => match self.admit(peer, &terms.listener) {
                        Ok(ticket) => {
                            connections.spawn(Arc::clone(&self).serve(socket, peer, ticket, Arc::clone(&terms)));
                        }
                        Err(full) => self.reject(&socket, peer, &terms.listener, full),
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
        drop(socket);
        // Each miner reads why it is disconnected, and turns to its next pool at once.
        let told = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(limits::STOP, told).await.is_err() {
            connections.shutdown().await;
        }
        info!(listen = %terms.listener.address, "stratum server stopped");
    }

    /// Admits a connection. A load balancer's counts for the address that its header names.
    fn admit(&self, peer: SocketAddr, listener: &Listener) -> Result<Ticket, Full> {
        let mut ticket = self.admission.admit()?;
        if listener.balancers.is_none() {
            ticket.count_for(peer.ip())?;
        }
        Ok(ticket)
    }

    /// Serves one connection until it ends.
    async fn serve(self: Arc<Self>, mut socket: TcpStream, peer: SocketAddr, mut ticket: Ticket, terms: Arc<Terms>) {
        let listener = &terms.listener;
        if let Err(error) = socket.set_nodelay(true) {
            debug!(%peer, %error, "cannot set TCP_NODELAY");
        }
        let mut miner = peer;
        if let Some(balancers) = &listener.balancers {
            miner = match Box::pin(named_by(balancers, &mut socket, peer)).await {
                Ok(miner) => miner,
                Err(error) => return self.note_end(peer, ("", ""), &error.into()),
            };
            if let Err(full) = ticket.count_for(miner.ip()) {
                return self.reject(&socket, miner, listener, full);
            }
        }
        let is_encrypted = listener.tls.is_some() || listener.v2.is_some();
        if is_encrypted && !self.handshakes.admit(miner.ip(), Instant::now()) {
            return self.reject(&socket, miner, listener, Full::Handshakes);
        }
        match &listener.tls {
            None => self.converse(halves(socket.into_split()), miner, &terms).await,
            Some(tls) => match Box::pin(tokio::time::timeout(limits::HELLO, tls.accept(socket))).await {
                Ok(Ok(secure)) => self.converse(halves(tokio::io::split(secure)), miner, &terms).await,
                Ok(Err(error)) => self.note_end(miner, ("", ""), &Ended::Tls(error)),
                Err(_) => self.note_end(miner, ("", ""), &Ended::NoHandshake),
            },
        }
        drop(ticket);
    }

    /// Counts and logs the end of a connection of a program and its first user. What miners, scanners, and the health checks of a load
    /// balancer do by themselves is another kind of line, so that it leaves none of the server's reasons out of a limited log.
    fn note_end(&self, peer: SocketAddr, (agent, user): (&str, &str), ended: &Ended) {
        self.stats.count_closed(ended.name());
        if matches!(ended, Ended::Server(..) | Ended::WriteTimeout) {
            info!(%peer, agent, user, reason = %ended, "miner's connection closed");
        } else {
            info!(%peer, agent, user, reason = %ended, "miner disconnected");
        }
    }

    /// Runs the session of a miner. What it needs is on the heap, so that a connection takes no more memory than its own kind
    /// needs.
    async fn converse(&self, socket: (Reader, Writer), miner: SocketAddr, terms: &Terms) {
        match &terms.listener.v2 {
            Some(authority) => Box::pin(self.converse_v2(socket, miner, (terms, authority))).await,
            None => Box::pin(self.converse_v1(socket, miner, terms)).await,
        }
    }

    /// Runs the session of a miner that speaks Stratum v2.
    async fn converse_v2(&self, socket: (Reader, Writer), miner: SocketAddr, (terms, authority): (&Terms, &Authority)) {
        let host = Host {
            pool: Arc::clone(&self.pool),
            extranonces: Arc::clone(&self.extranonces),
            admission: Arc::clone(&self.admission),
            messages: Arc::clone(&self.messages),
            stats: Arc::clone(&self.stats),
            learnt: Arc::clone(&self.learnt),
            paces: Arc::clone(&self.paces),
            peer: miner,
            difficulty: terms.listener.difficulty,
            coinbase_limits: Arc::clone(&terms.coinbase_limits),
            timeouts: self.timeouts,
        };
        debug!(peer = %miner, "miner connected, stratum v2");
        let (ended, agent) = v2::serve(socket, authority, host, self.phases.subscribe()).await;
        self.note_end(miner, (&agent, ""), &ended);
    }

    /// Runs the session of a miner that speaks Stratum v1.
    async fn converse_v1(&self, socket: (Reader, Writer), miner: SocketAddr, terms: &Terms) {
        let lease = self.extranonces.issue();
        let start = Start {
            extranonce1: lease.extranonce1(),
            first_job_id: lease.serial().wrapping_mul(JOB_ID_SPREAD),
            difficulty: terms.listener.difficulty,
            coinbase_limits: Arc::clone(&terms.coinbase_limits),
            timeouts: self.timeouts,
        };
        let mut id = 0;
        let neighbors = Neighbors {
            pool: Arc::clone(&self.pool),
            lease,
            names: Arc::clone(&self.names),
            messages: Arc::clone(&self.messages),
            learnt: Arc::clone(&self.learnt),
            paces: Arc::clone(&self.paces),
            ip: miner.ip().to_canonical(),
        };
        let mut connection = Connection::new(socket, neighbors, self.phases.subscribe(), start, |session| {
            let slot = self.stats.open(miner, session.report().clone());
            id = slot.id;
            slot
        });
        debug!(connection = id, peer = %miner, "miner connected");
        let ended = connection.run().await;
        self.note_end(miner, connection.told(), &ended);
    }

    /// Rejects a connection with an error message, but without waiting for the miner.
    fn reject(&self, socket: &TcpStream, peer: SocketAddr, listener: &Listener, full: Full) {
        self.stats.count_rejected();
        info!(%peer, reason = %full, "connection rejected");
        if listener.tls.is_none() && listener.v2.is_none() {
            let line = message::rejected(&serde_json::Value::Null, 20, full);
            // The buffer of a new socket has room for one line. If not, the miner only sees the close.
            let _written = socket.try_write(line.as_bytes());
        }
    }
}

/// Returns whose connection it is: the miner that the load balancer's header names, or the load balancer itself.
async fn named_by(balancers: &Balancers, socket: &mut TcpStream, peer: SocketAddr) -> Result<SocketAddr, ProxyError> {
    if !balancers.contain(peer.ip()) {
        return Err(ProxyError::Stranger);
    }
    let named = tokio::time::timeout(limits::HELLO, proxy::read(socket)).await;
    Ok(named.unwrap_or(Err(ProxyError::Late))?.unwrap_or(peer))
}
