//! The socket of a connection, and what a connection waits for: the same for both protocols.
//!
//! A connection writes its responses to each message before it reads the next. So a miner that does not read its responses
//! blocks only itself, and only until the write deadline.

use std::io;
use std::net::IpAddr;
use std::time::Instant;

use futures::StreamExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::bytes::Buf;
use tokio_util::codec::{Decoder, FramedRead};
use tokio_util::sync::ReusableBoxFuture;

use crate::budgets::Budgets;
use crate::limits;
use crate::partial::Partial;
use crate::proxy::ProxyError;
use crate::session::Timeouts;

#[cfg(test)]
mod tests;

/// Why a connection ended. The log shows the sentence.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Ended {
    #[error("the miner closed the connection")]
    Miner,
    #[error("the miner stopped reading")]
    WriteTimeout,
    #[error("no TLS or Noise handshake within {} s", limits::HELLO.as_secs())]
    NoHandshake,
    #[error("the Noise handshake failed")]
    Handshake,
    #[error("the socket failed: {0}")]
    Socket(#[from] io::Error),
    /// The server closed it. Holds the reason's name and its sentence.
    #[error("closed by the server: {1}")]
    Server(&'static str, String),
    #[error("no PROXY header: {0}")]
    Proxy(#[from] ProxyError),
    #[error("the TLS handshake failed: {0}")]
    Tls(io::Error),
}

impl Ended {
    /// Name of the reason in the statistics.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Miner => "miner",
            Self::WriteTimeout => "write_timeout",
            Self::NoHandshake | Self::Handshake | Self::Tls(_) => "encryption",
            Self::Socket(_) => "socket",
            Self::Server(name, _) => name,
            Self::Proxy(_) => "proxy",
        }
    }
}

/// The two halves of a socket, with or without TLS.
pub(crate) type Reader = Box<dyn AsyncRead + Send + Unpin>;
pub(crate) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// Divides a socket.
pub(crate) fn halves(
    (read, write): (impl AsyncRead + Send + Unpin + 'static, impl AsyncWrite + Send + Unpin + 'static),
) -> (Reader, Writer) {
    (Box::new(read), Box::new(write))
}

/// What wakes all connections of a server: a new value of it, or the same value again when the pool's work or its readiness
/// changed. Each connection waits for one thing, not for two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    #[default]
    Serving,
    Stopping,
}

/// Waits until the server stops.
pub(crate) async fn stopping(phases: &mut watch::Receiver<Phase>) {
    // The server outlives its tasks.
    let _ = phases.wait_for(|phase| *phase == Phase::Stopping).await;
}

/// What happens on a connection.
pub(crate) enum Event<T> {
    /// The server stops.
    Stop,
    /// The pool's work or its readiness changed.
    Change,
    /// The miner sent a message, or bytes that are no message; `None` if it closed the connection.
    Read(Option<T>),
    /// Deadlines are to be checked.
    Tick,
}

/// A socket whose messages `D` reads.
pub(crate) struct Socket<D> {
    reader: FramedRead<Reader, D>,
    writer: Writer,
    /// The next change, or the end of the server. Outlives a round of the connection's loop: creating a waiter in each round
    /// costs as much as reading a line.
    change: ReusableBoxFuture<'static, watch::Receiver<Phase>>,
    ticks: Interval,
    timeouts: Timeouts,
    partial: Partial,
    /// When the next message is read, if not at once.
    read_at: Option<tokio::time::Instant>,
}

/// Waits for a change. The server, which sends them, outlives its connections.
async fn next_change(mut phases: watch::Receiver<Phase>) -> watch::Receiver<Phase> {
    let _ = phases.changed().await;
    phases
}

/// Reads a message, not before this time.
async fn read_from<D: Decoder>(
    reader: &mut FramedRead<Reader, D>,
    read_at: &mut Option<tokio::time::Instant>,
) -> Option<Result<D::Item, D::Error>> {
    if let Some(at) = *read_at {
        tokio::time::sleep_until(at).await;
        *read_at = None;
    }
    reader.next().await
}

impl<D: Decoder> Socket<D> {
    pub(crate) fn new(
        (read, writer): (Reader, Writer),
        decoder: D,
        mut phases: watch::Receiver<Phase>,
        timeouts: Timeouts,
    ) -> Self {
        let mut ticks = tokio::time::interval(timeouts.tick());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        if *phases.borrow() == Phase::Stopping {
            phases.mark_changed();
        }
        Self {
            reader: FramedRead::with_capacity(read, decoder, limits::READ_BYTES),
            writer,
            change: ReusableBoxFuture::new(next_change(phases)),
            ticks,
            timeouts,
            partial: Partial::default(),
            read_at: None,
        }
    }

    /// Waits for what happens next.
    pub(crate) async fn next(&mut self) -> Event<Result<D::Item, D::Error>> {
        tokio::select! {
            // New work first, so that no miner waits for it, and gets it before responses to messages about older work.
            biased;
            phases = &mut self.change => {
                let phase = *phases.borrow();
                self.change.set(next_change(phases));
                match phase {
                    Phase::Serving => Event::Change,
                    Phase::Stopping => Event::Stop,
                }
            }
            read = read_from(&mut self.reader, &mut self.read_at) => {
                self.partial.complete();
                Event::Read(read)
            }
            _ = self.ticks.tick() => Event::Tick,
        }
    }

    /// Charges what the miner has cost to its address. Reads its next message after a while if the address sends more than its part.
    /// Jobs go out meanwhile.
    pub(crate) fn charge(&mut self, messages: &Budgets, ip: IpAddr, spent: u32) {
        if spent > 0 {
            let delay = messages.charge(ip, spent, Instant::now());
            self.read_at = (!delay.is_zero()).then(|| tokio::time::Instant::now() + delay);
        }
    }

    /// Returns the seconds within which the rest of a message should have come, if it has not. `has_begun` says whether the
    /// decoder has taken a part of one.
    pub(crate) fn late_s(&mut self, has_begun: impl FnOnce(&D) -> bool) -> Option<u64> {
        let limit = self.timeouts.partial_line;
        let is_partial = !self.reader.read_buffer().is_empty() || has_begun(self.reader.decoder());
        self.partial.is_late(is_partial, limit, Instant::now()).then_some(limit.as_secs())
    }

    /// Writes one batch.
    ///
    /// # Errors
    /// The miner does not read, or is gone.
    pub(crate) async fn write(&mut self, mut batch: impl Buf) -> Result<(), Ended> {
        let writer = &mut self.writer;
        let written = async {
            // One piece needs no list of pieces, which costs the kernel more.
            if batch.chunk().len() == batch.remaining() {
                writer.write_all(batch.chunk()).await?;
            } else {
                writer.write_all_buf(&mut batch).await?;
            }
            // TLS takes more than the socket does, and would keep the rest until the next batch.
            writer.flush().await
        };
        tokio::time::timeout(self.timeouts.write, written)
            .await
            .map_err(|_| Ended::WriteTimeout)?
            .map_err(Ended::Socket)
    }

    /// Closes the output, then drains input for a moment, so that the miner receives what was written last.
    pub(crate) async fn linger(&mut self) -> io::Result<()> {
        let Self { reader, writer, .. } = self;
        let drained = async {
            // TLS says goodbye, for which a miner that does not read leaves no room.
            writer.shutdown().await?;
            let mut input = reader.get_mut().take(limits::LINGER_BYTES_MAX);
            tokio::io::copy(&mut input, &mut tokio::io::sink()).await
        };
        tokio::time::timeout(limits::LINGER, drained).await.map_or(Ok(()), |drained| drained.map(drop))
    }
}
