//! Operations of a miner's connection in both protocols.

use std::future::Future;
use std::io;

use tokio::net::TcpStream;

/// Meaning of a message from the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Not counted by the load.
    Other,
    /// The first job on another Bitcoin tip. Holds the bytes of its messages.
    Tip(usize),
    /// The answer to a submit: whether it was accepted.
    Answer(bool),
}

/// One miner's protocol.
pub(super) trait Wire: Sized + Send + 'static {
    /// A share, ready to be submitted.
    type Share: Send;

    /// Introduces the miner. The first job comes with later messages.
    fn open(stream: TcpStream, user: &str) -> impl Future<Output = io::Result<Self>> + Send;

    /// Reads the next message. Cancellation keeps the bytes already read.
    fn read(&mut self) -> impl Future<Output = io::Result<News>> + Send;

    /// The Bitcoin tip of the newest job; empty before the first.
    fn tip(&self) -> &[u8];

    /// Finds this many shares for the newest job, none of them good enough for the pool.
    fn find(&mut self, count: usize) -> io::Result<Vec<Self::Share>>;

    /// Submits a share.
    fn submit(&mut self, share: Self::Share) -> impl Future<Output = io::Result<()>> + Send;
}
