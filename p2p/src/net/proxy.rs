//! Dials through a SOCKS5 proxy (RFC 1928) such as Tor's, and addresses of onion services.
//!
//! The proxy resolves names. Each dial has a random user and password (RFC 1929), so that Tor gives each connection a
//! circuit of its own (`IsolateSOCKSAuth`, which is its default) and no exit relay can link them.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use libp2p::core::Transport;
use libp2p::core::transport::{DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p::multiaddr::{Onion3Addr, Protocol};
use libp2p::{Multiaddr, tcp};
use tokio::net::TcpStream;
use tokio_socks::TargetAddr;
use tokio_socks::tcp::Socks5Stream;

use super::address::is_loopback;
use p2p_proto::limits::PROXY_TIMEOUT_MS;

/// A SOCKS5 proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Its address. It is an IP address, because a name would have to be resolved without it.
    pub address: SocketAddr,
    /// True if every connection goes through it; false if only those to onion services do.
    pub only: bool,
}

/// Text of an address that the proxy cannot dial.
#[derive(Debug, thiserror::Error)]
#[error("a SOCKS5 proxy cannot dial {0}")]
struct NotDialable(Multiaddr);

/// Host and port of an address that the proxy dials. The proxy resolves DNS names itself.
fn target(address: &Multiaddr, only: bool) -> Option<TargetAddr<'static>> {
    let mut parts = address.iter();
    let host = parts.next()?;
    if let Protocol::Onion3(onion) = &host {
        return Some(TargetAddr::Domain(format!("{}.onion", onion_name(onion)).into(), onion.port()));
    }
    let Some(Protocol::Tcp(port)) = parts.next().filter(|_| only) else { return None };
    match host {
        Protocol::Ip4(ip) => Some(TargetAddr::Ip(SocketAddr::new(ip.into(), port))),
        Protocol::Ip6(ip) => Some(TargetAddr::Ip(SocketAddr::new(ip.into(), port))),
        Protocol::Dns(name) | Protocol::Dns4(name) | Protocol::Dns6(name) => {
            Some(TargetAddr::Domain(name.into_owned().into(), port))
        }
        _ => None,
    }
}

/// Name of an onion service, 56 characters without `.onion`.
fn onion_name(address: &Onion3Addr<'_>) -> String {
    Protocol::Onion3((*address.hash(), address.port()).into())
        .to_string()
        .split(['/', ':'])
        .nth(2)
        .unwrap_or_default()
        .to_owned()
}

/// True for an address of an onion service, version 3. Its checksum is left to the proxy.
pub(super) fn is_onion(part: &Protocol<'_>) -> bool {
    const VERSION: u8 = 3;
    matches!(part, Protocol::Onion3(onion) if onion.hash().last() == Some(&VERSION))
}

/// Dials through a proxy. Listens on loopback addresses only, where the proxy's onion service connects.
pub(super) struct Dialer {
    proxy: Proxy,
    listening: tcp::tokio::Transport,
}

impl Dialer {
    pub(super) fn new(proxy: Proxy) -> Self {
        Self { proxy, listening: tcp::tokio::Transport::new(tcp::Config::default().nodelay(true)) }
    }
}

async fn connect(proxy: SocketAddr, target: TargetAddr<'static>) -> io::Result<tcp::tokio::TcpStream> {
    let mut isolation = [0_u8; 16];
    getrandom::fill(&mut isolation).map_err(io::Error::other)?;
    let user: String = isolation.iter().map(|byte| format!("{byte:02x}")).collect();
    let connecting = async {
        let stream = TcpStream::connect(proxy).await?;
        stream.set_nodelay(true)?;
        let stream = Socks5Stream::connect_with_password_and_socket(stream, target, &user, "shoal").await;
        stream.map(Socks5Stream::into_inner).map_err(io::Error::other)
    };
    let limit = Duration::from_millis(PROXY_TIMEOUT_MS);
    let stream = tokio::time::timeout(limit, connecting).await.map_err(|_| io::ErrorKind::TimedOut)??;
    Ok(tcp::tokio::TcpStream(stream))
}

impl Transport for Dialer {
    type Output = tcp::tokio::TcpStream;
    type Error = io::Error;
    type ListenerUpgrade = <tcp::tokio::Transport as Transport>::ListenerUpgrade;
    type Dial = BoxFuture<'static, io::Result<tcp::tokio::TcpStream>>;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<io::Error>> {
        if self.proxy.only && is_loopback(&address) {
            self.listening.listen_on(id, address)
        } else {
            Err(TransportError::MultiaddrNotSupported(address))
        }
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.listening.remove_listener(id)
    }

    fn dial(&mut self, address: Multiaddr, _: DialOpts) -> Result<Self::Dial, TransportError<io::Error>> {
        match target(&address, self.proxy.only) {
            Some(target) => Ok(connect(self.proxy.address, target).boxed()),
            None if self.proxy.only => Err(TransportError::Other(io::Error::other(NotDialable(address)))),
            None => Err(TransportError::MultiaddrNotSupported(address)),
        }
    }

    fn poll(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, io::Error>> {
        Pin::new(&mut self.listening).poll(context)
    }
}

#[cfg(test)]
mod tests;
