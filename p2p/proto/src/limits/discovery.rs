//! Bounds on node records, the address book, and dials.

use super::{REQUEST_BYTES_MAX, RESPONSE_BYTES_MAX, USER_AGENT_BYTES_MAX};

/// Maximum number of addresses in a node record: TCP and QUIC over IPv4 and IPv6, an onion service, and three relays.
pub const RECORD_ADDRESSES_MAX: usize = 8;

/// Maximum length of an encoded address, bytes: kind 1, an onion service's name 35 and port 2, or an IPv6 address 16,
/// port 2 and a relay's key 32.
pub const ADDRESS_BYTES_MAX: usize = 1 + 16 + 2 + 32;

/// Maximum length of an encoded node record, bytes: version, pool, key, two times, user agent, addresses, signature.
pub const RECORD_BYTES_MAX: usize =
    1 + 32 + 32 + 8 + 8 + 4 + USER_AGENT_BYTES_MAX + 4 + RECORD_ADDRESSES_MAX * ADDRESS_BYTES_MAX + 64;

/// Maximum life of a record, seconds: a week. A node renews its record twice a day, so the record of a node that is
/// gone expires.
pub const RECORD_LIFE_S_MAX: u64 = 7 * 86_400;

/// Interval between two signatures of a node's own record, milliseconds: twelve hours.
pub const RECORD_RENEW_MS: u64 = 12 * 3_600_000;

/// Tolerated difference of clocks when records are judged, seconds: two hours, as Bitcoin tolerates in block times, and
/// more than a daylight saving mistake.
pub const RECORD_CLOCK_S: u64 = 7_200;

/// Maximum number of records in one response: 80 KB, and enough for 16 connections eight times over.
pub const RECORDS_MAX: usize = 128;

/// Maximum number of records that a node sends at a time, unasked: a request stays below [`REQUEST_BYTES_MAX`].
pub const RECORDS_TOLD_MAX: usize = 8;

const _: () = assert!(1 + 4 + RECORDS_TOLD_MAX * (4 + RECORD_BYTES_MAX) <= REQUEST_BYTES_MAX);
const _: () = assert!(1 + 4 + RECORDS_MAX * (4 + RECORD_BYTES_MAX) <= RESPONSE_BYTES_MAX);

/// Requests for records per minute and peer. A node asks a peer once when it connects, and seldom after that.
pub const RECORDS_REQUESTS_PER_MIN: u64 = 1;

/// Burst of requests for records, for peers that connect again and again.
pub const RECORDS_REQUESTS_BURST: u64 = 3;

/// Messages with new records per minute and peer: one every two seconds, see [`TELL_INTERVAL_MS`].
pub const NEW_RECORDS_REQUESTS_PER_MIN: u64 = 60;

/// Rate at which a peer's unasked records are judged, thousandths of a record per second: one in ten seconds, as in
/// Bitcoin Core. The rest are ignored. Checking a signature takes 50 microseconds.
pub const RECORDS_PER_S_MILLI: u64 = 100;

/// Burst of such records: those that a peer sends when it connects, and a wave of renewals.
pub const RECORDS_BURST: u64 = 64;

/// Maximum age of a signature for a new record to be forwarded unasked, seconds. Requests find older ones.
pub const RECORD_FRESH_S: u64 = 3_600;

/// Minimum interval between two forwarded records of one node, seconds: frequent signatures cause no more traffic.
pub const RECORD_RELAY_S: u64 = 600;

/// Number of peers to which a record is forwarded, as in Bitcoin Core. With 16 connections per node, it still reaches
/// every node.
pub const RECORD_RELAYS: usize = 2;

/// Maximum number of records that wait to be sent to one peer. For 144 peers, at most 1.4 MB.
pub const RECORDS_WAITING_MAX: usize = 16;

/// Interval between two messages with new records to a peer, milliseconds.
pub const TELL_INTERVAL_MS: u64 = 2_000;

/// Buckets for nodes that were never reached. See decision 0041 for all numbers of the address book.
pub const NEW_BUCKETS: usize = 256;

/// Places in each of these buckets: in total 8,192 records, at most 5.1 MB.
pub const NEW_PLACES: usize = 32;

/// Buckets open to the records from one source netgroup: a sixteenth of the table.
pub const NEW_BUCKETS_PER_SOURCE: u64 = 16;

