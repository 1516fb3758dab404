//! A line between two nodes that can be cut.
//!
//! A node does not dial another node directly, but a port of the test network, which forwards the bytes. This is the
//! only path between them, and it needs no root privileges. Cutting a line closes its connections and rejects new ones.
//! After healing, the nodes redial. They find no other path: they know no other addresses, and mDNS is off while lines
//! are used.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::limits::LINE_CONNECTIONS_MAX;

/// A line from a dialing node to a listening one. It is removed when dropped.
#[derive(Debug)]
pub struct Line {
    address: SocketAddr,
    open: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Line {
    /// Listens on `address` and passes connections on to `target`.
    ///
    /// # Errors
    /// The address cannot be listened on.
    pub async fn start(address: SocketAddr, target: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (open, is_open) = watch::channel(true);
        let task = tokio::spawn(accept(listener, target, is_open));
        Ok(Self { address, open, task })
    }

    /// Address to which the dialing node connects.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts the line, or restores it.
    pub fn set_open(&self, open: bool) {
        self.open.send_replace(open);
    }

    /// True unless the line is cut.
    pub fn is_open(&self) -> bool {
        *self.open.borrow()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, is_open: watch::Receiver<bool>) {
    let room = Arc::new(Semaphore::new(LINE_CONNECTIONS_MAX));
    loop {
        let Ok((near, _)) = listener.accept().await else {
            // For example, out of file handles: wait for others to close theirs.
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else { continue };
        if *is_open.borrow() {
            let is_open = is_open.clone();
            tokio::spawn(async move {
                pass(near, target, is_open).await;
                drop(place);
            });
        }
    }
}

/// Forwards bytes until one side closes or the line is cut.
async fn pass(mut near: TcpStream, target: SocketAddr, mut is_open: watch::Receiver<bool>) {
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    // Without it the test network would add delays of its own.
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        // The line was dropped or cut.
        _ = is_open.wait_for(|open| !open) => {}
    }
}

#[cfg(test)]
mod tests;
