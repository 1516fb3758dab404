//! Bounds on everything that the crate sends, reads or stores, each with its unit and its reason.

mod connections;
mod discovery;
mod reach;

use sharechain::limits::{BRANCH_MAX, LIST_MAX, PROOF_BYTES_MAX};

pub use connections::*;
pub use discovery::*;
pub use reach::*;

// --- Messages -------------------------------------------------------------------------------------------------------

/// Maximum number of ids in a locator of links or Bitcoin headers. 10 consecutive ids, then ids at doubling distances,
/// span 2^54.
pub const LOCATOR_MAX: usize = 64;

/// Maximum number of link proofs in one response, without lists: at most 1 MB.
pub const LINK_HEADERS_MAX: usize = 1_024;

/// Number of link proofs that this node requests at a time: usually 360 KB, which takes 10 s at 300 kbit/s.
pub const LINK_HEADERS_ASKED: u32 = 512;

/// Maximum number of links with rows in one response. With 33 rows each and 10,000 scripts, it takes 0.8 MB.
pub const ROWS_MAX: usize = 512;

/// Maximum length of the encoded links with rows in a response, bytes.
pub const ROWS_BYTES_MAX: usize = RESPONSE_BYTES_MAX - 16;

/// Maximum length of an encoded beginning, bytes: 32 trees of 64 bytes, 61 links of 116, 32 bits of 38; rounded up.
pub const BEGINNING_BYTES_MAX: usize = 16 << 10;

/// Maximum number of proofs in one request. The response takes about 170 KB, a second on a slow line.
pub const PROOFS_MAX: usize = 256;

/// Maximum number of ids of unlisted shares in one response: four full lists, 128 KiB.
pub const PENDING_MAX: usize = 4_096;

/// Maximum number of wanted Bitcoin headers in one request: enough for a burst of links after a partition.
pub const HEADERS_WANTED_MAX: usize = 64;

/// Maximum number of Bitcoin headers in one response, as in Bitcoin's protocol: about one difficulty period, 160 KB.
pub const HEADERS_MAX: usize = 2_000;

/// Maximum length of a user agent, bytes: a name and a version.
pub const USER_AGENT_BYTES_MAX: usize = 64;

/// Maximum size of a Bitcoin block, bytes. Consensus limits the weight to 4,000,000, and each byte weighs at least 1.
pub const BLOCK_BYTES_MAX: usize = 4_000_000;

/// Maximum length of an encoded list, bytes: its count and its ids.
pub const LIST_BYTES_MAX: usize = 2 + 32 * LIST_MAX;

/// Maximum length of an encoded request, bytes: two locators or [`PROOFS_MAX`] ids, with kind and counts; rounded up.
pub const REQUEST_BYTES_MAX: usize = 16 + 32 * PROOFS_MAX;

/// Maximum length of an encoded response, bytes: 2 MiB, or 60 links with full lists. It takes seconds on a slow line.
pub const RESPONSE_BYTES_MAX: usize = 2 << 20;

/// Maximum length of gossip on the topic for shares, bytes: the kind and a proof.
pub const SHARE_GOSSIP_BYTES_MAX: usize = 1 + 4 + PROOF_BYTES_MAX;

/// Maximum length of gossip on the topic for links, bytes: the kind, a proof and its list.
pub const LINK_GOSSIP_BYTES_MAX: usize = SHARE_GOSSIP_BYTES_MAX + 4 + LIST_BYTES_MAX;

/// Maximum number of transactions in a Bitcoin block of the pool, after the coinbase: a proof's merkle branch has at most
/// [`BRANCH_MAX`] hashes, so that the tree has 16,384 leaves. No real block has had more than 13,000.
pub const BLOCK_TRANSACTIONS_MAX: usize = (1 << BRANCH_MAX) - 1;

/// Maximum length of gossip on the topic for Bitcoin blocks, bytes: the kind, a proof, a nonce, and six bytes for each
/// transaction; 99 KB. A usual block with 4,000 transactions takes 25 KB.
pub const BLOCK_GOSSIP_BYTES_MAX: usize = SHARE_GOSSIP_BYTES_MAX + 8 + 4 + 6 * BLOCK_TRANSACTIONS_MAX;

/// Maximum length of a piece of a Bitcoin block, bytes: half a second at 10 Mbit/s, and 8 pieces for the largest block.
pub const BLOCK_PIECE_BYTES_MAX: usize = 512 << 10;

/// Maximum number of message ids in one of gossipsub's control messages, which announce or request messages: more than
/// three seconds at 300 shares per second.
pub const CONTROL_IDS_MAX: usize = 1_500;

