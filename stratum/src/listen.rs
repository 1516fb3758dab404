//! A listening socket that has room for a farm whose devices connect in the same moment, and bounds what the kernel keeps for each.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};

use crate::limits;

#[cfg(test)]
mod tests;

/// Listens on an address, as [`TcpListener::bind`] does, which lets only 128 connections wait, and the kernel choose their buffers.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A server that restarts finds its port taken by connections that have just ended.
    socket.set_reuseaddr(true)?;
    // Connections inherit both.
    socket.set_send_buffer_size(limits::SEND_BUFFER_BYTES)?;
    socket.set_recv_buffer_size(limits::RECEIVE_BUFFER_BYTES)?;
    socket.bind(address)?;
    socket.listen(limits::BACKLOG)
}
