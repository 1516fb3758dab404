//! Measures the receive buffers of connections, and ends connections that hold too much or for too long.
//!
//! libp2p's handlers collect whole messages before anything else sees them, and the multiplexer keeps what no handler
//! has read. Both are counted here, below the handlers: see [`muxer`] and [`yamux`].

pub(super) mod muxer;
mod watch;
pub(super) mod yamux;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::task::AtomicWaker;

use p2p_proto::buffers::{BufferId, Buffers};
use p2p_proto::limits::{FRAME_TIMEOUT_MS, STALL_TIMEOUT_MS, STREAMS_PER_CONNECTION_MAX, UNREAD_BYTES_MAX};
use p2p_proto::netgroup::Host;

use watch::Names;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Receive buffers of all connections.
#[derive(Clone)]
pub(super) struct Meters {
    shared: Arc<Mutex<Shared>>,
    names: Arc<Names>,
}

#[derive(Default)]
struct Shared {
    buffers: Buffers,
    ends: BTreeMap<BufferId, Arc<End>>,
}

/// Whether a connection must end, and the task to wake then.
#[derive(Default)]
struct End {
    reason: Mutex<Option<&'static str>>,
    waker: AtomicWaker,
}

impl Meters {
    /// `gossip` and `sync` are the names of the protocols whose messages are measured.
    pub(super) fn new(gossip: &str, sync: &str) -> Self {
        Self { shared: Arc::default(), names: Arc::new(Names::new(gossip, sync)) }
    }

    /// Starts to measure a connection.
    pub(super) fn open(&self, host: Host) -> Arc<Meter> {
        let end = Arc::new(End::default());
        let mut shared = lock(&self.shared);
        let id = shared.buffers.open(host);
        shared.ends.insert(id, end.clone());
        drop(shared);
        Arc::new(Meter {
            id,
            meters: self.clone(),
            end,
            streams: Mutex::default(),
            unread: Mutex::default(),
            reader: AtomicWaker::new(),
        })
    }
}

/// State of one stream whose time is limited.
#[derive(Clone, Copy, Debug, Default)]
struct Stream {
    /// When the unfinished message began.
    message_since: Option<Instant>,
    /// Since when the peer has read nothing.
    blocked_since: Option<Instant>,
}

/// Data of one TCP connection that its streams have not read.
#[derive(Debug, Default)]
struct Unread {
    by_stream: HashMap<u32, usize>,
    size_bytes: usize,
    /// Since when the node has not read from the socket.
    paused_since: Option<Instant>,
}

/// The buffers of one connection.
pub(super) struct Meter {
    id: BufferId,
    meters: Meters,
    end: Arc<End>,
    streams: Mutex<HashMap<u64, Stream>>,
    unread: Mutex<Unread>,
    reader: AtomicWaker,
}

impl Drop for Meter {
    fn drop(&mut self) {
        let mut shared = lock(&self.meters.shared);
        shared.buffers.close(self.id);
        shared.ends.remove(&self.id);
    }
}

impl Meter {
    fn names(&self) -> Arc<Names> {
        self.meters.names.clone()
    }

    /// Adds bytes, and ends connections to make room for them.
    fn hold(&self, size_bytes: usize) {
        let mut shared = lock(&self.meters.shared);
        for id in shared.buffers.hold(self.id, size_bytes) {
            if let Some(end) = shared.ends.remove(&id) {
                *lock(&end.reason) = Some("its unfinished messages took too much memory");
                end.waker.wake();
            }
        }
    }

    fn release(&self, size_bytes: usize) {
        lock(&self.meters.shared).buffers.release(self.id, size_bytes);
    }

    /// Resolves when the connection must end.
    fn poll_ended(&self, cx: &Context<'_>) -> Poll<io::Error> {
        self.end.waker.register(cx.waker());
        match *lock(&self.end.reason) {
            Some(reason) => Poll::Ready(io::Error::other(reason)),
            None => Poll::Pending,
        }
    }

    /// Reason to end the connection because a peer takes too long.
    fn overdue(&self) -> Option<&'static str> {
        let is_over = |since: Option<Instant>, limit_ms| {
            since.is_some_and(|since| since.elapsed() >= Duration::from_millis(limit_ms))
        };
        if is_over(lock(&self.unread).paused_since, STALL_TIMEOUT_MS) {
            return Some("its streams were not read for too long");
        }
        let streams = lock(&self.streams);
        if streams.values().any(|stream| is_over(stream.message_since, FRAME_TIMEOUT_MS)) {
            Some("it did not finish a message in time")
        } else if streams.values().any(|stream| is_over(stream.blocked_since, STALL_TIMEOUT_MS)) {
            Some("it did not read what it was sent")
        } else {
            None
        }
    }

    /// Does not count time in which this node did not run, since it could not read what peers sent.
    fn forgive(&self, time: Duration) {
        let later = |since: &mut Option<Instant>| *since = since.map(|since| since + time);
        later(&mut lock(&self.unread).paused_since);
        for stream in lock(&self.streams).values_mut() {
            later(&mut stream.message_since);
            later(&mut stream.blocked_since);
        }
    }

    /// Changes the state of a stream.
    fn stream(&self, number: u64, change: impl FnOnce(&mut Stream)) {
        change(lock(&self.streams).entry(number).or_default());
    }

    fn stream_dropped(&self, number: u64) {
        lock(&self.streams).remove(&number);
    }

    /// Resolves when the connection has room for more data of its streams.
    fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        self.reader.register(cx.waker());
        let mut unread = lock(&self.unread);
        if unread.size_bytes < UNREAD_BYTES_MAX {
            unread.paused_since = None;
            return Poll::Ready(());
        }
        unread.paused_since.get_or_insert_with(Instant::now);
        Poll::Pending
    }

    /// Records that a stream exists.
    fn yamux_opened(&self, stream: u32) {
        let mut unread = lock(&self.unread);
        // The multiplexer resets streams above its limit.
        if unread.by_stream.len() < 2 * STREAMS_PER_CONNECTION_MAX {
            unread.by_stream.entry(stream).or_default();
        }
    }

    /// Records that data for a stream arrives. The multiplexer discards data of streams that do not exist.
    fn yamux_arrived(&self, stream: u32, size_bytes: usize) {
        let mut unread = lock(&self.unread);
        if let Some(of_stream) = unread.by_stream.get_mut(&stream) {
            *of_stream = of_stream.saturating_add(size_bytes);
            unread.size_bytes = unread.size_bytes.saturating_add(size_bytes);
            drop(unread);
            self.hold(size_bytes);
        }
    }

    /// Records that a stream's data was read.
    fn yamux_read(&self, stream: u32, size_bytes: usize) {
        let mut unread = lock(&self.unread);
        if let Some(of_stream) = unread.by_stream.get_mut(&stream) {
            *of_stream = of_stream.saturating_sub(size_bytes);
            self.yamux_freed(unread, size_bytes);
        }
    }

    /// Records that a stream is gone, with its unread data.
    fn yamux_dropped(&self, stream: u32) {
        let mut unread = lock(&self.unread);
        if let Some(size_bytes) = unread.by_stream.remove(&stream) {
            self.yamux_freed(unread, size_bytes);
        }
    }

    fn yamux_freed(&self, mut unread: MutexGuard<'_, Unread>, size_bytes: usize) {
        unread.size_bytes = unread.size_bytes.saturating_sub(size_bytes);
        drop(unread);
        self.release(size_bytes);
        self.reader.wake();
    }
}

#[cfg(test)]
mod tests;
