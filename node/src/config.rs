//! The node's settings: one TOML file, the environment and flags, resolved into one [`Config`].
//!
//! ```text
//! key.rs      what a key is
//! keys.rs     every key once: its name in the file, its flag, its environment variable, its help
//! file.rs     TOML file       ─┐
//! flags.rs    flags and env   ─┴─► settings.rs (text with its origin) ──► resolve.rs ──► Config
//! environment.rs    rejects unknown `SHOAL_` variables
//! archive.rs  the archive's database
//! bitcoind.rs, bitcoind_keys.rs   keys for bitcoind
//! discovery.rs  keys for how nodes are found
//! reach.rs    keys for how other nodes are reached, and reach this one
//! miners.rs   keys for miners
//! fee.rs, owner_keys.rs   keys for the owner's fee
//! notify.rs, notify_keys.rs   keys for notifications
//! power.rs    keys for when devices rest
//! network.rs, outputs.rs, address.rs, listeners.rs, rate.rs, secret.rs    the types with rules of their own
//! origin.rs   where a value was written
//! paths.rs    paths of files and folders
//! error.rs    configuration errors, with their origin
//! ```
//!
//! A flag overrides the environment, the environment overrides the file, and the file overrides the default.

mod address;
mod archive;
mod bitcoind;
mod bitcoind_keys;
mod discovery;
mod environment;
mod error;
mod fee;
mod file;
mod flags;
mod key;
pub mod keys;
mod listeners;
mod miners;
mod network;
mod notify;
mod notify_keys;
mod origin;
mod outputs;
mod owner_keys;
mod paths;
mod power;
mod rate;
mod reach;
mod resolve;
mod secret;
mod settings;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ::archive::ArchiveUrl;
use axum::http::HeaderValue;
use sharechain::{ChainParams, PoolName};

pub use address::{AddressError, parse_address, parse_payout_address};
pub use error::ConfigError;
pub use fee::Fee;
pub use flags::Overrides;
pub use listeners::MinerListener;
pub use network::{Network, NetworkMismatch};
pub use notify::{MailConfig, NotifyConfig, ReceiverConfig, Route};
pub use origin::Origin;
pub use outputs::Outputs;
pub use power::{Pause, PowerConfig, Who};
pub(crate) use reach::{PEER, no_way_to};
pub use secret::{Secret, SecretUrl};
pub use settings::Setting;

use node_core::engine::Keep;
use node_core::isolation::Reaction;
use p2p_proto::prefix::Prefix;
use sharechain::{Height, ShareId};
use stratum::CoinbaseLimit;

/// All settings of the operator. `network`, `pool` and `outputs` select a share-chain; none of the others changes what it
/// considers valid.
#[derive(Debug, Clone)]
pub struct Config {
    /// The config file, if there is one.
    pub file: Option<PathBuf>,
    /// True if a password or another secret is written in that file.
    pub secret_in_file: bool,
    /// The Bitcoin network to mine on.
    pub network: Network,
    /// Name of the private pool; empty for the public one.
    pub pool: PoolName,
    /// Maximum number of payouts in a coinbase.
    pub outputs: Outputs,
    /// The folder of the database and the node's identity.
    pub data_dir: PathBuf,
    /// Payout address for the work of miners that give no address.
    pub address: Option<bitcoin::Address>,
    /// Hand out work even if no peer was ever reached, to start a new pool.
    pub new_pool: bool,
    /// Work of miners while the node is cut off from its peers.
    pub on_isolation: Reaction,
    /// Work of miners while the rest of the pool leaves out this node's shares.
    pub on_censorship: Reaction,
    /// A link that the share-chain must contain; none if neither the operator nor this release names one.
    pub trust: Option<Trust>,
    /// The log filter, in `tracing-subscriber`'s syntax.
    pub log: String,
    /// Format of log lines.
    pub log_format: LogFormat,
    /// What the database keeps.
    pub store: StoreConfig,
    /// The PostgreSQL database for the share-chain's history.
    pub archive: Option<ArchiveUrl>,
    /// Connection to bitcoind.
    pub bitcoind: BitcoindConfig,
    /// The Stratum server for miners.
    pub stratum: StratumConfig,
    /// When devices rest.
    pub power: PowerConfig,
    /// The peer-to-peer network.
    pub p2p: P2pConfig,
    /// The read-only HTTP API.
    pub api: ApiConfig,
    /// Receivers of events.
    pub notify: NotifyConfig,
}

