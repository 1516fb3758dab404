//! Every bound of this crate, with its unit and its reason.

use std::num::NonZeroU32;
use std::time::Duration;

/// Bytes of a config file that are read: the example with all its comments has under 8 KiB.
pub const CONFIG_BYTES_MAX: u64 = 1 << 20;

/// Addresses to listen on for other nodes: IPv4, IPv6, and a few more for odd networks.
pub const P2P_LISTEN_MAX: usize = 8;

/// Configured peers: each is dialled for as long as it is not connected.
pub const P2P_PEERS_MAX: usize = 64;

/// Seconds a config may allow one call to bitcoind: beyond it nobody waits for the answer.
pub const BITCOIND_TIMEOUT_S_MAX: u64 = 600;

/// Bytes of an ordinary answer of bitcoind: a batch of [`HEADER_BATCH`] headers has about 200 KiB.
pub const RPC_ANSWER_BYTES_MAX: usize = 2 << 20;

/// Bytes of a template: a full block is 4 MB, twice that in hex, and the names around 16,000 small
/// transactions add 5 MB.
pub const TEMPLATE_ANSWER_BYTES_MAX: usize = 24 << 20;

/// Bytes of a cookie file: bitcoind writes 75.
pub const COOKIE_BYTES_MAX: u64 = 4096;

/// Transactions of a template: none weighs less than 240 units (60 bytes without a witness).
pub const TEMPLATE_TRANSACTIONS_MAX: usize = node_core::limits::BLOCK_WEIGHT_MAX as usize / 240;

/// Characters of bitcoind's own words that are repeated in a message or a log line.
pub const REASON_CHARS_MAX: usize = 300;

/// Headers asked for in one batch: bitcoind answers 500 in about 10 ms.
pub const HEADER_BATCH: u32 = 500;

/// Time to connect to bitcoind: it is on this machine or in its network.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Time an unused connection to bitcoind is kept: bitcoind itself closes them after 30 s.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Time a long poll may take. bitcoind answers when its tip changes, or after a minute when its
/// mempool did. It keeps a worker busy for a poll whose caller hung up, so polls are not cut short;
/// the heartbeat notices a bitcoind that is gone.
pub const LONG_POLL_TIMEOUT: Duration = Duration::from_secs(3600);

/// Time a block submission or a proposal may take: bitcoind validates the whole block in it.
pub const SUBMIT_TIMEOUT: Duration = Duration::from_secs(120);

/// Time between two looks at bitcoind's tip while a long poll waits.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(3);

/// Time between two templates where bitcoind offers no long poll or answers it at once.
pub const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// First and longest pause between attempts to reach bitcoind again.
pub const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// Bytes of one record in the database: a Bitcoin block has up to 4 MB.
pub const RECORD_BYTES_MAX: usize = 5 << 20;

/// Refusals kept, newest first: a day of them at a high rate (one every 2 s), some 20 MB on disk.
pub const REFUSALS_MAX: usize = 50_000;

/// Bytes of RocksDB's block cache, which holds indexes and filters as well.
pub const STORE_CACHE_BYTES: usize = 8 << 20;

/// Bytes of one column family's write buffer, of which each has at most two: a node of the test network writes 0.2 MB a
/// minute, the main network a fraction of that.
pub const STORE_WRITE_BUFFER_BYTES: usize = 1 << 20;

/// Bytes of all write buffers together: what they hold is in memory beside the chain, so little is better.
pub const STORE_WRITE_BUFFERS_BYTES: usize = 4 << 20;

/// Bytes of write-ahead log replayed at start after a crash, at most.
pub const STORE_WAL_BYTES: u64 = 16 << 20;

/// Table files RocksDB keeps open: each costs some memory for its footer and a descriptor.
pub const STORE_OPEN_FILES: i32 = 64;

/// Bytes of one of the two files RocksDB writes its own notes to.
pub const STORE_LOG_BYTES: usize = 1 << 20;

