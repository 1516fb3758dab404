//! Yamux for TCP connections, with a bound on the data that streams have not read.
//!
//! Yamux gives each stream a window of 256 KiB and has no window for the connection, so 64 unread streams hold 16 MiB.
//! libp2p's wrapper sets neither the growth of windows nor a limit below that. Here, the frames are counted as they
//! arrive; above [`UNREAD_BYTES_MAX`](p2p_proto::limits::UNREAD_BYTES_MAX), the node stops reading from the socket
//! until a stream is read.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use futures::future::{Ready, ready as now};
use futures::{AsyncRead, AsyncWrite};
use libp2p::core::UpgradeInfo;
use libp2p::core::muxing::{StreamMuxer, StreamMuxerEvent};
use libp2p::core::upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade};
use yamux::{Connection, ConnectionError, DEFAULT_CREDIT, Mode};

use super::Meter;
use super::muxer::Metered;
use p2p_proto::limits::{MUXER_FRAME_BYTES_MAX, STREAMS_PER_CONNECTION_MAX};

/// Length of a frame's header, bytes.
const HEADER_BYTES: usize = 12;

/// Flag of the first frame of a stream.
const SYN: u16 = 1;

/// Upgrade of an authenticated connection to Yamux.
#[derive(Clone)]
pub(in crate::net) struct Upgrade(pub(in crate::net) Arc<Meter>);

impl Upgrade {
    fn apply<C: AsyncRead + AsyncWrite + Unpin>(self, io: C, mode: Mode) -> Metered<Muxer<C>> {
        let mut config = yamux::Config::default();
        config.set_max_num_streams(STREAMS_PER_CONNECTION_MAX);
        // The minimum allowed: windows do not grow while all streams are open.
        config.set_max_connection_receive_window(Some(STREAMS_PER_CONNECTION_MAX * DEFAULT_CREDIT as usize));
        let meter = self.0;
        let guard = FrameGuard { io, meter: meter.clone(), header: [0; HEADER_BYTES], header_bytes: 0, body_bytes: 0 };
        let muxer = Muxer {
            connection: Connection::new(guard, config, mode),
            meter: meter.clone(),
            inbound: VecDeque::new(),
            acceptor: None,
        };
        Metered::new(muxer, meter)
    }
}

impl UpgradeInfo for Upgrade {
    type Info = &'static str;
    type InfoIter = std::iter::Once<&'static str>;

    fn protocol_info(&self) -> Self::InfoIter {
        std::iter::once("/yamux/1.0.0")
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> InboundConnectionUpgrade<C> for Upgrade {
    type Output = Metered<Muxer<C>>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Output>>;

    fn upgrade_inbound(self, io: C, _: &'static str) -> Self::Future {
        now(Ok(self.apply(io, Mode::Server)))
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> OutboundConnectionUpgrade<C> for Upgrade {
    type Output = Metered<Muxer<C>>;
    type Error = io::Error;
    type Future = Ready<io::Result<Self::Output>>;

    fn upgrade_outbound(self, io: C, _: &'static str) -> Self::Future {
        now(Ok(self.apply(io, Mode::Client)))
    }
}

/// The layer below Yamux: counts the frames that it reads, and pauses between frames while too much is unread.
struct FrameGuard<C> {
    io: C,
    meter: Arc<Meter>,
    header: [u8; HEADER_BYTES],
    header_bytes: usize,
    /// Bytes of the frame's body that are missing.
    body_bytes: usize,
}

impl<C> FrameGuard<C> {
    /// Parses a complete header: version, type, flags, stream, length.
    fn begin_frame(&mut self) -> io::Result<()> {
        let [_, kind, f0, f1, s0, s1, s2, s3, l0, l1, l2, l3] = self.header;
        let (flags, stream) = (u16::from_be_bytes([f0, f1]), u32::from_be_bytes([s0, s1, s2, s3]));
        self.header_bytes = 0;
        if flags & SYN != 0 {
            self.meter.yamux_opened(stream);
        }
        if kind == 0 {
            let length = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).unwrap_or(usize::MAX);
            if length > MUXER_FRAME_BYTES_MAX {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a Yamux frame is too long"));
            }
            self.body_bytes = length;
            self.meter.yamux_arrived(stream, length);
        }
        Ok(())
    }
}

impl<C: AsyncRead + Unpin> AsyncRead for FrameGuard<C> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let in_body = this.body_bytes > 0;
        if !in_body && this.header_bytes == 0 {
            ready!(this.meter.poll_room(cx));
        }
        let wanted = if in_body { this.body_bytes } else { HEADER_BYTES - this.header_bytes };
        let room = wanted.min(buffer.len());
        let part = buffer.get_mut(..room).unwrap_or_default();
        let count = ready!(Pin::new(&mut this.io).poll_read(cx, part))?;
        if in_body {
            this.body_bytes -= count.min(this.body_bytes);
        } else if let Some((to, from)) =
            this.header.get_mut(this.header_bytes..this.header_bytes + count).zip(part.get(..count))
        {
            to.copy_from_slice(from);
            this.header_bytes += count;
            if this.header_bytes == HEADER_BYTES {
                this.begin_frame()?;
            }
        }
        Poll::Ready(Ok(count))
    }
}

impl<C: AsyncWrite + Unpin> AsyncWrite for FrameGuard<C> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_close(cx)
    }
}

/// Yamux, adapted to libp2p.
pub(in crate::net) struct Muxer<C> {
    connection: Connection<FrameGuard<C>>,
    meter: Arc<Meter>,
    /// Inbound streams not yet accepted. Yamux bounds their number.
    inbound: VecDeque<Stream>,
    acceptor: Option<Waker>,
}

impl<C: AsyncRead + AsyncWrite + Unpin> Muxer<C> {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stream, ConnectionError>> {
        let stream = ready!(self.connection.poll_next_inbound(cx)).ok_or(ConnectionError::Closed)??;
        Poll::Ready(Ok(Stream::new(stream, &self.meter)))
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> StreamMuxer for Muxer<C> {
    type Substream = Stream;
    type Error = ConnectionError;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Stream, ConnectionError>> {
        if let Some(stream) = self.inbound.pop_front() {
            return Poll::Ready(Ok(stream));
        }
        self.acceptor = Some(cx.waker().clone());
        self.poll_next(cx)
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Stream, ConnectionError>> {
        let stream = ready!(self.connection.poll_new_outbound(cx))?;
        self.meter.yamux_opened(stream.id().val());
        Poll::Ready(Ok(Stream::new(stream, &self.meter)))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), ConnectionError>> {
        self.connection.poll_close(cx)
    }

    /// Drives the connection. New inbound streams wait for their acceptor.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<StreamMuxerEvent, ConnectionError>> {
        let stream = ready!(self.poll_next(cx))?;
        self.inbound.push_back(stream);
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.wake();
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A stream that reports what is read from it.
pub(in crate::net) struct Stream {
    inner: yamux::Stream,
    id: u32,
    meter: Arc<Meter>,
}

impl Stream {
    fn new(inner: yamux::Stream, meter: &Arc<Meter>) -> Self {
        Self { id: inner.id().val(), inner, meter: meter.clone() }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.meter.yamux_dropped(self.id);
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let count = ready!(Pin::new(&mut self.inner).poll_read(cx, buffer))?;
        self.meter.yamux_read(self.id, count);
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_close(cx)
    }
}