/// A link that the share-chain must contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trust {
    /// Id of the link.
    pub link: ShareId,
    /// Its height, if a release names it. A share-chain that begins above it is accepted.
    pub height: Option<Height>,
}

/// Connection to bitcoind's JSON-RPC.
#[derive(Debug, Clone)]
pub struct BitcoindConfig {
    /// URL of the JSON-RPC server: http, https, or unix with the path of a socket.
    pub url: reqwest::Url,
    /// Credentials for the JSON-RPC server.
    pub auth: BitcoindAuth,
    /// Time limit of one call. Long polls and block submissions have their own limits.
    pub timeout: Duration,
    /// File with the only certificate authorities trusted at an https URL; none for the system's.
    pub tls_ca: Option<PathBuf>,
    /// Host and port at which bitcoind publishes the hashes of new blocks.
    pub zmq: Option<String>,
    /// Other bitcoinds, in order of preference. They have no fallbacks of their own.
    pub fallback: Vec<Self>,
}

impl BitcoindConfig {
    /// One bitcoind, without anything optional.
    pub const fn new(url: reqwest::Url, auth: BitcoindAuth, timeout: Duration) -> Self {
        Self { url, auth, timeout, tls_ca: None, zmq: None, fallback: Vec::new() }
    }

    /// This bitcoind, then its fallbacks.
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.fallback)
    }
}

/// Credentials for bitcoind.
#[derive(Debug, Clone)]
pub enum BitcoindAuth {
    /// The cookie file that bitcoind writes at each start. It is read again when bitcoind rejects its content.
    Cookie(PathBuf),
    /// A user and password from bitcoind's `rpcauth`.
    User {
        /// The user's name.
        name: String,
        /// The user's password.
        password: Secret,
    },
}

/// The database.
#[derive(Debug, Clone, Copy)]
pub struct StoreConfig {
    /// The part of the share-chain that it keeps.
    pub keep: Keep,
}

/// The Stratum server for miners.
#[derive(Debug, Clone)]
pub struct StratumConfig {
    /// Address and TCP port that miners connect to.
    pub listen: SocketAddr,
    /// More listeners, with options.
    pub listeners: Vec<MinerListener>,
    /// Files of the certificate and its private key for listeners with TLS.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The longest coinbase that each mining program can hold.
    pub coinbase_limits: Vec<CoinbaseLimit>,
    /// Fee of the node's owner.
    pub fee: Option<Fee>,
}

impl StratumConfig {
    /// All addresses for miners, the plain one first.
    pub fn all(&self) -> impl Iterator<Item = MinerListener> + '_ {
        std::iter::once(MinerListener::plain(self.listen)).chain(self.listeners.iter().cloned())
    }

    /// The limits that may change while the node runs.
    pub fn limits(&self) -> stratum::Limits {
        stratum::Limits {
            difficulties: self.all().map(|listener| (listener.address, listener.difficulty)).collect(),
            coinbase_limits: self.coinbase_limits.clone().into(),
        }
    }

    /// These settings with the limits of others, for the listeners that both have.
    #[must_use]
    pub fn limited_as(mut self, other: &Self) -> Self {
        for listener in &mut self.listeners {
            let same = other.listeners.iter().find(|other| other.address == listener.address);
            listener.difficulty = same.map_or(listener.difficulty, |same| same.difficulty);
        }
        self.coinbase_limits.clone_from(&other.coinbase_limits);
        self
    }

    /// The addresses where miners speak Stratum v2.
    pub fn v2(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.listeners.iter().filter(|listener| listener.v2).map(|listener| listener.address)
    }
}

/// The peer-to-peer network.
#[derive(Debug, Clone, Default)]
pub struct P2pConfig {
    /// Addresses that other nodes connect to. Each port is used for TCP and, over UDP, for QUIC.
    pub listen: Vec<SocketAddr>,
    /// Nodes to connect to, as multiaddrs.
    pub peers: Vec<String>,
    /// Discover nodes in the local network by mDNS.
    pub mdns: bool,
    /// Maximum upload to other nodes, bytes per second; none if it is not limited.
    pub max_upload: Option<u64>,
    /// Discover nodes of the pool, and be discovered.
    pub discover: bool,
    /// Nodes that name other nodes, as multiaddrs.
    pub seeds: Vec<String>,
    /// Names whose TXT records list nodes.
    pub dns_seeds: Vec<String>,
    /// Addresses at which other nodes can reach this one. Each port is used for TCP and, over UDP, for QUIC.
    pub external_address: Vec<SocketAddr>,
    /// Ask the router to pass ports on, by UPnP.
    pub upnp: bool,
    /// Use relays while no node can connect directly, and be a relay while they can.
    pub relay: bool,
    /// SOCKS5 proxy for onion services, or for everything.
    pub proxy: Option<p2p::Proxy>,
    /// The node's onion service.
    pub onion: Option<OnionConfig>,
}

