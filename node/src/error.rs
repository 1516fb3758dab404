//! Errors that stop the program, and its exit code.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::backup::error::BackupError;
use crate::bitcoind::BitcoindError;
use crate::config::{AddressError, ConfigError};
use crate::consensus::EngineStopped;
use crate::headers::HeadersError;
use crate::identity::IdentityError;
use crate::logging::LoggingError;
use crate::payout_proof::error::ProofError;
use crate::recording::error::RecordingError;
use crate::status::error::StatusError;
use crate::store::StoreError;

/// An error that stops the program.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The configuration is invalid.
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
    /// The runtime cannot start, or signals cannot be handled.
    #[error("the system denies a resource that the program needs")]
    System(#[from] std::io::Error),
    /// `shoal top` runs without a terminal.
    #[error("`shoal top` needs a terminal; use `shoal status` instead")]
    NoTerminal,
    /// `shoal check` failed and has printed its report.
    #[error("the check failed")]
    CheckFailed {
        /// True if the configuration itself is invalid.
        config: bool,
    },
    /// Bitcoin's headers cannot be loaded.
    #[error(transparent)]
    Headers(#[from] HeadersError),
    /// The node's key cannot be used.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The Stratum server cannot listen.
    #[error(transparent)]
    Stratum(#[from] stratum::BindError),
    /// The certificate for miners cannot be used.
    #[error(transparent)]
    Tls(#[from] stratum::TlsError),
    /// The network cannot start.
    #[error(transparent)]
    Network(#[from] p2p::StartError),
    /// The data folder cannot be created.
    #[error(
        "the folder {path} cannot be created; check its permissions, or set another `data_dir`",
        path = path.display()
    )]
    DataDir {
        /// Path of the folder.
        path: PathBuf,
        /// Cause from the system.
        source: std::io::Error,
    },
    /// The token for the node's owner cannot be used.
    #[error(
        "the token {path} cannot be read or written; check its permissions, or move it away to get a new one",
        path = path.display()
    )]
    Token {
        /// Path of its file.
        path: PathBuf,
        /// Cause from the system.
        source: std::io::Error,
    },
    /// A server cannot listen on its address.
    #[error("{what} cannot listen on {address}; stop the program that uses it, or set another address")]
    Listen {
        /// Name of the server.
        what: &'static str,
        /// The address.
        address: SocketAddr,
        /// Cause from the system.
        source: std::io::Error,
    },
    /// `shoal setup` would overwrite a file.
    #[error("{path} exists; give another file with --config, or overwrite it with --force", path = path.display())]
    SetupExists {
        /// Path of the file.
        path: PathBuf,
    },
    /// `shoal setup` got no answer to a question.
    #[error("no answer came for --{flag}; give it, or take the defaults of all questions with --yes")]
    SetupAnswer {
        /// The flag that answers the question.
        flag: &'static str,
    },
    /// A flag or an answer of `shoal setup` is invalid.
    #[error("{words}")]
    SetupWrong {
        /// What is wrong with it.
        words: String,
    },
    /// `shoal setup` cannot write its file.
    #[error("the config file {path} cannot be written", path = path.display())]
    SetupFile {
        /// Path of the file.
        path: PathBuf,
        /// Cause from the system.
        source: std::io::Error,
    },
    /// No receiver of events is configured.
    #[error(
        "no receiver of events is configured; set one in [notify] or [webhooks] of the config file, such as `notify.ntfy`"
    )]
    NoReceivers,
    /// A receiver did not accept a test message. The report is printed.
    #[error("a receiver did not accept the message")]
    NotifyFailed,
    /// A recording cannot be exported, imported or verified.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The archive cannot be used.
    #[error(transparent)]
    Archive(#[from] archive::ArchiveError),
    /// No archive is configured.
    #[error("no archive is configured; set `url` in the section [archive] of the config file")]
    NoArchive,
    /// The running node cannot be queried.
    #[error(transparent)]
    Status(#[from] StatusError),
    /// The command names an invalid address, or one of another network.
    #[error(transparent)]
    Address(AddressError),
    /// There is no payout proof, or it is wrong.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// A backup cannot be made or restored.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// The node is running, but hands out no work; `status` has printed the reason.
    #[error("the node hands out no work")]
    NoWork,
    /// A part of the node ended unexpectedly.
    #[error("a part of the node stopped; see the log")]
    Stopped,
}

impl From<EngineStopped> for NodeError {
    fn from(_: EngineStopped) -> Self {
        Self::Stopped
    }
}

impl NodeError {
    /// The program's exit code: 2 if the configuration is wrong, 3 if the node hands out no work, otherwise 1.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) | Self::SetupWrong { .. } | Self::CheckFailed { config: true } => 2,
            Self::NoWork => 3,
            _ => 1,
        }
    }
}
