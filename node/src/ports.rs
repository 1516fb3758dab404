//! Whether the ports of the configuration are free, tried before anything else is done with them.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};

/// Tells whether TCP connections can be listened for; port 0 is any free one.
///
/// # Errors
/// What the system says.
pub(crate) fn tcp_free(listen: SocketAddr) -> io::Result<()> {
    TcpListener::bind(listen).map(drop)
}

/// Tells whether datagrams can be listened for; port 0 is any free one.
///
/// # Errors
/// What the system says.
pub(crate) fn udp_free(listen: SocketAddr) -> io::Result<()> {
    UdpSocket::bind(listen).map(drop)
}