impl P2pConfig {
    /// True if nothing may connect to the outside except through the proxy.
    pub fn proxy_only(&self) -> bool {
        self.proxy.is_some_and(|proxy| proxy.only)
    }
}

/// The node's onion service.
#[derive(Debug, Clone)]
pub struct OnionConfig {
    /// Loopback address that it connects to.
    pub listen: SocketAddr,
    /// Who sets it up: the operator or this node.
    pub service: OnionService,
}

/// Who sets up the node's onion service.
#[derive(Debug, Clone)]
pub enum OnionService {
    /// The operator did, at this multiaddress.
    Given(String),
    /// This node does, through Tor's control port.
    Tor {
        /// Address of the control port.
        control: SocketAddr,
        /// Its password; none if it uses a cookie.
        password: Option<Secret>,
    },
}

/// The read-only HTTP API.
#[derive(Debug, Clone)]
pub struct ApiConfig {
    /// Address and TCP port of the API.
    pub listen: SocketAddr,
    /// Origins of web sites whose pages may read the API.
    pub cors_origins: Vec<HeaderValue>,
    /// Average number of requests per second that one client may make.
    pub requests_a_second: NonZeroU32,
    /// Reverse proxies trusted to name their clients.
    pub trusted_proxies: Vec<Prefix>,
    /// Serve everyone: no workers' data, and answers that caches may keep.
    pub public: bool,
    /// URL of a block at a Bitcoin explorer, with `{hash}` in it; none if pages link to none.
    pub explorer: Option<String>,
}

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One readable line per event.
    Text,
    /// One JSON object per event.
    Json,
}

/// The home folder of the user.
fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").map(PathBuf::from)
}

impl Config {
    /// Reads the config file, overlays the environment and the flags, and checks every value.
    ///
    /// # Errors
    /// An unknown environment variable `SHOAL_...`, or the first invalid setting, with its file and line, variable or
    /// flag.
    pub fn load(overrides: &Overrides) -> Result<Self, ConfigError> {
        Self::load_at(overrides, home())
    }

    /// Like [`Config::load`], for commands that read no folder: `HOME` may be missing.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub(crate) fn load_without_folders(overrides: &Overrides) -> Result<Self, ConfigError> {
        Self::load_at(overrides, Some(home().unwrap_or_else(|| "/nonexistent".into())))
    }

    fn load_at(overrides: &Overrides, home: Option<PathBuf>) -> Result<Self, ConfigError> {
        environment::check(std::env::vars_os().map(|(name, _)| name))?;
        let path = overrides.file(home.as_deref());
        let mut settings = match &path {
            Some(path) => file::read(path)?,
            None => settings::Settings::default(),
        };
        settings.overlay(overrides.settings());
        resolve::resolve(&settings, path, home.as_deref())
    }

    /// The configuration from the text of a file alone. `path` is the file's current or future path.
    ///
    /// # Errors
    /// The first invalid setting.
    pub fn of_text(text: &str, path: &Path) -> Result<Self, ConfigError> {
        resolve::resolve(&file::parse(text, path)?, Some(path.to_owned()), home().as_deref())
    }

    /// The constants of the share-chain that the settings select.
    pub fn chain_params(&self) -> ChainParams {
        ChainParams { pool: self.pool, ..self.network.chain_params(self.outputs) }
    }

    /// Checks that a node may run on the share-chain that the settings select.
    ///
    /// # Errors
    /// [`ConfigError::NotLaunched`].
    pub fn require_launched(&self) -> Result<(), ConfigError> {
        match (self.network, self.outputs) {
            (Network::Main, Outputs::Wide) => Err(ConfigError::NotLaunched),
            _ => Ok(()),
        }
    }

    /// The folder of the database, inside `data_dir`.
    pub fn store_path(&self) -> PathBuf {
        self.data_dir.join("store")
    }
}
