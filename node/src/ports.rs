//! Checks whether the configured ports are free, before anything else uses them.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

use rustix::io::Errno;
use tracing::info;

/// Checks that the TCP port can be bound; port 0 means any free port.
///
/// # Errors
/// The system's error, if the port cannot be bound.
pub(crate) fn tcp_free(listen: SocketAddr) -> io::Result<()> {
    TcpListener::bind(listen).map(drop)
}

/// Checks that the UDP port can be bound; port 0 means any free port.
///
/// # Errors
/// The system's error, if the port cannot be bound.
pub(crate) fn udp_free(listen: SocketAddr) -> io::Result<()> {
    UdpSocket::bind(listen).map(drop)
}

/// The addresses to listen on for other nodes, all of them free. A machine without IPv6 goes without `[::]`.
///
/// # Errors
/// The first address that cannot be bound, with the system's error.
pub(crate) fn for_peers(listen: &[SocketAddr]) -> Result<Vec<SocketAddr>, (SocketAddr, io::Error)> {
    usable(listen, |address| tcp_free(address).and_then(|()| udp_free(address)))
}

fn usable(
    listen: &[SocketAddr],
    free: impl Fn(SocketAddr) -> io::Result<()>,
) -> Result<Vec<SocketAddr>, (SocketAddr, io::Error)> {
    let mut usable = Vec::new();
    for &address in listen {
        match free(address) {
            Ok(()) => usable.push(address),
            Err(error) if listen.len() > 1 && is_absent_ipv6(address, &error) => {
                info!(%address, "this machine has no IPv6; it exchanges data with other nodes over IPv4 alone");
            }
            Err(error) => return Err((address, error)),
        }
    }
    Ok(usable)
}

/// True if "all IPv6 addresses" cannot be bound because the system has none.
pub(crate) fn is_absent_ipv6(address: SocketAddr, error: &io::Error) -> bool {
    let absent = [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL].map(|errno| Some(errno.raw_os_error()));
    address.is_ipv6() && address.ip().is_unspecified() && absent.contains(&error.raw_os_error())
}

#[cfg(test)]
mod tests;