/// Maximum size of the control messages in one frame, bytes: [`CONTROL_IDS_MAX`] ids of 34 bytes, rounded up. Frames have room
/// for [`BLOCK_GOSSIP_BYTES_MAX`].
pub const CONTROL_BYTES_MAX: usize = 64 << 10;

/// Allowance for what gossipsub adds to a message, bytes: topic, lengths, and control messages in the same frame.
pub const GOSSIP_ENVELOPE_BYTES: usize = 1_024;

// --- Scores ---------------------------------------------------------------------------------------------------------

/// Points at which a peer is banned.
pub const BAN_POINTS: u32 = 100;

/// Time after which one point expires, milliseconds: 100 points in ten minutes.
pub const FORGIVE_POINT_MS: u64 = 6_000;

/// Length of a first ban, milliseconds: long enough to matter, and short enough for a peer that was only broken.
pub const BAN_MS: u64 = 600_000;

/// Maximum number of times that repeated bans double: up to 21 hours.
pub const BAN_DOUBLINGS_MAX: u32 = 7;

/// Maximum number of peers with stored points. The peer with the fewest points is dropped first. 4,096 entries take
/// about 300 KB.
pub const SCORES_MAX: usize = 4_096;

// --- Rates per peer -------------------------------------------------------------------------------------------------

/// Gossip rate, bytes per second, not counting gossip that turns out to be valid: about 300 shares per second, or two of
/// the largest announcements of a Bitcoin block.
pub const GOSSIP_BYTES_PER_S: u64 = 200_000;

/// Gossip burst, bytes: ten seconds of the rate, or 60 links with full lists, or 20 of the largest announcements of a
/// Bitcoin block.
pub const GOSSIP_BURST_BYTES: u64 = 10 * GOSSIP_BYTES_PER_S;

/// Tip requests per minute, and pending requests per minute. The periodic exchanges take 8 in total, and hints a few
/// more.
pub const TIP_REQUESTS_PER_MIN: u64 = 120;

/// Requests for link headers per minute, and for Bitcoin headers, and for rows.
pub const LINKS_REQUESTS_PER_MIN: u64 = 240;

/// Burst of requests for link headers, and for Bitcoin headers, and for rows. At 512 links each, the eight days that a
/// newcomer needs take 144, which it may send as fast as the line allows; [`OWN_RATE_PERCENT`] of this is more.
pub const LINKS_REQUESTS_BURST: u64 = 200;

/// Requests for the beginning per minute. A newcomer sends one each time it connects to the peer.
pub const BEGINNING_REQUESTS_PER_MIN: u64 = 20;

/// Proofs requests per minute: 2,560 proofs per second, about 1.7 MB/s.
pub const PROOFS_REQUESTS_PER_MIN: u64 = 600;

/// Burst of proofs requests: the 2,000 links that a newcomer judges in full take 5 for each 30, and the lists below them
/// a few more. See [`LINKS_REQUESTS_BURST`].
pub const PROOFS_REQUESTS_BURST: u64 = 500;

/// Requests for transactions of a Bitcoin block per minute: one takes 2 MiB at most, and a block takes two or three.
pub const TRANSACTIONS_REQUESTS_PER_MIN: u64 = 60;

/// Requests for pieces of a Bitcoin block per minute: two of the largest blocks, which a node fetches only if it cannot
/// build them from the announcement.
pub const PIECE_REQUESTS_PER_MIN: u64 = 32;

/// Burst of requests for pieces of a Bitcoin block; see [`PIECE_REQUESTS_PER_MIN`].
pub const PIECE_REQUESTS_BURST: u64 = 20;

/// Burst of all other requests of one kind: the limit per minute divided by this.
pub const REQUEST_BURST_DIVISOR: u64 = 4;

// --- Budgets shared by peers ----------------------------------------------------------------------------------------

/// Budgets of a host, percent of those of one peer. Identities are free, so all of one host count as one.
pub const HOST_PERCENT: u64 = 100;

/// Budgets of a netgroup, percent of those of one peer: four hosts of one provider at full rate.
pub const NETGROUP_PERCENT: u64 = 400;

/// Budgets of loopback and of all local addresses together, percent of those of one peer. A test network of 20 nodes
/// shares 127.0.0.1, and a node asks for at most [`OWN_RATE_PERCENT`] of its limits: 1,600 in total.
pub const LOCAL_PERCENT: u64 = 2_000;

/// Budgets of all peers together, percent of those of one peer: five netgroups at full rate, or one local test network.
pub const ALL_PERCENT: u64 = 2_000;

/// Part of its own budgets that a netgroup may use even if the budget of all peers is empty, percent: the periodic
/// exchanges, and 20 kB of unproven gossip per second. So a flood from five netgroups leaves every other one enough to
/// stay in sync.
pub const ASSURED_PERCENT: u64 = 10;