/// Buckets for nodes that were reached.
pub const TRIED_BUCKETS: usize = 128;

/// Places in each of these buckets: in total 2,048 records, at most 1.3 MB.
pub const TRIED_PLACES: usize = 16;

/// Buckets open to the reached nodes of one netgroup.
pub const TRIED_BUCKETS_PER_GROUP: u64 = 4;

/// Maximum number of nodes that wait for a place while its holder is tested, as in Bitcoin Core.
pub const COLLISIONS_MAX: usize = 10;

/// Maximum length of the address book's file, bytes: all records, 120 bytes of data for each, and the rest.
pub const BOOK_BYTES_MAX: usize =
    (NEW_BUCKETS * NEW_PLACES + TRIED_BUCKETS * TRIED_PLACES) * (RECORD_BYTES_MAX + 120) + 4_096;

/// Age at which an entry without any sign of life is terrible, seconds: 30 days, as in Bitcoin Core.
pub const HORIZON_S: u64 = 30 * 86_400;

/// Attempts after which a node that was never reached is terrible.
pub const RETRIES: u32 = 3;

/// Attempts after which a node that has not been reached for a week is terrible.
pub const FAILURES: u32 = 10;

/// Number of outbound connections that the node maintains itself. To eclipse the node, an attacker must control all of
/// them.
pub const OUTBOUND_TARGET: usize = 16;

/// Number of the oldest of these that are never replaced, and that are dialed first after a restart.
pub const ANCHORS: usize = 4;

/// Interval between two dials of nodes from the book, milliseconds.
pub const DIAL_INTERVAL_MS: u64 = 500;

/// Maximum number of dials of nodes from the book at a time.
pub const DIALS_MAX: usize = 8;

/// Maximum number of remembered hosts that could not be reached: more than the dials of ten minutes.
pub const TRIED_HOSTS_MAX: usize = 2_048;

const _: () = assert!(TRIED_HOSTS_MAX as u64 > 600_000 / DIAL_INTERVAL_MS + 600_000 / FEELER_INTERVAL_MS);

/// Time after which an unfinished dial is forgotten, milliseconds: longer than the swarm takes to give up, which is at
/// most [`PROXY_TIMEOUT_MS`](super::PROXY_TIMEOUT_MS).
pub const DIAL_TIMEOUT_MS: u64 = 90_000;

/// Interval between feelers, which are short connections to test a node, milliseconds. As in Bitcoin Core.
pub const FEELER_INTERVAL_MS: u64 = 120_000;

/// Time without any outbound connection before the node asks seeds, milliseconds. The book comes first: the operator of
/// a seed should not choose the peers of nodes that know others.
pub const SEED_WAIT_MS: u64 = 10_000;

/// Pause between two rounds of seeds, milliseconds, while there is no outbound connection.
pub const SEED_PAUSE_MS: u64 = 30_000;

/// Pause between two rounds of seeds, milliseconds, while there are fewer outbound connections than [`ANCHORS`].
pub const SEED_PAUSE_FEW_MS: u64 = 600_000;

/// Number of other outbound connections at which a node disconnects its seeds.
pub const SEEDS_LEAVE: usize = 8;

/// Maximum number of configured seeds, and of DNS seeds.
pub const SEEDS_MAX: usize = 32;

/// Maximum number of addresses used from a DNS seed's answer.
pub const DNS_SEED_ADDRESSES_MAX: usize = 32;

/// Interval between two requests for records, milliseconds. Outbound peers take turns.
pub const ASK_INTERVAL_MS: u64 = 1_800_000;

/// How long requests for records get the same answer, milliseconds: a peer that asks often sees no more of the book.
pub const SAMPLE_MS: u64 = 3_600_000;

/// Number of records in the book up to which every request gets a new answer.
pub const SAMPLE_SMALL: usize = 256;

/// Pause between two replacements of a peer while the tip is stale, milliseconds.
pub const ROTATE_MS: u64 = 600_000;

/// Minimum age of a connection before it may be replaced, milliseconds.
pub const ROTATE_AGE_MS: u64 = 60_000;

/// Number of netgroups of outbound peers that must see this node at an address before it announces the address.
pub const OBSERVERS_MIN: usize = 2;

/// Maximum number of remembered addresses at which peers see this node.
pub const OBSERVED_MAX: usize = 16;
