//! Bounds of everything that is sent, read or kept, each with its unit and its reason.

use sharechain::limits::{LIST_MAX, PROOF_BYTES_MAX};

// --- Messages -------------------------------------------------------------------------------------------------------

/// Ids in a locator, of links or of Bitcoin headers: 10 in a row, then at doubling distances, reach over 2^54.
pub const LOCATOR_MAX: usize = 64;

/// Links that one response may hold: with 32 shares each the 2,048 proofs behind them still fit a few requests.
pub const LINKS_MAX: usize = 64;

/// Proofs asked for in one request: some 170 KB in answer, a second on a slow line.
pub const PROOFS_MAX: usize = 256;

/// Ids of unlisted shares in one response: four full links; 128 KiB.
pub const PENDING_MAX: usize = 4_096;

/// Bitcoin headers wanted in one request: those of a burst of links after a partition.
pub const HEADERS_WANTED_MAX: usize = 64;

/// Bitcoin headers in one response, as in Bitcoin's own protocol: one retarget period, 160 KB.
pub const HEADERS_MAX: usize = 2_000;

/// Bytes of a user agent: a name and a version.
pub const USER_AGENT_BYTES_MAX: usize = 64;

/// Bytes of a full Bitcoin block: consensus bounds its weight at 4,000,000, of which a byte takes at least one.
pub const BLOCK_BYTES_MAX: usize = 4_000_000;

/// Bytes of an encoded list: its count and its ids.
pub const LIST_BYTES_MAX: usize = 2 + 32 * LIST_MAX;

/// Bytes of an encoded request: two locators' worth of hashes or [`PROOFS_MAX`] ids, with tag and counts; rounded up.
pub const REQUEST_BYTES_MAX: usize = 16 + 32 * PROOFS_MAX;

/// Bytes of an encoded response: 2 MiB, room for 60 links whose lists are full; seconds on a slow line.
pub const RESPONSE_BYTES_MAX: usize = 2 << 20;

/// Bytes of gossip on the topic of shares: the kind and a proof.
pub const SHARE_GOSSIP_BYTES_MAX: usize = 1 + 4 + PROOF_BYTES_MAX;

/// Bytes of gossip on the topic of links: the kind, a proof and its list.
pub const LINK_GOSSIP_BYTES_MAX: usize = SHARE_GOSSIP_BYTES_MAX + 4 + LIST_BYTES_MAX;

/// Bytes of gossip on the topic of Bitcoin blocks: the kind and a block.
pub const BLOCK_GOSSIP_BYTES_MAX: usize = 1 + 4 + BLOCK_BYTES_MAX;

/// Bytes that gossipsub puts around a message: topic, lengths, and control messages that share its frame.
pub const GOSSIP_ENVELOPE_BYTES: usize = 1_024;

// --- Scores ---------------------------------------------------------------------------------------------------------

/// Points at which a peer is banned.
pub const BAN_POINTS: u32 = 100;

/// Milliseconds after which one point is forgiven: 100 points in ten minutes.
pub const FORGIVE_POINT_MS: u64 = 6_000;

/// Milliseconds of a first ban: long enough to matter, short enough for a peer that was merely broken.
pub const BAN_MS: u64 = 600_000;

/// Doublings of the ban for peers that are banned again: up to 21 hours.
pub const BAN_DOUBLINGS_MAX: u32 = 7;

/// Peers whose points are remembered; whoever has the fewest is forgotten first. 4,096 entries fill some 300 KB.
pub const SCORES_MAX: usize = 4_096;

// --- Rates, a peer --------------------------------------------------------------------------------------------------

/// Bytes of gossip a second, beside what proves to be valid: three full Bitcoin blocks a minute, or some 300 shares a
/// second.
pub const GOSSIP_BYTES_PER_S: u64 = 200_000;

/// Bytes of gossip at once: two full Bitcoin blocks found within a moment.
pub const GOSSIP_BURST_BYTES: u64 = 2 * (BLOCK_GOSSIP_BYTES_MAX as u64);

/// Tip and pending requests a minute: the periodic exchange takes 8, and hints some more.
pub const TIP_REQUESTS_PER_MIN: u64 = 120;

/// Links and headers requests a minute: at 64 links each, a day of links in a minute and a half.
pub const LINKS_REQUESTS_PER_MIN: u64 = 240;

/// Proofs requests a minute: 2,560 proofs a second, some 1.7 MB/s.
pub const PROOFS_REQUESTS_PER_MIN: u64 = 600;

/// Requests of a kind at once, as part of a minute's: a quarter.
pub const REQUEST_BURST_DIVISOR: u64 = 4;

// --- Sync -----------------------------------------------------------------------------------------------------------

/// Milliseconds between two questions for a peer's tip: a healed partition is noticed within them.
pub const TIP_INTERVAL_MS: u64 = 10_000;

/// Milliseconds between two tip requests that hints ask for.
pub const TIP_HINT_INTERVAL_MS: u64 = 1_000;

/// Milliseconds between two questions for a peer's unlisted shares: what gossip lost is listed within two minutes.
pub const PENDING_INTERVAL_MS: u64 = 30_000;

/// Milliseconds that a request may take: 2 MiB at 1 Mbit/s take 17 s.
pub const REQUEST_TIMEOUT_MS: u64 = 20_000;

/// Requests under way to one peer.
pub const IN_FLIGHT_PER_PEER_MAX: usize = 4;

/// Requests under way to all peers: at 2 MiB each, 32 MiB of answers at worst.
pub const IN_FLIGHT_MAX: usize = 16;

