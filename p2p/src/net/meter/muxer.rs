//! A multiplexer whose streams are measured, and which ends when its meter says so.

use std::error::Error;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures::{AsyncRead, AsyncWrite, Future};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use tokio::time::{Interval, MissedTickBehavior, Sleep, interval, sleep};

use super::Meter;
use super::watch::{Names, Watch};
use p2p_proto::limits::CLOSE_TIMEOUT_MS;

/// Interval between checks of time limits.
const TICK: Duration = Duration::from_secs(1);

/// A measured multiplexer.
pub(in crate::net) struct Metered<M> {
    inner: M,
    meter: Arc<Meter>,
    tick: Interval,
    /// When it last ticked.
    ticked: Instant,
    closing: Option<Pin<Box<Sleep>>>,
    streams: u64,
}

impl<M> Metered<M> {
    /// Wraps the multiplexer of a connection. Needs a tokio runtime.
    pub(in crate::net) fn new(inner: M, meter: Arc<Meter>) -> Self {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { inner, meter, tick, ticked: Instant::now(), closing: None, streams: 0 }
    }

    fn wrap<S>(&mut self, inner: S, is_inbound: bool) -> MeteredStream<S> {
        self.streams += 1;
        MeteredStream {
            inner,
            is_inbound,
            names: self.meter.names(),
            meter: self.meter.clone(),
            number: self.streams,
            watch: Watch::new(),
            held_bytes: 0,
            unfinished: None,
            is_blocked: false,
        }
    }
}

impl<M> StreamMuxer for Metered<M>
where
    M: StreamMuxer + Unpin,
    M::Substream: Unpin,
    M::Error: Error + Send + Sync + 'static,
{
    type Substream = MeteredStream<M::Substream>;
    type Error = io::Error;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Self::Substream>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_inbound(cx)).map_err(io::Error::other)?;
        Poll::Ready(Ok(self.wrap(stream, true)))
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Self::Substream>> {
        let stream = ready!(Pin::new(&mut self.inner).poll_outbound(cx)).map_err(io::Error::other)?;
        Poll::Ready(Ok(self.wrap(stream, false)))
    }

    /// Gives up after a while, so that a peer that does not read cannot keep the connection.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let timeout = self.closing.get_or_insert_with(|| Box::pin(sleep(Duration::from_millis(CLOSE_TIMEOUT_MS))));
        if timeout.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.inner).poll_close(cx).map_err(io::Error::other)
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<StreamMuxerEvent>> {
        if let Poll::Ready(error) = self.meter.poll_ended(cx) {
            return Poll::Ready(Err(error));
        }
        while self.tick.poll_tick(cx).is_ready() {
            let pause = self.ticked.elapsed();
            self.ticked = Instant::now();
            if pause > 2 * TICK {
                self.meter.forgive(pause);
            }
            if let Some(reason) = self.meter.overdue() {
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, reason)));
            }
        }
        Pin::new(&mut self.inner).poll(cx).map_err(io::Error::other)
    }
}

/// A stream whose messages are measured.
pub(in crate::net) struct MeteredStream<S> {
    inner: S,
    /// Gossip and requests arrive on inbound streams. Responses have the time limit of their request.
    is_inbound: bool,
    names: Arc<Names>,
    meter: Arc<Meter>,
    number: u64,
    watch: Watch,
    /// Bytes reported to the meter.
    held_bytes: usize,
    unfinished: Option<u64>,
    is_blocked: bool,
}

impl<S> MeteredStream<S> {
    /// Reports changes to the meter.
    fn report(&mut self) {
        let held_bytes = self.watch.held_bytes();
        if held_bytes > self.held_bytes {
            self.meter.hold(held_bytes - self.held_bytes);
        } else if held_bytes < self.held_bytes {
            self.meter.release(self.held_bytes - held_bytes);
        }
        self.held_bytes = held_bytes;
        let unfinished = self.watch.unfinished().filter(|_| self.is_inbound);
        if unfinished != self.unfinished {
            self.unfinished = unfinished;
            self.meter.stream(self.number, |stream| stream.message_since = unfinished.map(|_| Instant::now()));
        }
    }

    /// Records whether the peer reads what it is sent.
    fn written<T>(&mut self, result: Poll<T>) -> Poll<T> {
        if result.is_pending() != self.is_blocked {
            self.is_blocked = result.is_pending();
            let since = self.is_blocked.then(Instant::now);
            self.meter.stream(self.number, |stream| stream.blocked_since = since);
        }
        result
    }
}

impl<S> Drop for MeteredStream<S> {
    fn drop(&mut self) {
        self.meter.release(self.held_bytes);
        self.meter.stream_dropped(self.number);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for MeteredStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        let this = &mut *self;
        this.watch.follow(&this.names, buffer.get(..count).unwrap_or_default());
        this.report();
        Poll::Ready(Ok(count))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for MeteredStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.written(result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_flush(cx);
        self.written(result)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.inner).poll_close(cx);
        self.written(result)
    }
}
