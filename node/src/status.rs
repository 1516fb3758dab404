//! `shoal status`: queries the running node's API and prints the answer.
//!
//! ```text
//! error.rs   errors of a query
//! table.rs   the answer as a table
//! words.rs   formats times, rates and sizes
//! ```

pub(crate) mod error;
mod table;
pub(crate) mod words;

use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::{Client, RequestBuilder, Response};
use serde::Deserialize;

use crate::api::Status;
use crate::config::Config;
use crate::error::NodeError;
use crate::lan::own_addresses;
use crate::limits::{STATUS_BYTES_MAX, STATUS_TIMEOUT};
use crate::stratum_url;

pub(crate) use error::StatusError;

/// An error body of the API.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Prints the status of a running node: as a table, or as the API's own JSON if `json`.
///
/// # Errors
/// The node cannot be queried, hands out no work, or the answer cannot be printed.
pub(crate) async fn status(config: Config, json: bool) -> Result<(), NodeError> {
    let address = reachable(config.api.listen);
    let body = fetch(&client(address)?, address, "status").await?;
    let foreign = |cause| StatusError::Foreign { address, cause };
    let status: Status = serde_json::from_slice(&body).map_err(foreign)?;
    let mut out = io::stdout().lock();
    if json {
        out.write_all(&body)?;
        out.write_all(b"\n")?;
    } else {
        // <https://no-color.org>: any nonempty value disables color.
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = out.is_terminal() && !plain;
        let mut table = table::render(&status, color);
        if let Some(key) = &status.stratum_v2_key {
            // The addresses are this machine's; the node runs here, too.
            table += &table::render_v2(stratum_url::all_v2(&config.stratum, key, &own_addresses()), color);
        }
        out.write_all(table.as_bytes())?;
    }
    if status.no_work_because.is_none() { Ok(()) } else { Err(NodeError::NoWork) }
}

/// The address to query: the loopback address if the API listens on all addresses.
pub(crate) fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// The HTTP client for a node at an address.
pub(crate) fn client(address: SocketAddr) -> Result<Client, StatusError> {
    // Proxies from the environment do not apply to this host.
    let client = Client::builder().no_proxy().tls_certs_only([]).timeout(STATUS_TIMEOUT).build();
    client.map_err(|cause| StatusError::Unreachable { address, cause })
}

/// Fetches a path of a node's API.
pub(crate) async fn fetch(client: &Client, address: SocketAddr, path: &str) -> Result<Vec<u8>, StatusError> {
    ask(client.get(format!("http://{address}/api/v1/{path}")), address, STATUS_BYTES_MAX).await
}

/// Sends a request to a node's API, and returns the body of its answer, which has at most `max` bytes.
pub(crate) async fn ask(request: RequestBuilder, address: SocketAddr, max: usize) -> Result<Vec<u8>, StatusError> {
    let unreachable = |cause| StatusError::Unreachable { address, cause };
    let response = request.send().await.map_err(unreachable)?;
    let code = response.status();
    let body = read(response, address, max).await?;
    if code.is_success() {
        return Ok(body);
    }
    let words = serde_json::from_slice::<Refusal>(&body).map_or_else(|_| code.to_string(), |refusal| refusal.error);
    Err(StatusError::Refused { address, words })
}

async fn read(mut response: Response, address: SocketAddr, max: usize) -> Result<Vec<u8>, StatusError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|cause| StatusError::Unreachable { address, cause })? {
        if body.len() + chunk.len() > max {
            return Err(StatusError::TooLong { address });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
pub(crate) mod tests;
