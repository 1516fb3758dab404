//! Bounds on connections: slots, and receive buffers.

use super::RESPONSE_BYTES_MAX;

// --- Slots ----------------------------------------------------------------------------------------------------------

/// Maximum number of inbound connections in handshake, for TCP and for QUIC each. At most 100 KB each, with socket,
/// keys, and certificate.
pub const HALF_OPEN_MAX: usize = 64;

/// Maximum number of inbound connections in handshake from one netgroup, for TCP and for QUIC each: half of all.
pub const HALF_OPEN_PER_NETGROUP_MAX: usize = 32;

/// Maximum number of inbound connections in handshake from one host, including loopback, for TCP and for QUIC each:
/// enough for a household's or a test network's nodes that start together.
pub const HALF_OPEN_PER_HOST_MAX: usize = 16;

/// Time within which an inbound connection must finish its handshake, milliseconds: three round trips of 2 s, as over
/// Tor, and time for a busy processor. Newcomers do not wait for it, since half-open connections give way.
pub const HANDSHAKE_TIMEOUT_MS: u64 = 8_000;

/// Number of inbound connections above [`INBOUND_MAX`](super::INBOUND_MAX) while evicted ones close.
pub const INBOUND_CLOSING_MAX: u32 = 16;

/// Time limit for closing a connection, milliseconds: a peer that does not read must not keep its slot.
pub const CLOSE_TIMEOUT_MS: u64 = 1_000;

/// Number of netgroups whose oldest connection cannot be evicted, chosen by a keyed hash: as in Bitcoin Core.
pub const PROTECTED_BY_NETGROUP: usize = 4;

/// Number of connections with the lowest round-trip time that cannot be evicted: as in Bitcoin Core.
pub const PROTECTED_BY_PING: usize = 8;

/// Number of connections that most recently delivered valid shares or links and so cannot be evicted. Twice Bitcoin
/// Core's number for transactions, since here it takes proof of work.
pub const PROTECTED_BY_WORK: usize = 8;

/// Number of connections that most recently delivered blocks of the pool and so cannot be evicted: as in Bitcoin Core.
pub const PROTECTED_BY_BLOCK: usize = 4;

/// Maximum part of the connections protected by age that goes to loopback: a quarter, as in Bitcoin Core.
pub const PROTECTED_LOCAL_DIVISOR: usize = 4;

// --- Receive buffers ------------------------------------------------------------------------------------------------

/// Maximum total size of all receive buffers, bytes: unfinished messages, and unread streams over TCP. While a newcomer
/// syncs, 16 responses of 2 MiB each may arrive at once.
pub const RECEIVE_BUFFER_BYTES_MAX: usize = 32 << 20;

/// Time within which gossip or a request must arrive once it has begun, milliseconds: 280 KB at 150 kbit/s, half of a
/// slow line. Less than [`REQUEST_TIMEOUT_MS`](super::REQUEST_TIMEOUT_MS), after which libp2p drops the stream and keeps
/// the connection.
pub const FRAME_TIMEOUT_MS: u64 = 15_000;

/// Time after which a connection ends if its peer reads nothing, or if its streams stay unread, milliseconds.
pub const STALL_TIMEOUT_MS: u64 = 20_000;

/// Maximum size of unread data on one TCP connection, bytes. At this size, the node stops reading from the socket. One
/// stream may have 256 KiB in flight by Yamux's specification; 144 connections hold at most 55 MB.
pub const UNREAD_BYTES_MAX: usize = 384 << 10;

/// Maximum size of a Yamux frame, bytes: four times what libp2p sends. The receiver allocates a frame before it arrives.
pub const MUXER_FRAME_BYTES_MAX: usize = 64 << 10;

/// QUIC receive window of a connection, bytes: at most 55 MB for 144 connections, and 20 Mbit/s at 150 ms.
pub const QUIC_CONNECTION_WINDOW_BYTES: u32 = 384 << 10;

/// QUIC receive window of a stream, bytes: the same as Yamux's.
pub const QUIC_STREAM_WINDOW_BYTES: u32 = 256 << 10;

/// Maximum number of inbound streams of one connection that are negotiating their protocol.
pub const NEGOTIATING_STREAMS_MAX: usize = 16;

/// Number of events of one connection that wait for the network task. Each may be a gossip message.
pub const CONNECTION_EVENTS_MAX: usize = 2;

/// Maximum number of gossip messages in one frame. A frame of small messages must not fill caches before the first of
/// them is judged.
pub const GOSSIP_MESSAGES_PER_FRAME_MAX: usize = 64;

/// Maximum number of gossip messages that wait for a slow peer. More are dropped; the exchange of unlisted shares makes
/// up for them.
pub const GOSSIP_QUEUE_MAX: usize = 256;

/// Maximum total size of responses in flight to peers, bytes. Beyond it, requests are rejected.
pub const REPLY_BYTES_MAX: usize = 32 << 20;

/// Maximum size of responses in flight to one host, bytes: four of 2 MiB, as many as one peer requests at a time.
pub const REPLY_BYTES_PER_HOST_MAX: usize = 4 * RESPONSE_BYTES_MAX;
