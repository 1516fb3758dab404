//! The way to the network task.

use p2p_proto::{Command, PeerId};
use tokio::sync::{mpsc, oneshot};

/// What the task is asked for.
#[derive(Debug)]
pub(super) enum Call {
    /// To do something.
    Command(Command),
    /// To tell which peers are connected.
    Peers(oneshot::Sender<Vec<PeerInfo>>),
}

/// What the network knows of a connected peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Which.
    pub peer: PeerId,
    /// Its multiaddress.
    pub addr: String,
    /// Whether it opened the connection.
    pub inbound: bool,
    /// What it says that it runs; printable ASCII.
    pub user_agent: String,
    /// Points for misbehaviour, 0 to [`p2p_proto::limits::BAN_POINTS`].
    pub points: u32,
    /// Last round trip, once measured.
    pub round_trip_ms: Option<u64>,
    /// How long it has been connected.
    pub connected_ms: u64,
}

/// The network task has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the network has stopped")]
pub struct Stopped;

/// The way to the network task. Clones are cheap.
#[derive(Clone, Debug)]
pub struct Handle {
    calls: mpsc::Sender<Call>,
    local_peer: PeerId,
}

impl Handle {
    pub(super) const fn new(calls: mpsc::Sender<Call>, local_peer: PeerId) -> Self {
        Self { calls, local_peer }
    }

    /// This node's identity.
    #[must_use]
    pub const fn local_peer(&self) -> PeerId {
        self.local_peer
    }

    /// Hands a command to the task. Waits while [`p2p_proto::limits::COMMANDS_MAX`] are queued, which the task works off
    /// whatever its events wait for.
    ///
    /// # Errors
    /// When the task has ended.
    pub async fn send(&self, command: Command) -> Result<(), Stopped> {
        self.call(Call::Command(command)).await
    }

    /// The peers that are connected, by id.
    ///
    /// # Errors
    /// When the task has ended.
    pub async fn peers(&self) -> Result<Vec<PeerInfo>, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.call(Call::Peers(reply)).await?;
        answer.await.map_err(|_| Stopped)
    }

    async fn call(&self, call: Call) -> Result<(), Stopped> {
        self.calls.send(call).await.map_err(|_| Stopped)
    }
}