/// Ids that are wanted: two batches of links with 64 shares each, and the largest list of unlisted shares.
pub const WANTS_MAX: usize = 16_384;

/// Wanted ids under which the next links are asked for, so that what waits for shares stays far under the chain's bounds.
pub const WANTS_LOW: usize = 256;

/// Wanted ids that only a peer's word says exist.
pub const CLAIMED_WANTS_MAX: usize = WANTS_MAX / 2;

/// Milliseconds for which a claim to more work, which its links did not bear out, is not believed, and for which links that
/// wait for something else are not asked for again; doubled each time up to [`BACKOFF_MS_MAX`].
pub const CLAIM_PAUSE_MS: u64 = 5_000;

/// Milliseconds to wait for the shares behind the last links of a catch-up before it is judged.
pub const CATCH_UP_GRACE_MS: u64 = 30_000;

/// Percent of what peers allow that this node asks at most: messages come closer together than they were sent.
pub const OWN_RATE_PERCENT: u64 = 80;

/// Milliseconds after which a wanted id is looked at again that could not be asked for, since those who have it are busy: a
/// fraction of the time that an answer takes.
pub const BUSY_PAUSE_MS: u64 = 50;

/// Milliseconds for which it is remembered that something wanted came: twice the longest pause before it is asked for again.
pub const CAME_REMEMBERED_MS: u64 = 2 * BACKOFF_MS_MAX;

/// Peers remembered as knowing a wanted id.
pub const HOLDERS_MAX: usize = 8;

/// Times a wanted id is asked for: with the pauses between, some four minutes and twelve peers.
pub const WANT_ATTEMPTS_MAX: u32 = 12;

/// Milliseconds before a first repetition, doubled with each up to [`BACKOFF_MS_MAX`].
pub const BACKOFF_MS: u64 = 500;

/// Milliseconds between repetitions at most.
pub const BACKOFF_MS_MAX: u64 = 60_000;

/// Links behind the best peer up to which a synced node stays synced: gossip has those under way.
pub const SYNCED_SLACK_LINKS: u32 = 30;

/// Links behind the best peer up to which a node becomes synced.
pub const SYNCED_ENTER_LINKS: u32 = 3;

/// Peers that sync follows; the network has fewer connections than this.
pub const SYNC_PEERS_MAX: usize = 256;

// --- Network --------------------------------------------------------------------------------------------------------

/// Connections that others opened.
pub const INBOUND_MAX: u32 = 96;

/// Connections that this node opened: never fewer than a third of all, against an eclipse by inbound ones.
pub const OUTBOUND_MAX: u32 = 48;

/// Connections to one peer: one each way, when both sides dial at once.
pub const CONNECTIONS_PER_PEER_MAX: u32 = 2;

/// Connections from one address, loopback excepted: households and hosters, not a crowd of made-up identities.
pub const INBOUND_PER_IP_MAX: usize = 8;

/// Connections whose handshake is under way, each direction.
pub const PENDING_CONNECTIONS_MAX: u32 = 32;

/// Streams that a peer may open on one connection, requests included.
pub const STREAMS_PER_CONNECTION_MAX: usize = 64;

/// Requests of one connection that are served or under way at the same time.
pub const REQUEST_STREAMS_MAX: usize = 16;

/// Seconds of a connection that carries nothing: the tip exchange keeps a used one busy.
pub const IDLE_TIMEOUT_S: u64 = 60;

/// Milliseconds until a connected peer must have named its network.
pub const IDENTIFY_TIMEOUT_MS: u64 = 10_000;

/// Milliseconds between two pings.
pub const PING_INTERVAL_MS: u64 = 15_000;

/// Commands that wait for the network task; senders wait when it is full.
pub const COMMANDS_MAX: usize = 1_024;

/// Events that wait in the channel to the caller.
pub const EVENTS_MAX: usize = 256;

/// Events that wait before the channel. Beyond this the network reads no more from its sockets.
pub const OUTBOX_MAX: usize = 4_096;

/// Events that wait before the channel, beyond which gossip and requests of others are dropped.
pub const OUTBOX_DROP: usize = 1_024;

/// Gossip that waits for a verdict.
pub const VERDICTS_MAX: usize = 4_096;

/// Bytes of gossip that wait for a verdict: eight full Bitcoin blocks.
pub const VERDICT_BYTES_MAX: usize = 8 * BLOCK_GOSSIP_BYTES_MAX;

/// Seconds that gossip waits for a verdict and can be asked for by peers; the history of gossipsub's cache, a heartbeat
/// a second.
pub const VERDICT_SECONDS_MAX: u64 = 60;

/// Requests of others that wait for a reply.
pub const REPLIES_MAX: usize = 256;

/// Own requests that wait for a response.
pub const REQUESTS_MAX: usize = 256;

/// Explicit peers.
pub const EXPLICIT_PEERS_MAX: usize = 64;

/// Addresses learnt by mDNS that are dialled.
pub const MDNS_PEERS_MAX: usize = 64;

/// Milliseconds before an explicit peer is dialled again, doubled with each failure up to [`REDIAL_MS_MAX`].
pub const REDIAL_MS: u64 = 1_000;

/// Milliseconds between two attempts at most.
pub const REDIAL_MS_MAX: u64 = 30_000;

/// Milliseconds that a connection must have lasted for the next pause to be short again.
pub const REDIAL_STABLE_MS: u64 = 10_000;

/// Peers that the operator blocks.
pub const BLOCKED_MAX: usize = 4_096;