/// Maximum number of hosts and netgroups with budgets of their own. At most 144 are connected at once, and the buckets
/// of others fill again within minutes. Beyond the maximum, new hosts and netgroups have only the next larger budget.
/// 8,192 entries take 5 MB.
pub const PAYERS_MAX: usize = 8_192;

/// Upload to a host for its requests, bytes per second. A node in sync takes a hundredth of it.
pub const UPLOAD_BYTES_PER_S: u64 = 1_000_000;

/// Upload burst of a host, bytes: a first sync from this node alone, 168 MB.
pub const UPLOAD_BURST_BYTES: u64 = 192 << 20;

/// Time over which the upload to all peers may exceed its limit, seconds. The burst is the limit times this, and at
/// least two responses.
pub const UPLOAD_BURST_S: u64 = 10;

/// Points at which a host is banned: the bans of three of its identities within minutes. A household has a broken node
/// or two, not three.
pub const HOST_BAN_POINTS: u32 = 3 * BAN_POINTS;

/// Points at which loopback accepts no new inbound connections for [`LOOPBACK_PAUSE_MS`]. It is never banned, since all
/// peers of an onion service share it.
pub const LOOPBACK_PAUSE_POINTS: u32 = 20 * HOST_BAN_POINTS;

/// Pause of loopback, milliseconds.
pub const LOOPBACK_PAUSE_MS: u64 = 60_000;

/// Number of banned hosts at which their netgroup is banned: more than one household or small provider has by bad luck.
pub const NETGROUP_BAN_HOSTS: usize = 16;

/// Maximum number of this node's own bans. The one that ends first makes room. With their reasons, 4,096 entries take
/// under 1 MB.
pub const BANS_MAX: usize = 4_096;

/// Maximum number of the operator's bans. This node's own bans never replace them.
pub const OPERATOR_BANS_MAX: usize = 1_024;

/// Maximum length of a ban's reason, characters.
pub const REASON_CHARS_MAX: usize = 200;

// --- Sync -----------------------------------------------------------------------------------------------------------

/// Interval between requests for a peer's tip, milliseconds. A node detects within it that a partition has healed.
pub const TIP_INTERVAL_MS: u64 = 10_000;

/// Minimum interval between tip requests caused by hints, milliseconds.
pub const TIP_HINT_INTERVAL_MS: u64 = 1_000;

/// Interval between requests for a peer's unlisted shares, milliseconds. Shares that gossip lost are listed within two
/// minutes.
pub const PENDING_INTERVAL_MS: u64 = 30_000;

/// Timeout of a request, milliseconds. 2 MiB at 1 Mbit/s takes 17 s.
pub const REQUEST_TIMEOUT_MS: u64 = 20_000;

/// Maximum number of large requests in flight to one peer.
pub const IN_FLIGHT_PER_PEER_MAX: usize = 4;

/// Maximum number of large requests in flight to all peers. At 2 MiB each, the responses take at most 32 MiB.
pub const IN_FLIGHT_MAX: usize = 16;

/// Maximum number of wanted ids: two batches of links with 64 shares each, and the largest response of unlisted shares.
pub const WANTS_MAX: usize = 16_384;

/// Maximum number of wanted ids that exist only by a peer's claim.
pub const CLAIMED_WANTS_MAX: usize = WANTS_MAX / 2;

/// Maximum number of peers whose header chains are followed at a time. Of each link, the node keeps about 380 bytes for
/// each of them, and its proof once: at most 165 MB for the eight days that a newcomer needs.
pub const FOLLOWED_MAX: usize = 4;

/// Time without progress after which a peer's header chain loses its place to the next one, milliseconds: 512 links at
/// 300 kbit/s.
pub const HEADERS_STALL_MS: u64 = 10_000;

/// Pause before the node requests the rest of a header chain that waits for a Bitcoin header or for time, milliseconds.
pub const HEADERS_PAUSE_MS: u64 = 1_000;

/// Wait after the first complete header chain before a newcomer may start from one, unless as many as it can follow are
/// complete earlier, milliseconds: long enough to meet other peers, and for two stalling ones to lose their places.
pub const CHOICE_WAIT_MS: u64 = 20_000;

/// Time without lists or rows after which a header chain is ignored for a while, milliseconds. Before its first sync, a
/// node credits claims for this long after its last progress.
pub const LISTS_WAIT_MS: u64 = 60_000;

/// How long a peer's claims are ignored after it failed to prove them, milliseconds. Doubles each time, up to
/// [`BACKOFF_MS_MAX`].
pub const CLAIM_PAUSE_MS: u64 = 5_000;

/// Percentage of the peers' rate limits that this node's requests may use. Messages may arrive closer together than
/// they were sent.
pub const OWN_RATE_PERCENT: u64 = 80;

