//! The node's settings: one TOML file, the environment and flags, resolved into one [`Config`].
//!
//! ```text
//! keys.rs     every key once: its name in the file, its flag, its variable, its help
//! file.rs     TOML file       ─┐
//! flags.rs    flags and env   ─┴─► settings.rs (text with its origin) ──► resolve.rs ──► Config
//! environment.rs    variables that are no setting
//! network.rs, address.rs, secret.rs    the types with rules of their own
//! error.rs    what can be wrong, with the place where it stands
//! ```
//!
//! A flag wins over the environment, the environment over the file, the file over the default.

mod address;
mod environment;
mod error;
mod file;
mod flags;
pub mod keys;
mod network;
mod resolve;
mod secret;
mod settings;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderValue;

pub use address::{AddressError, parse_address};
pub use error::ConfigError;
pub use flags::Overrides;
pub use network::{Network, NetworkMismatch};
pub use secret::Secret;
pub use settings::{Origin, Setting};

use crate::history::EventKind;

/// Everything the operator decides; nothing in here changes what the share-chain considers valid.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file the settings were read from, if any.
    pub file: Option<PathBuf>,
    /// The Bitcoin network that is mined on.
    pub network: Network,
    /// The folder that holds the database and the node's identity.
    pub data_dir: PathBuf,
    /// Where work is paid whose miner gave no address of its own.
    pub address: Option<bitcoin::Address>,
    /// Whether work is handed out though no peer was ever reached, to start a new pool.
    pub new_pool: bool,
    /// The log filter, in `tracing-subscriber`'s syntax.
    pub log: String,
    /// How log lines are written.
    pub log_format: LogFormat,
    /// How the node reaches bitcoind.
    pub bitcoind: BitcoindConfig,
    /// The server for miners.
    pub stratum: StratumConfig,
    /// The connection to other nodes.
    pub p2p: P2pConfig,
    /// The read-only HTTP API.
    pub api: ApiConfig,
    /// Who is told of events; none when nobody is.
    pub webhooks: Option<WebhooksConfig>,
}

/// How the node reaches bitcoind's JSON-RPC.
#[derive(Debug, Clone)]
pub struct BitcoindConfig {
    /// Address of the JSON-RPC server; plain HTTP.
    pub url: reqwest::Url,
    /// How the node proves that it may use it.
    pub auth: BitcoindAuth,
    /// How long one call may take; long polls and block submissions have limits of their own.
    pub timeout: Duration,
}

/// Credentials for bitcoind.
#[derive(Debug, Clone)]
pub enum BitcoindAuth {
    /// The file bitcoind writes at each start; read again whenever bitcoind refuses its content.
    Cookie(PathBuf),
    /// A user and password from bitcoind's `rpcauth`.
    User {
        /// The user's name.
        name: String,
        /// The user's password.
        password: Secret,
    },
}

/// The server for miners.
#[derive(Debug, Clone)]
pub struct StratumConfig {
    /// Address and TCP port miners connect to.
    pub listen: SocketAddr,
}

/// The connection to other nodes.
#[derive(Debug, Clone)]
pub struct P2pConfig {
    /// Addresses other nodes connect to; each port is used for TCP and, as UDP, for QUIC.
    pub listen: Vec<SocketAddr>,
    /// Nodes to connect to, as multiaddrs.
    pub peers: Vec<String>,
    /// Whether nodes in the local network find each other without being told.
    pub mdns: bool,
}

/// The read-only HTTP API.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// Address and TCP port the API answers on.
    pub listen: SocketAddr,
    /// Web sites whose pages may read it.
    pub cors_origins: Vec<HeaderValue>,
    /// Requests that one client may make in a second, on average.
    pub requests_a_second: NonZeroU32,
}

/// Who is told of events.
#[derive(Debug, Clone)]
pub struct WebhooksConfig {
    /// Where they are sent.
    pub urls: Vec<reqwest::Url>,
    /// What they are signed with.
    pub secret: Secret,
    /// Which kinds.
    pub events: Vec<EventKind>,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One readable line an event.
    Text,
    /// One JSON object an event.
    Json,
}

impl Config {
    /// Reads the config file, lays the environment and the flags over it and checks every value.
    ///
    /// # Errors
    /// An environment variable `SHOAL_...` that is no setting, or the first thing that is wrong, with the file and line, variable or flag where it stands.
    pub fn load(overrides: &Overrides) -> Result<Self, ConfigError> {
        environment::check(std::env::vars_os().map(|(name, _)| name))?;
        let home = std::env::var_os("HOME").map(PathBuf::from);
        let path = overrides.file(home.as_deref());
        let mut settings = match &path {
            Some(path) => file::read(path)?,
            None => settings::Settings::default(),
        };
        settings.overlay(overrides.settings());
        resolve::resolve(&settings, path, home.as_deref())
    }

    /// The folder of the database, inside `data_dir`.
    pub fn store_path(&self) -> PathBuf {
        self.data_dir.join("store")
    }
}
