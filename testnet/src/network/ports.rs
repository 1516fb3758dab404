//! Free ports on the loopback address.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use crate::limits::{PORT_END, PORT_FIRST};

/// No port of the range is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no free port between {PORT_FIRST} and {PORT_END} is left on this machine")]
pub struct NoFreePort;

/// Hands out free ports, each once.
///
/// They are below the range that systems use for outgoing connections, so that a restarted node finds its ports free.
#[derive(Debug)]
pub(crate) struct Ports {
    next: u16,
    left: u16,
}

impl Ports {
    /// Starts at a place in the range that differs between processes, so that two networks rarely collide.
    pub(crate) fn new() -> Self {
        let range = PORT_END - PORT_FIRST;
        let offset = u16::try_from(std::process::id().wrapping_mul(97) % u32::from(range)).unwrap_or(0);
        Self { next: PORT_FIRST + offset, left: range }
    }

    /// Returns the next port that is free for TCP and UDP on 127.0.0.1.
    ///
    /// # Errors
    /// [`NoFreePort`] if the range is used up.
    pub(crate) fn take(&mut self) -> Result<SocketAddr, NoFreePort> {
        while self.left > 0 {
            self.left -= 1;
            let candidate = SocketAddr::from((Ipv4Addr::LOCALHOST, self.next));
            self.next = if self.next + 1 < PORT_END { self.next + 1 } else { PORT_FIRST };
            if TcpListener::bind(candidate).is_ok() && UdpSocket::bind(candidate).is_ok() {
                return Ok(candidate);
            }
        }
        Err(NoFreePort)
    }
}
