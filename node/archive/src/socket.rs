//! Sockets to the database's server. What it sends is counted: tokio-postgres keeps a message of any announced length until it is
//! whole, and the rows of an answer until the last one.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_postgres::config::Host;

use crate::limits::{ANSWERS_BYTES_MAX, CONNECT_TIMEOUT};

/// Bytes that a server may send until it is asked again.
#[derive(Clone, Debug)]
pub(crate) struct Allowance(Arc<AtomicUsize>);

impl Allowance {
    fn new() -> Self {
        Self(Arc::new(AtomicUsize::new(ANSWERS_BYTES_MAX)))
    }

    /// Lets the server send as much again, because it is asked again.
    pub(crate) fn renew(&self) {
        self.0.store(ANSWERS_BYTES_MAX, Ordering::Relaxed);
    }

    /// Counts what was read.
    fn spend(&self, bytes: usize) -> io::Result<()> {
        let left = self.0.load(Ordering::Relaxed).checked_sub(bytes);
        let left =
            left.ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "the server sends more than was asked"))?;
        self.0.store(left, Ordering::Relaxed);
        Ok(())
    }
}

/// TCP or a Unix socket.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection whose incoming bytes are counted.
pub(crate) struct Socket {
    stream: Box<dyn Stream>,
    allowance: Allowance,
}

impl Socket {
    /// Connects to a server: a host with its port, or the folder of a Unix socket.
    pub(crate) async fn open(host: &Host, port: u16) -> io::Result<Self> {
        let connecting = async {
            let stream: Box<dyn Stream> = match host {
                Host::Tcp(name) => {
                    let stream = TcpStream::connect((name.as_str(), port)).await?;
                    stream.set_nodelay(true)?;
                    Box::new(stream)
                }
                Host::Unix(folder) => Box::new(UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await?),
            };
            Ok::<_, io::Error>(Self { stream, allowance: Allowance::new() })
        };
        timeout(CONNECT_TIMEOUT, connecting).await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
    }

    pub(crate) fn allowance(&self) -> Allowance {
        self.allowance.clone()
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        Poll::Ready(self.allowance.spend(buf.filled().len().saturating_sub(before)))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
