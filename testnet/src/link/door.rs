//! Ports of one namespace that lead into another.

use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc::Sender;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::LinkError;
use super::space::{Space, run_in};
use crate::limits::DOOR_CONNECTIONS_MAX;

type Job = Box<dyn FnOnce() + Send>;

/// A TCP port on one side that leads to an address on the other. It is closed when dropped; its connections stay until one
/// end closes them.
#[derive(Debug)]
pub struct Door {
    task: JoinHandle<()>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Door {
    /// Opens `listen` on the system's own network. It leads to `target` in the namespace.
    ///
    /// # Errors
    /// [`LinkError::Door`] if something else has the port.
    pub fn inward(space: &Space, listen: SocketAddr, target: SocketAddr) -> Result<Self, LinkError> {
        let door = |source| LinkError::Door { address: listen, source };
        let listener = from_std(TcpListener::bind(listen)).map_err(door)?;
        let jobs = space.jobs();
        Ok(Self { task: tokio::spawn(accept(listener, target, Some(jobs))) })
    }

    /// Opens `listen` in the namespace. It leads to `target` on the system's own network.
    ///
    /// # Errors
    /// [`LinkError::Door`] if something else has the port.
    pub async fn outward(space: &Space, listen: SocketAddr, target: SocketAddr) -> Result<Self, LinkError> {
        let door = |source| LinkError::Door { address: listen, source };
        let bound = space.run(move || TcpListener::bind(listen)).await;
        let listener = from_std(bound).map_err(door)?;
        Ok(Self { task: tokio::spawn(accept(listener, target, None)) })
    }
}

fn from_std(bound: std::io::Result<TcpListener>) -> std::io::Result<tokio::net::TcpListener> {
    let listener = bound?;
    listener.set_nonblocking(true)?;
    tokio::net::TcpListener::from_std(listener)
}

/// Connects in the namespace of the queue, or on the system's own network.
async fn connect(target: SocketAddr, jobs: Option<&Sender<Job>>) -> std::io::Result<TcpStream> {
    let Some(jobs) = jobs else { return TcpStream::connect(target).await };
    // An address of the namespace itself: this takes no time.
    let stream = run_in(jobs, move || std::net::TcpStream::connect(target)).await?;
    stream.set_nonblocking(true)?;
    TcpStream::from_std(stream)
}

async fn accept(listener: tokio::net::TcpListener, target: SocketAddr, jobs: Option<Sender<Job>>) {
    let room = std::sync::Arc::new(Semaphore::new(DOOR_CONNECTIONS_MAX));
    loop {
        let Ok((mut near, _)) = listener.accept().await else {
            // For example, out of file handles: wait for others to close theirs.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = std::sync::Arc::clone(&room).try_acquire_owned() else { continue };
        let jobs = jobs.clone();
        tokio::spawn(async move {
            let _place = place;
            // Nothing listens behind it: the caller sees the connection close.
            let Ok(mut far) = connect(target, jobs.as_ref()).await else { return };
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
        });
    }
}
