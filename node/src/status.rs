//! `shoal status`: asks the running node's API and shows the answer.
//!
//! ```text
//! table.rs   the answer as a table for people
//! words.rs   times, rates and sizes in words
//! ```

mod table;
pub(crate) mod words;

use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::{Client, Response};
use serde::Deserialize;

use crate::api::Status;
use crate::config::Config;
use crate::error::NodeError;
use crate::limits::{STATUS_BYTES_MAX, STATUS_TIMEOUT};

/// Why the running node cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// Nobody answers.
    #[error(
        "no node answers at {address}; start it with `shoal run`, \
         or give the same `api.listen` (config file or --api-listen) as it has"
    )]
    Nobody {
        /// Where the node was looked for.
        address: SocketAddr,
        /// What went wrong.
        source: reqwest::Error,
    },
    /// The node says why it has no answer.
    #[error("the node at {address} answers: {words}")]
    Refused {
        /// The node's address.
        address: SocketAddr,
        /// What it says.
        words: String,
    },
    /// Something else than a node of this version answers.
    #[error("what answers at {address} is no node of this version; is another program at that address?")]
    Foreign {
        /// Its address.
        address: SocketAddr,
        /// What is wrong with the answer.
        source: serde_json::Error,
    },
    /// The answer is too long for a status.
    #[error("what answers at {address} sends more than a status; is another program at that address?")]
    TooLong {
        /// Its address.
        address: SocketAddr,
    },
}

/// An error of the API.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Prints what a running node does: as a table, or the API's own JSON if `json`.
///
/// # Errors
/// The node cannot be asked, or the answer cannot be printed.
pub async fn status(config: Config, json: bool) -> Result<(), NodeError> {
    let address = reachable(config.api.listen);
    let body = fetch(&client(address)?, address, "status").await?;
    let foreign = |source| StatusError::Foreign { address, source };
    let status: Status = serde_json::from_slice(&body).map_err(foreign)?;
    let mut out = io::stdout().lock();
    if json {
        out.write_all(&body)?;
        out.write_all(b"\n")?;
        return Ok(());
    }
    // <https://no-color.org>: any value that is not empty.
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let table = table::render(&status, out.is_terminal() && !plain);
    Ok(out.write_all(table.as_bytes())?)
}

/// An API that listens on all addresses is asked on this machine's own.
pub(crate) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// What asks a node at an address.
pub(crate) fn client(address: SocketAddr) -> Result<Client, StatusError> {
    // A proxy of the environment is for other hosts than this one.
    let client = Client::builder().no_proxy().timeout(STATUS_TIMEOUT).build();
    client.map_err(|source| StatusError::Nobody { address, source })
}

/// What a node's API answers at a path.
pub(crate) async fn fetch(client: &Client, address: SocketAddr, path: &str) -> Result<Vec<u8>, StatusError> {
    let nobody = |source| StatusError::Nobody { address, source };
    let response = client.get(format!("http://{address}/api/v1/{path}")).send().await.map_err(nobody)?;
    let code = response.status();
    let body = read(response, address).await?;
    if code.is_success() {
        return Ok(body);
    }
    let words = serde_json::from_slice::<Refusal>(&body).map_or_else(|_| code.to_string(), |refusal| refusal.error);
    Err(StatusError::Refused { address, words })
}

async fn read(mut response: Response, address: SocketAddr) -> Result<Vec<u8>, StatusError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|source| StatusError::Nobody { address, source })? {
        if body.len() + chunk.len() > STATUS_BYTES_MAX {
            return Err(StatusError::TooLong { address });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
pub(crate) mod tests;
