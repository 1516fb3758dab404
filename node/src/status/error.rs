//! Why the running node cannot be queried, with advice for the operator.

use std::net::SocketAddr;

use crate::connection_words;

/// Why the running node cannot be queried.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// Nothing answers at the address.
    #[error(
        "no node answers at {address} ({why}); start it with `shoal run`, or set the same `api.listen` (config file or \
         --api-listen) as the node", why = connection_words::of_http(cause)
    )]
    Unreachable {
        /// The node's configured address.
        address: SocketAddr,
        /// Cause from the HTTP client; the message uses this program's own words.
        cause: reqwest::Error,
    },
    /// The node answers with an error.
    #[error("the node at {address} answers with an error: {words}")]
    Refused {
        /// The node's address.
        address: SocketAddr,
        /// Its error sentence.
        words: String,
    },
    /// Something other than a node of this version answers.
    #[error("no node of this version answers at {address}; check whether another program uses that address")]
    Foreign {
        /// The queried address.
        address: SocketAddr,
        /// Cause from the parser, for debugging.
        cause: serde_json::Error,
    },
    /// The answer is too long for a status.
    #[error("the answer from {address} is too long for a status; check whether another program uses that address")]
    TooLong {
        /// The queried address.
        address: SocketAddr,
    },
}
