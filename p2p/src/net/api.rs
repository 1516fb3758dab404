//! Handle to the network task.

use std::sync::Arc;
use std::time::Instant;

use super::StartError;
use super::reach::Reachability;
use p2p_proto::bans::{Banned, TooManyBans};
use p2p_proto::book::Book;
use p2p_proto::discovery::Numbers;
use p2p_proto::limits::EXPLICIT_PEERS_MAX;
use p2p_proto::{Command, PeerId};
use tokio::sync::{mpsc, oneshot, watch};

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
    /// The pool's tip became stale, or is no longer stale.
    Stale(bool),
    /// Return how other nodes reach this one.
    Reachability(oneshot::Sender<Reachability>),
    /// The node's onion service has this multiaddress.
    Onion(String),
    /// Stay connected with the node at this multiaddress; return it as it is shown.
    AddPeer(String, oneshot::Sender<Result<String, NotAdded>>),
    /// No longer stay connected with the node at this multiaddress; return whether that was so.
    RemovePeer(String, oneshot::Sender<bool>),
    /// Return the peers to stay connected with.
    ManualPeers(oneshot::Sender<Vec<ManualPeer>>),
    /// Add a ban of the operator.
    Ban(BanView, oneshot::Sender<Result<(), TooManyBans>>),
    /// Lift a ban; return whether there was one.
    Unban(Banned, oneshot::Sender<bool>),
}

/// A ban, and when it ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BanView {
    /// Its scope.
    pub what: Banned,
    /// When it ends.
    pub until: Instant,
    /// True if the operator decided it.
    pub by_operator: bool,
    /// Why; at most [`p2p_proto::limits::REASON_CHARS_MAX`] characters.
    pub reason: String,
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
    /// Score in gossipsub, rounded: below 0 the peer is in no mesh; below -100 its messages are ignored.
    pub gossip_score: i32,
    /// Last round-trip time, milliseconds. `None` before the first ping.
    pub round_trip_ms: Option<u64>,
    /// Time since it connected, milliseconds.
    pub connected_ms: u64,
}

/// A peer that the operator named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManualPeer {
    /// Its multiaddress, with `/p2p/<peer id>` if the operator gave that.
    pub address: String,
    /// True while it is connected.
    pub is_connected: bool,
}

/// Reason why a peer that the operator names is not added.
#[derive(Debug, thiserror::Error)]
pub enum NotAdded {
    /// The address is unusable.
    #[error(transparent)]
    Address(#[from] StartError),
    /// The list is full.
    #[error(
        "the node already stays connected with {EXPLICIT_PEERS_MAX} peers that its operator named; remove one first"
    )]
    TooMany,
}

/// State of discovery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiscoveryInfo {
    /// Sizes of the address book, and outbound connections.
    pub numbers: Numbers,
    /// Changes whenever the book should be written to disk soon.
    pub generation: u64,
    /// This node's public addresses, multiaddrs.
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
    bans: watch::Receiver<Arc<Vec<BanView>>>,
}

impl Handle {
    pub(super) const fn new(
        calls: mpsc::Sender<Call>,
        local_peer: PeerId,
        bans: watch::Receiver<Arc<Vec<BanView>>>,
    ) -> Self {
        Self { calls, local_peer, bans }
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

    /// Sends a command if there is room for it.
    ///
    /// # Errors
    /// The command, if the queue is full or the task has ended.
    pub fn try_send(&self, command: Command) -> Result<(), Command> {
        self.calls.try_send(Call::Command(command)).map_err(|error| match error.into_inner() {
            Call::Command(command) => command,
            _ => unreachable!("a command was sent"),
        })
    }

    /// All bans in force, newest list. The list is replaced whenever a ban begins or ends.
    #[must_use]
    pub fn bans(&self) -> watch::Receiver<Arc<Vec<BanView>>> {
        self.bans.clone()
    }

    /// Adds a ban, or replaces the one of the same peer or range, and ends the connections that it covers.
    ///
    /// # Errors
    /// [`Stopped`] if the task has ended; inside, [`TooManyBans`].
    pub async fn ban(&self, ban: BanView) -> Result<Result<(), TooManyBans>, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.call(Call::Ban(ban, reply)).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// Lifts a ban. Returns false if there was none.
    ///
    /// # Errors
    /// [`Stopped`] if the task has ended.
    pub async fn unban(&self, what: Banned) -> Result<bool, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.call(Call::Unban(what, reply)).await?;
        answer.await.map_err(|_| Stopped)
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

    /// Reports whether the pool's tip is stale. While it is, the node looks for better peers.
    ///
    /// # Errors
    /// [`Stopped`] if the task has ended.
    pub async fn set_stale(&self, is_stale: bool) -> Result<(), Stopped> {
        self.call(Call::Stale(is_stale)).await
    }

    /// Returns how other nodes reach this one.
    ///
    /// # Errors
    /// [`Stopped`] if the task has ended.
    pub async fn reachability(&self) -> Result<Reachability, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.call(Call::Reachability(reply)).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// Tells the task the multiaddress of the node's onion service, `/onion3/<name>:<port>`.
    ///
    /// # Errors
    /// [`Stopped`] if the task has ended.
    pub async fn onion(&self, address: String) -> Result<(), Stopped> {
        self.call(Call::Onion(address)).await
    }

    /// Stays connected with the node at a multiaddress. Returns the address as [`Handle::manual_peers`] shows it.
    ///
    /// # Errors
    /// [`Stopped`] if the task has ended.
    pub async fn add_peer(&self, address: String) -> Result<Result<String, NotAdded>, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.call(Call::AddPeer(address, reply)).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// Disconnects the node at a multiaddress, and stops dialing it. Returns false if the operator had not named it.
    ///
    /// # Errors
    /// [`Stopped`] if the task has ended.
    pub async fn remove_peer(&self, address: String) -> Result<bool, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.call(Call::RemovePeer(address, reply)).await?;
        answer.await.map_err(|_| Stopped)
    }

    /// Returns the peers to stay connected with.
    ///
    /// # Errors
    /// [`Stopped`] if the task has ended.
    pub async fn manual_peers(&self) -> Result<Vec<ManualPeer>, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.call(Call::ManualPeers(reply)).await?;
        answer.await.map_err(|_| Stopped)
    }

    async fn call(&self, call: Call) -> Result<(), Stopped> {
        self.calls.send(call).await.map_err(|_| Stopped)
    }
}