/// Pause before the node retries a wanted id whose holders were all busy, milliseconds: a fraction of the time that a
/// response takes.
pub const BUSY_PAUSE_MS: u64 = 50;

/// How long the node remembers that an item arrived, milliseconds: twice the longest pause before it may request it
/// again.
pub const CAME_REMEMBERED_MS: u64 = 2 * BACKOFF_MS_MAX;

/// Maximum number of peers remembered as holders of a wanted id.
pub const HOLDERS_MAX: usize = 8;

/// Maximum number of requests for a wanted id. With the pauses, that takes about four minutes and twelve peers.
pub const WANT_ATTEMPTS_MAX: u32 = 12;

/// Pause before the first retry, milliseconds. Doubles with each retry, up to [`BACKOFF_MS_MAX`].
pub const BACKOFF_MS: u64 = 500;

/// Maximum pause between retries, milliseconds.
pub const BACKOFF_MS_MAX: u64 = 60_000;

/// Maximum number of links behind the best peer at which a synced node stays synced: gossip may still deliver these
/// links.
pub const SYNCED_SLACK_LINKS: u32 = 30;

/// Maximum number of links behind the best peer at which a node becomes synced.
pub const SYNCED_ENTER_LINKS: u32 = 3;

/// Maximum number of peers that sync follows. The network allows fewer connections.
pub const SYNC_PEERS_MAX: usize = 256;

// --- Network --------------------------------------------------------------------------------------------------------

/// Maximum number of inbound connections.
pub const INBOUND_MAX: u32 = 96;

/// Maximum number of outbound connections: a third of the total, so that inbound connections cannot eclipse the node.
pub const OUTBOUND_MAX: u32 = 48;

/// Maximum number of connections to one peer: one in each direction if both sides dial at once, and a dial-back.
pub const CONNECTIONS_PER_PEER_MAX: u32 = 3;

/// Maximum number of inbound connections from one host, except loopback: enough for households and hosting providers,
/// but not for a Sybil attack.
pub const INBOUND_PER_HOST_MAX: usize = 8;

/// Maximum number of outbound connections in handshake.
pub const PENDING_OUTBOUND_MAX: u32 = 32;

/// Maximum number of streams on one connection, including requests.
pub const STREAMS_PER_CONNECTION_MAX: usize = 64;

/// Maximum number of concurrent requests on one connection.
pub const REQUEST_STREAMS_MAX: usize = 16;

/// Timeout of an idle connection, seconds. The exchange of tips keeps active connections busy.
pub const IDLE_TIMEOUT_S: u64 = 60;

/// Time within which a connected peer must identify its network, milliseconds.
pub const IDENTIFY_TIMEOUT_MS: u64 = 10_000;

/// Interval between pings, milliseconds.
pub const PING_INTERVAL_MS: u64 = 15_000;

/// Capacity of the channel for commands to the network task. Senders wait while it is full.
pub const COMMANDS_MAX: usize = 1_024;

/// Capacity of the channel for events to the caller.
pub const EVENTS_MAX: usize = 256;

/// Number of events queued before the channel at which the network stops reading from its sockets.
pub const OUTBOX_MAX: usize = 4_096;

/// Number of events queued before the channel at which the network drops gossip and inbound requests.
pub const OUTBOX_DROP: usize = 1_024;

/// Maximum number of gossip messages that await a verdict.
pub const VERDICTS_MAX: usize = 4_096;

/// Maximum total size of gossip that awaits a verdict, bytes: as many of the largest shares as [`VERDICTS_MAX`] allows, and
/// 120 links with full lists.
pub const VERDICT_BYTES_MAX: usize = 8 << 20;

/// How long gossip may await a verdict, and how long peers can request it, seconds. It is the length of gossipsub's
/// message cache at one heartbeat per second.
pub const VERDICT_SECONDS_MAX: u64 = 60;

/// Maximum number of inbound requests that await a reply.
pub const REPLIES_MAX: usize = 256;

/// Maximum number of outbound requests in flight.
pub const REQUESTS_MAX: usize = 256;

/// Maximum number of explicit peers.
pub const EXPLICIT_PEERS_MAX: usize = 64;

/// Maximum number of addresses learned by mDNS.
pub const MDNS_PEERS_MAX: usize = 64;

/// Pause before an explicit peer is dialed again, milliseconds. Doubles with each failure, up to [`REDIAL_MS_MAX`].
pub const REDIAL_MS: u64 = 1_000;

/// Maximum pause between dial attempts, milliseconds.
pub const REDIAL_MS_MAX: u64 = 30_000;

/// Minimum length of a connection after which the next pause is short again, milliseconds.
pub const REDIAL_STABLE_MS: u64 = 10_000;

/// Maximum number of peers that the operator can block.
pub const BLOCKED_MAX: usize = 4_096;
