//! What a miner's connection does in both protocols.

use std::future::Future;
use std::io;

use tokio::net::TcpStream;

/// What a message from the node means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing that the load counts.
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

    /// Reads the next message. What was read of it stays if this is canceled.
    fn read(&mut self) -> impl Future<Output = io::Result<News>> + Send;

    /// The Bitcoin tip of the newest job; empty before the first.
    fn tip(&self) -> &[u8];

    /// Finds this many shares for the newest job, none of them good enough for the pool.
    fn find(&mut self, count: usize) -> io::Result<Vec<Self::Share>>;

    /// Submits a share.
    fn submit(&mut self, share: Self::Share) -> impl Future<Output = io::Result<()>> + Send;
}
