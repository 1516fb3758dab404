//! What can go wrong with bitcoind: each variant says what, and what the operator can do.

use std::error::Error;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bitcoin::BlockHash;

use super::template::TemplateError;
use crate::config::{Network, NetworkMismatch};

/// What went wrong with bitcoind.
#[derive(Debug, thiserror::Error)]
pub enum BitcoindError {
    /// No HTTP client can be made.
    #[error("no HTTP client can be made on this system")]
    NoHttpClient(#[source] reqwest::Error),
    /// Nobody answers.
    #[error("bitcoind cannot be reached at {url}; is it running, with `server=1`, and is `bitcoind.url` right?")]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What the connection says.
        source: ConnectionError,
    },
    /// The connection broke before the answer was complete.
    #[error(
        "the connection to bitcoind broke during {method}; it is tried again, so if this stays, see bitcoind's log"
    )]
    Broken {
        /// The call.
        method: &'static str,
        /// What the connection says.
        source: ConnectionError,
    },
    /// No answer in time.
    #[error("bitcoind did not answer {method} within {limit_s} s; it is busy or hung: see its log", limit_s = limit.as_secs())]
    TimedOut {
        /// The call.
        method: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// The cookie file cannot be read.
    #[error("bitcoind's cookie file {path} cannot be read; is bitcoind running, and is `bitcoind.cookie_file` right?", path = path.display())]
    CookieUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The cookie file holds something else.
    #[error("{path} is no cookie file of bitcoind: it should hold one line `name:password`", path = path.display())]
    CookieMalformed {
        /// The file.
        path: PathBuf,
    },
    /// bitcoind refuses the credentials.
    #[error("bitcoind at {url} refuses {credentials}")]
    WrongCredentials {
        /// Where it is.
        url: String,
        /// Which credentials, in words, without the password.
        credentials: String,
    },
    /// bitcoind refuses this machine's address.
    #[error("bitcoind at {url} does not admit this machine; add `rpcallowip` for it to bitcoin.conf")]
    NotAdmitted {
        /// Where it is.
        url: String,
    },
    /// bitcoind has more requests waiting than it takes.
    #[error("bitcoind has too many requests waiting; raise its `rpcworkqueue` and `rpcthreads`")]
    Busy,
    /// bitcoind is starting.
    #[error("bitcoind is still starting: {words}")]
    Starting {
        /// What it is doing.
        words: String,
    },
    /// bitcoind is not synced.
    #[error("bitcoind is still syncing: it has {blocks} blocks of {headers}; wait until it is done")]
    Syncing {
        /// Blocks it has.
        blocks: u32,
        /// Headers it has.
        headers: u32,
    },
    /// bitcoind cannot give templates because it has no peers.
    #[error("bitcoind gives no template: {words}")]
    NotReady {
        /// What it says.
        words: String,
    },
    /// bitcoind runs on another network.
    #[error("bitcoind is of another network than `network = \"{network}\"`")]
    WrongNetwork {
        /// The network of the config.
        network: Network,
        /// What differs.
        source: NetworkMismatch,
    },
    /// bitcoind answers with an error of its own.
    #[error("bitcoind refuses {method}: {words} (code {code})")]
    Refused {
        /// The call.
        method: &'static str,
        /// JSON-RPC's error code.
        code: i64,
        /// bitcoind's words.
        words: String,
    },
    /// The server answers with an HTTP status that bitcoind does not use.
    #[error("the server at {url} answers {method} with HTTP status {status}; it seems not to be bitcoind")]
    Status {
        /// Where it is.
        url: String,
        /// The call.
        method: &'static str,
        /// HTTP's status code.
        status: u16,
    },
    /// The answer is larger than any right one.
    #[error(
        "bitcoind's answer to {method} has more than {limit_bytes} bytes, more than any right one; is `bitcoind.url` really bitcoind?"
    )]
    TooLarge {
        /// The call.
        method: &'static str,
        /// The limit.
        limit_bytes: usize,
    },
    /// The answer is not what the call answers.
    #[error("bitcoind's answer to {method} cannot be read; is `bitcoind.url` really bitcoind?")]
    Malformed {
        /// The call.
        method: &'static str,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// The answer holds no result where one belongs, or answers another question.
    #[error(
        "bitcoind's answer to {method} holds no result; is `bitcoind.url` really bitcoind, without a proxy before it?"
    )]
    NoResult {
        /// The call.
        method: &'static str,
    },
    /// The template contradicts itself.
    #[error("bitcoind's block template cannot be used; run a current bitcoind without patches to its templates")]
    Template(#[from] TemplateError),
    /// Headers that belong together do not fit each other.
    #[error("bitcoind's chain changed while its headers were read, at block {hash}; ask again")]
    Reorganised {
        /// The header that does not follow the one before.
        hash: BlockHash,
    },
}

/// What ended a connection: shown is only the innermost cause, such as "Connection refused".
#[derive(Debug)]
pub struct ConnectionError(pub(super) reqwest::Error);

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cause: &dyn Error = &self.0;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        write!(f, "{cause}")
    }
}

impl Error for ConnectionError {}

impl BitcoindError {
    /// Whether the same call may succeed later without anyone changing the configuration.
    pub fn is_passing(&self) -> bool {
        !matches!(
            self,
            Self::NoHttpClient(_)
                | Self::CookieMalformed { .. }
                | Self::WrongCredentials { .. }
                | Self::NotAdmitted { .. }
                | Self::WrongNetwork { .. }
        )
    }
}
