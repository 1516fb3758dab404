//! Handle to the network task.

use p2p_proto::book::Book;
use p2p_proto::discovery::Numbers;
use p2p_proto::{Command, PeerId};
use tokio::sync::{mpsc, oneshot};

/// A call to the task.
#[derive(Debug)]
pub(super) enum Call {
    /// Execute a command.
    Command(Command),
    /// Return the connected peers.
    Peers(oneshot::Sender<Vec<PeerInfo>>),
    /// Return the state of discovery.
    Discovery(oneshot::Sender<DiscoveryInfo>),
    /// Return the address book.
    Book(oneshot::Sender<Book>),
    /// The pool's tip is older than it should be, or no longer.
    Stale(bool),
    /// Do not dial this address of an explicit peer any more.
    Forget {
        /// Multiaddress, as it was given.
        address: String,
        /// Whether it was there.
        reply: oneshot::Sender<bool>,
    },
}

/// Data of a connected peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Identity of the peer.
    pub peer: PeerId,
    /// Multiaddress of its first connection.
    pub addr: String,
    /// True if the peer opened that connection.
    pub inbound: bool,
    /// User agent that it sent; printable ASCII.
    pub user_agent: String,
    /// Points for misbehavior, 0 to [`p2p_proto::limits::BAN_POINTS`].
    pub points: u32,
    /// Last round-trip time, milliseconds. `None` before the first ping.
    pub round_trip_ms: Option<u64>,
    /// Time since it connected, milliseconds.
    pub connected_ms: u64,
}

/// State of discovery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiscoveryInfo {
    /// Sizes of the address book, and outbound connections.
    pub numbers: Numbers,
    /// Changes when something changes in the book that should soon be on disk.
    pub generation: u64,
    /// This node's addresses that everybody is told, multiaddrs.
    pub own_addresses: Vec<String>,
}

/// Error: the network task has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the network has stopped")]
pub struct Stopped;

/// Handle to the network task. Clones are cheap.
#[derive(Clone, Debug)]
pub struct Handle {
    calls: mpsc::Sender<Call>,
    local_peer: PeerId,
}

impl Handle {
    pub(super) const fn new(calls: mpsc::Sender<Call>, local_peer: PeerId) -> Self {
        Self { calls, local_peer }
    }

    /// Identity of this node.
    #[must_use]
    pub const fn local_peer(&self) -> PeerId {
        self.local_peer
    }

    /// Sends a command to the task. Waits while [`p2p_proto::limits::COMMANDS_MAX`] commands are queued. The task reads
    /// commands even while its events wait.
    ///
    /// # Errors
    /// [`Stopped`] if the task has ended.
    pub async fn send(&self, command: Command) -> Result<(), Stopped> {
        self.call(Call::Command(command)).await
    }

    /// Returns the connected peers, in order of id.
    ///
    /// # Errors
    /// [`Stopped`] if the task has ended.
    pub async fn peers(&self) -> Result<Vec<PeerInfo>, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.call(Call::Peers(reply)).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// Returns the state of discovery.
    ///
    /// # Errors
    /// [`Stopped`] if the task has ended.
    pub async fn discovery(&self) -> Result<DiscoveryInfo, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.call(Call::Discovery(reply)).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// Returns a copy of the address book.
    ///
    /// # Errors
    /// [`Stopped`] if the task has ended.
    pub async fn book(&self) -> Result<Book, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.call(Call::Book(reply)).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// Says whether the pool's tip is older than it should be. While it is, the node looks for better peers.
    ///
    /// # Errors
    /// [`Stopped`] if the task has ended.
    pub async fn set_stale(&self, is_stale: bool) -> Result<(), Stopped> {
        self.call(Call::Stale(is_stale)).await
    }

    /// Stops dialing an explicit peer's address. Returns whether it was dialed.
    ///
    /// # Errors
    /// [`Stopped`] if the task has ended.
    pub async fn forget(&self, address: String) -> Result<bool, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.call(Call::Forget { address, reply }).await?;
        answer.await.map_err(|_| Stopped)
    }

    async fn call(&self, call: Call) -> Result<(), Stopped> {
        self.calls.send(call).await.map_err(|_| Stopped)
    }
}
