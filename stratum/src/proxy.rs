//! PROXY protocol, versions 1 and 2: a load balancer names the client before the data of each connection.
//! Specification: <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt};

use crate::limits;

#[cfg(test)]
mod tests;

/// How a header of version 2 begins.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes of a header of version 2 before its addresses.
const FIXED_BYTES: usize = 16;
/// Longest header of version 1, with its line ending.
const LINE_BYTES_MAX: usize = 107;
/// Most bytes of addresses and additions in a header of version 2. The specification allows 65,535; load balancers send
/// at most a few hundred.
const ADDITIONS_BYTES_MAX: usize = 2_048;

/// The load balancers whose headers are believed. Such a balancer can name any address.
#[derive(Clone)]
pub struct Balancers(Arc<dyn Fn(IpAddr) -> bool + Send + Sync>);

impl Balancers {
    /// Creates the set of the addresses for which `contains` is true.
    pub fn new(contains: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(contains))
    }

    /// Returns whether this address is a load balancer's.
    pub fn contain(&self, ip: IpAddr) -> bool {
        (self.0)(ip.to_canonical())
    }
}

impl fmt::Debug for Balancers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Balancers")
    }
}

/// Why a connection has no valid header.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The connection ended.
    #[error("the connection ended in its PROXY header: {0}")]
    Io(#[from] io::Error),
    /// The bytes are no header.
    #[error("the connection does not begin with a PROXY header; this listener is for a load balancer that sends one")]
    NoHeader,
    /// The connection is not from a load balancer.
    #[error("the connection is not from a load balancer that the listener's option `proxy` names")]
    Stranger,
    /// The header did not arrive in time.
    #[error("the PROXY header did not arrive within {} s", limits::HELLO.as_secs())]
    Late,
    /// The header is too long.
    #[error("the PROXY header is too long")]
    TooLong,
}

/// Reads a header, and nothing beyond it. Returns the address that it names; none if the load balancer speaks for
/// itself, as for health checks.
///
/// # Errors
/// There is no valid header.
pub async fn read(socket: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>, ProxyError> {
    // Both versions have more bytes than this, and the shortest line is read byte by byte.
    let mut start = [0; SIGNATURE.len()];
    socket.read_exact(&mut start).await?;
    if start == SIGNATURE { read_binary(socket).await } else { read_line(socket, start).await }
}

async fn read_line(
    socket: &mut (impl AsyncRead + Unpin),
    start: [u8; SIGNATURE.len()],
) -> Result<Option<SocketAddr>, ProxyError> {
    if !start.starts_with(b"PROXY ") {
        return Err(ProxyError::NoHeader);
    }
    let mut line = start.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() >= LINE_BYTES_MAX {
            return Err(ProxyError::TooLong);
        }
        line.push(socket.read_u8().await?);
    }
    let line = std::str::from_utf8(&line).map_err(|_| ProxyError::NoHeader)?;
    let words: Vec<_> = line.trim_end_matches("\r\n").split(' ').collect();
    match words[..] {
        ["PROXY", "UNKNOWN", ..] => Ok(None),
        ["PROXY", family @ ("TCP4" | "TCP6"), source, _destination, port, _port] => {
            let source: IpAddr = source.parse().map_err(|_| ProxyError::NoHeader)?;
            let port = port.parse().map_err(|_| ProxyError::NoHeader)?;
            (source.is_ipv4() == (family == "TCP4"))
                .then(|| Some(SocketAddr::new(source, port)))
                .ok_or(ProxyError::NoHeader)
        }
        _ => Err(ProxyError::NoHeader),
    }
}

async fn read_binary(socket: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>, ProxyError> {
    let mut rest = [0; FIXED_BYTES - SIGNATURE.len()];
    socket.read_exact(&mut rest).await?;
    let [command, family, high, low] = rest;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > ADDITIONS_BYTES_MAX {
        return Err(ProxyError::TooLong);
    }
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await?;
    let address = match (command, family) {
        (0x20, _) => return Ok(None),
        (0x21, 0x11) => ipv4(&body),
        (0x21, 0x21) => ipv6(&body),
        // Unix sockets and datagrams name no address of a miner.
        (0x21, _) => return Ok(None),
        _ => None,
    };
    address.map(Some).ok_or(ProxyError::NoHeader)
}

fn ipv4(body: &[u8]) -> Option<SocketAddr> {
    let (source, rest) = body.split_first_chunk::<4>()?;
    let (_destination, rest) = rest.split_first_chunk::<4>()?;
    let (port, rest) = rest.split_first_chunk::<2>()?;
    rest.split_first_chunk::<2>()?;
    Some((Ipv4Addr::from(*source), u16::from_be_bytes(*port)).into())
}

fn ipv6(body: &[u8]) -> Option<SocketAddr> {
    let (source, rest) = body.split_first_chunk::<16>()?;
    let (_destination, rest) = rest.split_first_chunk::<16>()?;
    let (port, rest) = rest.split_first_chunk::<2>()?;
    rest.split_first_chunk::<2>()?;
    Some((Ipv6Addr::from(*source), u16::from_be_bytes(*port)).into())
}
