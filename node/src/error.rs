//! What can stop the program, and its exit code.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::bitcoind::BitcoindError;
use crate::config::ConfigError;
use crate::consensus::EngineStopped;
use crate::headers::HeadersError;
use crate::identity::IdentityError;
use crate::logging::LoggingError;
use crate::recording::RecordingError;
use crate::status::StatusError;
use crate::store::StoreError;

/// What stopped the program.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// bitcoind cannot be used.
    #[error(transparent)]
    Bitcoind(#[from] BitcoindError),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Logging cannot be set up.
    #[error(transparent)]
    Logging(#[from] LoggingError),
    /// The runtime cannot be started, or no signal can be waited for.
    #[error("the system refuses what the program needs to run")]
    System(#[from] std::io::Error),
    /// `shoal check` found something; it has said what.
    #[error("the check failed")]
    CheckFailed {
        /// Whether it was the configuration itself.
        config: bool,
    },
    /// Bitcoin's headers cannot be loaded.
    #[error(transparent)]
    Headers(#[from] HeadersError),
    /// The node's key cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Miners cannot be listened for.
    #[error(transparent)]
    Stratum(#[from] stratum::BindError),
    /// Peers cannot be listened for.
    #[error(transparent)]
    Network(#[from] p2p::StartError),
    /// The data folder cannot be made.
    #[error("the folder {path} cannot be made; check its permissions, or set another `data_dir`", path = path.display())]
    DataDir {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// An address cannot be listened on.
    #[error("{what} cannot listen on {address}; stop what uses it, or choose another address in the configuration")]
    Listen {
        /// What wants to listen.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// A recording cannot be written or taken.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The running node cannot be asked.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// A part of the node ended that should not have.
    #[error("a part of the node stopped; the log says which")]
    Stopped,
}

impl From<EngineStopped> for NodeError {
    fn from(_: EngineStopped) -> Self {
        Self::Stopped
    }
}

impl NodeError {
    /// The program's exit code: 2 if the configuration is wrong, otherwise 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::CheckFailed { config: true } => 2,
            _ => 1,
        }
    }
}
