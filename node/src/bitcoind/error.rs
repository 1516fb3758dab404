//! Errors of bitcoind. Each variant says what is wrong and what the operator can do.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bitcoin::BlockHash;

use super::template::TemplateError;
use crate::config::{Network, NetworkMismatch};
use crate::connection_words;

/// An error of bitcoind.
#[derive(Debug, thiserror::Error)]
pub enum BitcoindError {
    /// No HTTP client can be created.
    #[error("cannot create an HTTP client on this system")]
    NoHttpClient(reqwest::Error),
    /// The file with certificate authorities cannot be read.
    #[error("the file {path} of `bitcoind.tls_ca` cannot be read; check its name and permissions", path = path.display())]
    AuthoritiesUnreadable {
        /// Path of the file.
        path: PathBuf,
        /// Cause from the system.
        source: std::io::Error,
    },
    /// The file with certificate authorities has none.
    #[error("{path} of `bitcoind.tls_ca` has no certificates in PEM format, or more than 1 MiB", path = path.display())]
    NoAuthorities {
        /// Path of the file.
        path: PathBuf,
    },
    /// Nothing answers at bitcoind's address.
    #[error(
        "bitcoind cannot be reached at {url}; check that it runs with `server=1`, and that `bitcoind.url` is correct"
    )]
    Unreachable {
        /// The configured URL.
        url: String,
        /// Cause from the connection.
        source: ConnectionError,
    },
    /// The connection broke before the answer was complete.
    #[error(
        "the connection to bitcoind broke during {method}; the node retries, so if this persists, see bitcoind's log"
    )]
    Broken {
        /// Name of the JSON-RPC call.
        method: &'static str,
        /// Cause from the connection.
        source: ConnectionError,
    },
    /// What answers is not the JSON-RPC server.
    #[error(
        "bitcoind talks with its peers at {url}; its JSON-RPC has another port, {rpc_port} unless `rpcport` names one, so \
         set that in `bitcoind.url`"
    )]
    PeerPort {
        /// The configured URL.
        url: String,
        /// Its usual port for JSON-RPC on the network of that port.
        rpc_port: u16,
    },
    /// bitcoind did not answer in time.
    #[error(
        "bitcoind did not answer {method} within {limit_s} s; it is busy or hung, so see its log",
        limit_s = limit.as_secs()
    )]
    TimedOut {
        /// Name of the JSON-RPC call.
        method: &'static str,
        /// The time limit.
        limit: Duration,
    },
    /// The cookie file cannot be read.
    #[error(
        "bitcoind's cookie file {path} cannot be read; check that bitcoind is running, and that `bitcoind.cookie_file` \
         is correct",
        path = path.display()
    )]
    CookieUnreadable {
        /// Path of the file.
        path: PathBuf,
        /// Cause from the system.
        source: std::io::Error,
    },
    /// The cookie file has the wrong format.
    #[error("{path} is not a cookie file of bitcoind, which has one line `name:password`", path = path.display())]
    CookieMalformed {
        /// Path of the file.
        path: PathBuf,
    },
    /// bitcoind rejects user and password.
    #[error("bitcoind at {url} rejects user {name:?} with this password; compare them with its `rpcauth`")]
    WrongCredentials {
        /// The configured URL.
        url: String,
        /// Name of the user.
        name: String,
    },
    /// bitcoind rejects the cookie. While it starts, the file may still hold the cookie of its last run.
    #[error(
        "bitcoind at {url} rejects the cookie in {path}; if this lasts, check that the file belongs to the bitcoind at this \
         address",
        path = path.display()
    )]
    WrongCookie {
        /// The configured URL.
        url: String,
        /// Path of the file.
        path: PathBuf,
    },
    /// bitcoind rejects this machine's address.
    #[error("bitcoind at {url} rejects connections from this machine; allow it with `rpcallowip` in bitcoin.conf")]
    NotAdmitted {
        /// The configured URL.
        url: String,
    },
    /// bitcoind's request queue is full.
    #[error("bitcoind has too many requests waiting; raise its `rpcworkqueue` and `rpcthreads`")]
    Busy,
    /// bitcoind is stopping.
    #[error("bitcoind is stopping")]
    Stopping,
    /// The proxy in front of bitcoind cannot reach it.
    #[error("the proxy at {url} gets no answer from bitcoind (HTTP status {status}); see its log and bitcoind's")]
    Gateway {
        /// The configured URL.
        url: String,
        /// HTTP status code.
        status: u16,
    },
    /// bitcoind is starting.
    #[error("bitcoind is still starting: {words}")]
    Starting {
        /// bitcoind's description of what it is doing.
        words: String,
    },
    /// bitcoind is not synced.
    #[error("bitcoind is still syncing, with {blocks} of {headers} blocks; wait until it is done")]
    Syncing {
        /// Height of its last validated block.
        blocks: u32,
        /// Height of its last known header.
        headers: u32,
    },
    /// bitcoind cannot give templates because it has no peers.
    #[error("bitcoind has no block template: {words}")]
    NotReady {
        /// bitcoind's own message.
        words: String,
    },
    /// bitcoind runs on another network.
    #[error("bitcoind runs on another network than the configured `network = \"{network}\"`")]
    WrongNetwork {
        /// The configured network.
        network: Network,
        /// The difference.
        source: NetworkMismatch,
    },
    /// bitcoind answers with a JSON-RPC error.
    #[error("bitcoind rejects {method}: {words} (code {code})")]
    Refused {
        /// Name of the JSON-RPC call.
        method: &'static str,
        /// JSON-RPC error code.
        code: i64,
        /// bitcoind's own message.
        words: String,
    },
    /// The server answers with an HTTP status that bitcoind does not use.
    #[error("the server at {url} answers {method} with HTTP status {status}; it does not seem to be bitcoind")]
    Status {
        /// The configured URL.
        url: String,
        /// Name of the JSON-RPC call.
        method: &'static str,
        /// HTTP status code.
        status: u16,
    },
    /// The answer is larger than any valid one.
    #[error("bitcoind's answer to {method} exceeds {limit_bytes} bytes; check that `bitcoind.url` points to bitcoind")]
    TooLarge {
        /// Name of the JSON-RPC call.
        method: &'static str,
        /// The size limit, bytes.
        limit_bytes: usize,
    },
    /// The answer cannot be decoded.
    #[error("bitcoind's answer to {method} cannot be decoded; check that `bitcoind.url` points to bitcoind")]
    Malformed {
        /// Name of the JSON-RPC call.
        method: &'static str,
        /// Cause from the parser.
        source: serde_json::Error,
    },
    /// The answer has no result, or belongs to another request.
    #[error(
        "bitcoind's answer to {method} has no result; check that `bitcoind.url` points to bitcoind, without a proxy in \
         between"
    )]
    NoResult {
        /// Name of the JSON-RPC call.
        method: &'static str,
    },
    /// The block template is inconsistent.
    #[error("bitcoind's block template is inconsistent; run a current, unpatched bitcoind")]
    Template(#[from] TemplateError),
    /// Headers fetched together do not form a chain.
    #[error("bitcoind's chain changed at block {hash} while its headers were read; try again")]
    Reorganised {
        /// Hash of the header that does not follow the previous one.
        hash: BlockHash,
    },
}

/// Why a connection ended, in this program's own words, such as "nothing listens there".
#[derive(Debug)]
pub struct ConnectionError(pub(super) reqwest::Error);

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(connection_words::of_http(&self.0))
    }
}

impl Error for ConnectionError {}

impl BitcoindError {
    /// True if the same call may succeed later without a change of configuration.
    pub fn is_passing(&self) -> bool {
        !matches!(
            self,
            Self::NoHttpClient(_)
                | Self::AuthoritiesUnreadable { .. }
                | Self::NoAuthorities { .. }
                | Self::PeerPort { .. }
                | Self::CookieMalformed { .. }
                | Self::WrongCredentials { .. }
                | Self::NotAdmitted { .. }
                | Self::WrongNetwork { .. }
        )
    }
}
