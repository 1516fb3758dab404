//! Bounds on connections: who may connect, and what a connection may hold.

use super::{BLOCKED_MAX, RESPONSE_BYTES_MAX, SCORES_MAX};

// --- Slots ----------------------------------------------------------------------------------------------------------

/// Maximum number of inbound connections in handshake, for TCP and for QUIC each. At most 100 KB each, with socket,
/// keys, and certificate.
pub const HALF_OPEN_MAX: usize = 64;

/// Maximum number of inbound connections in handshake from one netgroup, for TCP and for QUIC each: half of all.
pub const HALF_OPEN_PER_NETGROUP_MAX: usize = 32;

/// Maximum number of inbound connections in handshake from one host, loopback too, for TCP and for QUIC each: as many as
/// a household's or a test network's nodes that start together.
pub const HALF_OPEN_PER_HOST_MAX: usize = 16;

/// Time within which an inbound connection must finish its handshake, milliseconds: three round trips of 2 s, as over
/// Tor, and time for a busy processor. What keeps newcomers from waiting is that half-open connections give way.
pub const HANDSHAKE_TIMEOUT_MS: u64 = 8_000;

/// Number of inbound connections above [`INBOUND_MAX`](super::INBOUND_MAX) while evicted ones close.
pub const INBOUND_CLOSING_MAX: u32 = 16;

/// Time that a connection may take to say goodbye, milliseconds: a peer that does not read must not keep its slot.
pub const CLOSE_TIMEOUT_MS: u64 = 1_000;

/// Number of netgroups whose oldest connection cannot be evicted, chosen by a keyed hash: as in Bitcoin Core.
pub const PROTECTED_BY_NETGROUP: usize = 4;

/// Number of connections with the lowest round-trip time that cannot be evicted: as in Bitcoin Core.
pub const PROTECTED_BY_PING: usize = 8;

/// Number of connections that delivered valid shares or links last and cannot be evicted. Twice what Bitcoin Core has
/// for transactions: here, it takes proof of work.
pub const PROTECTED_BY_WORK: usize = 8;

/// Number of connections that delivered blocks of the pool last and cannot be evicted: as in Bitcoin Core.
pub const PROTECTED_BY_BLOCK: usize = 4;

/// Part of the connections protected by age that is for loopback at most: a quarter, as in Bitcoin Core.
pub const PROTECTED_LOCAL_DIVISOR: usize = 4;

// --- Receive buffers ------------------------------------------------------------------------------------------------

/// Maximum total size of what connections hold in receive buffers, bytes: unfinished messages, and streams over TCP that
/// nobody reads. 16 responses of 2 MiB each may arrive at once while a newcomer syncs.
pub const RECEIVE_BUFFER_BYTES_MAX: usize = 32 << 20;

/// Time within which gossip or a request must arrive once it has begun, milliseconds: 280 KB at 150 kbit/s, half of a
/// slow line. Less than [`REQUEST_TIMEOUT_MS`](super::REQUEST_TIMEOUT_MS), after which libp2p drops the stream and keeps
/// the connection.
pub const FRAME_TIMEOUT_MS: u64 = 15_000;

/// Time after which a connection ends whose peer takes no byte of what it is sent, or whose streams nobody reads,
/// milliseconds.
pub const STALL_TIMEOUT_MS: u64 = 20_000;

/// Maximum size of unread data on one TCP connection, bytes. At this size, the node stops reading from the socket. One
/// stream may have 256 KiB in flight by Yamux's specification; 144 connections hold at most 55 MB.
pub const UNREAD_BYTES_MAX: usize = 384 << 10;

/// Maximum size of a Yamux frame, bytes: four times what libp2p sends. The receiver allocates a frame before it arrives.
pub const MUXER_FRAME_BYTES_MAX: usize = 64 << 10;

/// QUIC receive window of a connection, bytes: at most 55 MB for 144 connections, and 20 Mbit/s at 150 ms.
pub const QUIC_CONNECTION_WINDOW_BYTES: u32 = 384 << 10;

/// QUIC receive window of a stream, bytes: what Yamux has.
pub const QUIC_STREAM_WINDOW_BYTES: u32 = 256 << 10;

/// Maximum number of inbound streams that negotiate their protocol, on one connection.
pub const NEGOTIATING_STREAMS_MAX: usize = 16;

/// Number of events of one connection that wait for the network task. Each may be a gossip message.
pub const CONNECTION_EVENTS_MAX: usize = 2;

/// Maximum number of gossip messages in one frame. A frame of small messages must not fill caches before the first of
/// them is judged.
pub const GOSSIP_MESSAGES_PER_FRAME_MAX: usize = 64;

/// Number of gossip messages that wait for a slow peer. More are dropped; the exchange of unlisted shares makes up for
/// them.
pub const GOSSIP_QUEUE_MAX: usize = 256;

/// Maximum total size of responses on their way to peers, bytes. Beyond it, requests are rejected.
pub const REPLY_BYTES_MAX: usize = 32 << 20;

/// Maximum size of responses on their way to one host, bytes: four of 2 MiB, as many as one peer asks for at a time.
pub const REPLY_BYTES_PER_HOST_MAX: usize = 4 * RESPONSE_BYTES_MAX;

/// Maximum number of peers in libp2p's block list: all with a ban and all that the operator blocks. At most 1 MB.
pub const BLOCK_LIST_MAX: usize = SCORES_MAX + BLOCKED_MAX;
