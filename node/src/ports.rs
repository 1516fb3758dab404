//! Checks whether the configured ports are free, before anything else uses them.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

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