/// Calls that wait for the engine. Each takes well under a millisecond as a rule; whoever calls then waits.
pub const ENGINE_QUEUE: usize = 1_024;

/// Seconds without an accepted submit after which a miner counts as silent. Difficulties are set for one every few
/// seconds; firmware restarts within minutes.
pub const WORKER_SILENT_S: u64 = 600;

/// Seconds after which a silent miner is forgotten: it was taken away.
pub const WORKER_FORGOTTEN_S: u64 = 86_400;

/// Time between two looks for silent miners.
pub const WORKER_LOOK: Duration = Duration::from_secs(30);

/// Miners that are watched for silence: a node serves at most as many connections.
pub const WORKERS_WATCHED_MAX: usize = 4_096;

/// Receivers of webhooks: each has a task and a queue of its own.
pub const WEBHOOKS_MAX: usize = 16;

/// Events that wait for one receiver of webhooks; more are dropped and said so. A event log has fewer in a day.
pub const WEBHOOK_QUEUE: usize = 256;

/// Time for a receiver of webhooks to answer.
pub const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// First and longest pause before an event is sent again.
pub const WEBHOOK_PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

/// Times an event is sent again before it is given up: with the pauses above, an hour.
pub const WEBHOOK_RETRIES: usize = 20;

/// Web sites that may be allowed to read the API: each request is compared with all of them.
pub const CORS_ORIGINS_MAX: usize = 16;

/// Requests a second that an operator may allow to one client: more than one processor answers.
pub const API_REQUESTS_A_SECOND_MAX: u32 = 100_000;

/// Threads that answer API requests: more than two processors are not needed for people.
pub const API_THREADS: usize = 2;

/// Refused proofs that wait to be noted: a peer is banned after ten, so hundreds at once are an attack of many.
pub const REFUSED_QUEUE: usize = 256;

/// Events of the event log that are kept, newest first: months of a quiet node, some 3 MB on disk.
pub const EVENT_LOG_EVENTS_MAX: u64 = 10_000;

/// Refused proofs of peers that the event log takes in an hour: more are an attack, and would push everything else out of it. Why a
/// share was refused stands in the database all the same.
pub const PEERS_REFUSED_AN_HOUR: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// Events that a slow listener may be behind before it misses the oldest: minutes of shares.
pub const EVENT_QUEUE: usize = 4_096;

/// Shares found by this node's miners that wait for the engine; a thousand miners' work of some seconds.
pub const FOUND_QUEUE: usize = 4_096;

/// Bitcoin blocks whose verdict is remembered: a week of all that Bitcoin finds, and below 200 KB to write for each.
pub const SUBMISSIONS_MAX: usize = 1_024;

/// Messages to peers that wait for the network.
pub const PUBLISH_QUEUE: usize = 1_024;

/// Attempts to submit a Bitcoin block while bitcoind cannot be reached: some two minutes, after which it is stale.
pub const SUBMIT_ATTEMPTS: usize = 30;

/// Blocks of peers that are submitted at the same time: each keeps its bytes and a connection to bitcoind.
pub const SUBMITTING_MAX: usize = 16;

/// Own Bitcoin blocks kept in full, to submit them again: 64 MB at most, and more than bitcoind forgets in a crash.
pub const FULL_BLOCKS_MAX: usize = 16;

/// Requests of peers that wait to be answered; those beyond are refused.
pub const SERVE_QUEUE: usize = 64;

/// Characters of an address that are repeated in a message: what is longer is no address.
pub const ADDRESS_CHARS_SHOWN_MAX: usize = 100;

/// Time for the whole question of `shoal status`: the node answers in milliseconds, or has a problem that is worth
/// knowing.
pub const STATUS_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of a status, at most: one has about 1 KiB.
pub const STATUS_BYTES_MAX: usize = 1 << 16;

/// Time that each server gets to end when the node stops; what hangs is cut by the end of the process.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(5);
