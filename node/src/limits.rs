//! Every bound of this crate, with its unit and its reason.

use std::num::NonZeroU32;
use std::time::Duration;

/// Maximum bytes of a config file. The example with all its comments has under 8 KiB.
pub const CONFIG_BYTES_MAX: u64 = 1 << 20;

/// Addresses to listen on for other nodes: IPv4, IPv6, and a few more for unusual networks.
pub const P2P_LISTEN_MAX: usize = 8;

/// Addresses for miners besides the first. Rentals, farms and countries have a few.
pub const STRATUM_LISTENERS_MAX: usize = 16;

/// Addresses of one user name. Four of the shortest fill the 191 characters that devices in the field hold.
pub const SPLIT_PARTS_MAX: usize = 4;

/// Highest fee of a node's owner, hundredths of a percent: 10%. More is a typing error.
pub const FEE_HUNDREDTHS_MAX: u16 = 1_000;

/// Accounts whose work is shared between payees and counted for it, at most 1 KB each: as many as there are connections.
pub const LEDGERS_MAX: usize = 16_384;

/// Pauses in the configuration. Each is looked at for each device every [`POWER_LOOK`].
pub const PAUSES_MAX: usize = 32;

/// Names of workers in one pause. Farms name groups by the ends of their names, or pause all.
pub const PAUSE_WORKERS_MAX: usize = 64;

/// Maximum bytes of the switch for power: 64 names of 191 characters.
pub const POWER_FILE_BYTES_MAX: u64 = 16 << 10;

/// Interval between looks at the switch and the clock for devices that are to rest.
pub const POWER_LOOK: Duration = Duration::from_secs(2);

/// Time in which a device with a fraction of its power runs and rests once, seconds: devices take minutes to get warm.
pub const POWER_PERIOD_S: u32 = 1_800;

/// File descriptors that stay for everything but miners: the database, peers, API clients, bitcoind.
pub const DESCRIPTORS_KEPT: usize = 1_024;

/// Configured coinbase limits of mining programs. Each new connection compares its program with all of them.
pub const COINBASE_LIMITS_MAX: usize = 64;

/// Configured peers. The node keeps dialing each one until it is connected.
pub const P2P_PEERS_MAX: usize = 64;

/// Maximum number of external addresses. Each is two addresses of a node record, which has room for eight.
pub const EXTERNAL_MAX: usize = 4;

/// Interval between two looks at whether the address book has to be written.
pub const BOOK_LOOK: Duration = Duration::from_secs(5);

/// Interval between two writes of the address book: at 300 KB for 1,000 nodes, 29 MB a day. As in Bitcoin Core.
pub const BOOK_PAUSE: Duration = Duration::from_secs(900);

/// The same with fewer than [`BOOK_YOUNG`] nodes that were reached: what a young node learns should survive its first crash.
pub const BOOK_YOUNG_PAUSE: Duration = Duration::from_secs(10);

/// Number of nodes that were reached from which on an address book is not young.
pub const BOOK_YOUNG: usize = 64;

/// Age of the newest link at which the node looks for better peers: 60 times the time that a link takes.
pub const TIP_STALE: Duration = Duration::from_secs(600);
/// Maximum bytes of the file with the onion service's key. Tor writes about 100.
pub const ONION_KEY_BYTES_MAX: u64 = 1024;

/// Maximum bytes of one line from Tor's control port. The longest has a path or a key.
pub const TOR_LINE_BYTES_MAX: usize = 4096;

/// Maximum lines of one reply from Tor's control port. The longest that is asked for has five.
pub const TOR_REPLY_LINES_MAX: usize = 32;

/// Time limit of one reply from Tor's control port, which is on this machine.
pub const TOR_TIMEOUT: Duration = Duration::from_secs(10);

/// Pause before the onion service is set up again.
pub const TOR_PAUSE: Duration = Duration::from_secs(5);

/// Bitcoinds besides the first. Each one costs a long poll and a template for each change.
pub const BITCOIND_FALLBACKS_MAX: usize = 4;

/// Maximum configurable time limit of one call to bitcoind, seconds. No useful answer takes longer.
pub const BITCOIND_TIMEOUT_S_MAX: u64 = 600;

/// Maximum bytes of an ordinary answer of bitcoind. A batch of [`HEADER_BATCH`] headers has about 200 KiB.
pub const RPC_ANSWER_BYTES_MAX: usize = 2 << 20;

/// Maximum bytes of a block template. A full block has 4 MB, twice that in hex, and the field names of 16,000 small
/// transactions add 5 MB.
pub const TEMPLATE_ANSWER_BYTES_MAX: usize = 24 << 20;

/// Maximum bytes of a cookie file. bitcoind writes 75.
pub const COOKIE_BYTES_MAX: u64 = 4096;

/// Maximum transactions of a template. None weighs less than 240 units (60 bytes without a witness).
pub const TEMPLATE_TRANSACTIONS_MAX: usize = node_core::limits::BLOCK_WEIGHT_MAX as usize / 240;

/// Characters of bitcoind's own message that an error or a log line repeats.
pub const REASON_CHARS_MAX: usize = 300;

/// Headers fetched in one batch. bitcoind answers 500 in about 10 ms.
pub const HEADER_BATCH: u32 = 500;

/// Time to connect to bitcoind, which is on this machine or in its network.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Time for which an idle connection to bitcoind is kept. bitcoind itself closes them after 30 s.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Time limit of a long poll. bitcoind answers when its tip changes, or after a minute if its mempool changed. It keeps
/// a worker busy for a poll whose client hung up, so polls are not cut short; the heartbeat notices when bitcoind is
/// gone.
pub const LONG_POLL_TIMEOUT: Duration = Duration::from_secs(3600);

/// Time limit of a block submission or a proposal, in which bitcoind validates the whole block.
pub const SUBMIT_TIMEOUT: Duration = Duration::from_secs(120);

/// Interval between checks of bitcoind's tip during a long poll.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(3);

/// Time limit of such a check. bitcoind answers in milliseconds, except while it connects a block, which takes old machines
/// seconds.
pub const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(5);

/// Time for which bitcoind is asked again after a call failed, before its templates count as lost. With the two limits above, a
/// hung bitcoind is noticed within 13 s.
pub const RECHECK_LIMIT: Duration = Duration::from_secs(5);

/// Pause before bitcoind is asked again. A restarting proxy, or a full queue, is over by then.
pub const RECHECK_PAUSE: Duration = Duration::from_millis(500);

/// Times that bitcoind is asked again, if each call fails at once: one that was stopped is noticed within a second.
pub const RECHECKS: usize = 2;

/// Time that bitcoind may take for the template on a new tip that is known, before miners get an empty one.
pub const FULL_TEMPLATE_WAIT: Duration = Duration::from_millis(5);

/// How long a bitcoind must have been well before it is used again in place of a later one that has the same work: one that
/// comes and goes does not move all miners each time.
pub const RETURN_AFTER: Duration = Duration::from_secs(10);

/// How long a block that one bitcoind has judged waits for the verdicts of the others, unless it was accepted.
pub const VERDICTS_WAIT: Duration = Duration::from_secs(5);

/// Maximum bytes of a frame of ZMQ, and of frames in a message. A hash has 32, its sequence number 4, and a handshake's
/// properties under 100.
pub const ZMQ_FRAME_BYTES_MAX: usize = 512;

/// Maximum frames in a message of ZMQ. bitcoind sends three.
pub const ZMQ_FRAMES_MAX: usize = 8;

/// Time limit of ZMQ's connection and handshake.
pub const ZMQ_TIMEOUT: Duration = Duration::from_secs(5);

/// Silence of ZMQ after which it is connected again: on main, six blocks.
pub const ZMQ_SILENCE: Duration = Duration::from_secs(3600);

/// Maximum bytes of a file with certificate authorities. The system's whole collection has under 300 KiB.
pub const CA_BYTES_MAX: u64 = 1 << 20;

/// Maximum bytes of a busy bitcoind's answer that are looked at. Its own sentence has 26.
pub const BUSY_ANSWER_BYTES_MAX: usize = 4096;

/// How long miners stay connected without fresh work: as long as work on an old Bitcoin tip is accepted. It covers a
/// restart of bitcoind, and what devices mine meanwhile seldom turns worthless.
pub const WORK_GRACE: Duration = stratum::limits::TIP_GRACE;

/// Interval between checks of [`WORK_GRACE`].
pub const WORK_LOOK: Duration = Duration::from_secs(1);

/// Interval between templates if bitcoind offers no long poll or answers it at once.
pub const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Interval between looks at what may cut this node off: a tenth of the time that the shortest state takes on mainnet.
pub const ISOLATION_LOOK: Duration = Duration::from_secs(1);

/// Interval between questions for bitcoind's connections and clock. Both matter after minutes.
pub const BITCOIND_LOOK: Duration = Duration::from_secs(60);

/// Solo blocks that wait for the event log. Each costs the work of a Bitcoin block; on test networks, a few come a second.
pub const SOLO_QUEUE: usize = 16;

/// First and longest pause between attempts to reach bitcoind.
pub const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// Maximum bytes of one record in the database. A Bitcoin block has up to 4 MB.
pub const RECORD_BYTES_MAX: usize = 5 << 20;

/// Rejections kept, newest first: a day of them at a high rate (one every 2 s), about 20 MB on disk.
pub const REFUSALS_MAX: usize = 50_000;

/// Bytes of RocksDB's block cache, which also holds indexes and filters.
pub const STORE_CACHE_BYTES: usize = 8 << 20;

/// Bytes of one column family's write buffer, of which each has at most two. A node of the test network writes 0.2 MB
/// per minute, a mainnet node a fraction of that.
pub const STORE_WRITE_BUFFER_BYTES: usize = 1 << 20;

/// Bytes of all write buffers together. Their content is in memory in addition to the chain, so this is small.
pub const STORE_WRITE_BUFFERS_BYTES: usize = 4 << 20;

/// Maximum bytes of write-ahead log, which is replayed after a crash.
pub const STORE_WAL_BYTES: u64 = 16 << 20;

/// Table files that RocksDB keeps open. Each costs a descriptor and some memory for its footer.
pub const STORE_OPEN_FILES: i32 = 64;

/// Bytes of each of RocksDB's two own log files.
pub const STORE_LOG_BYTES: usize = 1 << 20;

/// Calls that wait for the engine. Each usually takes well under a millisecond; when the queue is full, callers wait.
pub const ENGINE_QUEUE: usize = 1_024;

/// Seconds for which a device is silent or slow before that is told. Difficulty is set for one submit every few seconds;
/// firmware restarts within minutes.
pub const DEVICE_TOLD_S: u32 = 600;

/// Interval between samples of a device's hashrate, seconds.
pub const DEVICE_SAMPLE_S: u32 = 60;

/// Samples that the average of a device follows: a day of them.
pub const DEVICE_SAMPLES_MAX: u32 = 1_440;

/// Time after which a device that is away is forgotten, seconds: a week, as its longest average. It is shown for a day.
pub const DEVICE_KEPT_S: u32 = 7 * 86_400;

/// Devices that are known: 8 MB. The one that is away for the longest time makes room.
pub const DEVICES_MAX: usize = 4_096;

/// Interval between looks for news of devices.
pub const WORKER_LOOK: Duration = Duration::from_secs(30);

/// Interval between writes of the devices: 4,096 of them write 6 MB each time, 1.8 GB a day, and one writes 450 kB a day.
pub const DEVICES_SAVE: Duration = Duration::from_secs(300);

/// Receivers of one kind that tell people of events. Each has its own task and queue.
pub const NOTIFY_RECEIVERS_MAX: usize = 8;

/// Characters of a sentence for people. Telegram and ntfy take 4,096, Discord 2,000 with title and link.
pub const NOTIFY_CHARS_MAX: usize = 1_000;

/// Time to hand a mail to the server. Servers that delay strangers take up to half a minute.
pub const MAIL_TIMEOUT: Duration = Duration::from_secs(60);

/// Maximum bytes that a mail server sends while it takes a mail. Its certificates have some 5 KB, its answers less.
pub const MAIL_ANSWER_BYTES_MAX: usize = 256 << 10;

/// Webhook URLs. Each has its own task and queue.
pub const WEBHOOKS_MAX: usize = 16;

/// Events that wait for one webhook. Further ones are dropped with a warning. An event log gets fewer per day.
pub const WEBHOOK_QUEUE: usize = 256;

/// Time for a webhook's receiver to answer.
pub const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// First and longest pause before a webhook is retried.
pub const WEBHOOK_PAUSE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(300));

/// Retries of a webhook before its event is dropped: with the pauses above, about an hour.
pub const WEBHOOK_RETRIES: usize = 20;

/// How long a pairing link works, seconds: time to fetch a phone.
pub const PAIR_S: u32 = 3_600;

/// Origins that may read the API. Each request is compared with all of them.
pub const CORS_ORIGINS_MAX: usize = 16;

/// Maximum configurable requests per second of one client: more than one CPU can answer.
pub const API_REQUESTS_A_SECOND_MAX: u32 = 100_000;

/// Threads that answer API requests. One answers more than a thousand a second, and where the node has two processors, it
/// leaves one to miners and peers.
pub const API_THREADS: usize = 1;

/// Rejected proofs that wait to be logged. A peer is banned after ten, so hundreds at once are an attack by many peers.
pub const REFUSED_QUEUE: usize = 256;

/// Events kept in the event log, newest first: months of a quiet node, about 3 MB on disk.
pub const EVENT_LOG_EVENTS_MAX: u64 = 10_000;

/// Rows of the history that are looked at for removal at a time, and beyond them for each record that was indexed. The
/// pool finds three or four shares a second, so a pass over the five million rows of main's window takes half a day.
pub const SWEPT_ROWS: usize = 64;

/// See [`SWEPT_ROWS`]. A record adds about ten rows at most, so removal keeps up with any pace.
pub const SWEPT_ROWS_A_RECORD: usize = 32;

/// Rows that are looked at in one step: a few milliseconds.
pub const SWEPT_ROWS_MAX: usize = 4_096;

/// Interval at which the node looks whether miners have left.
pub const MEMORY_LOOK: Duration = Duration::from_secs(5);

/// Miners that have left since the most were connected before the node gives their memory back: some 4 MB. Fewer are not
/// worth the work.
pub const MINERS_LEFT_MIN: usize = 256;

/// Interval at which a node that reads its share-chain from disk shows how far it is.
pub const READING_LOOK: Duration = Duration::from_millis(500);

/// Time after which the event log says that the node is waiting for bitcoind.
pub const WAITING_TOLD: Duration = Duration::from_secs(30);

/// Time after which the event log says that the node is reading. A pruned node has read all in a few seconds.
pub const READING_TOLD: Duration = Duration::from_secs(5);

/// Interval between looks at the payees of this node's miners, and at the confirmations of the pool's blocks.
pub const OWN_LOOK: Duration = Duration::from_secs(10);

/// Payees of this node's miners whose rows are kept: as many as a node serves connections. Beyond that, the one that was
/// not seen for the longest time counts as a foreign one.
pub const OWN_PAYEES_MAX: usize = 4_096;

/// Seconds after which it is noted again that a payee was seen.
pub const OWN_SEEN_S: u32 = 86_400;

/// Rejected proofs of peers that the event log accepts per hour. More are an attack and would push all other events
/// out. The database still has the reason of every rejection.
pub const PEERS_REFUSED_AN_HOUR: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// Events of single devices that the event log accepts per hour, and its receivers with it; the others are counted in one
/// event at each look. More are a power cut at a farm, or names that somebody made up, and would push all other events out.
pub const WORKER_EVENTS_AN_HOUR: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// Lines of one kind that the log gets in a burst: the first peers of a node, or a day of rare warnings.
pub const LOG_BURST_LINES: u64 = 30;

/// Lines of one kind that the log gets per minute after a burst. A flood that causes five kinds writes 3 MB a day.
pub const LOG_LINES_A_MINUTE: u64 = 2;

/// Characters of a line that stand for those that were left out.
pub const LOG_SENTENCE_CHARS_MAX: usize = 120;

/// Maximum bytes of the file of added peers. 64 of the longest addresses take 33 kB.
pub const MANUAL_BYTES_MAX: u64 = 64 << 10;

/// Maximum characters of an address of an added peer: a DNS name of 253, a relay's key and the peer's own.
pub const ADDRESS_CHARS_MAX: usize = 512;

/// Maximum bytes of the file of bans. 5,120 bans with the longest reasons take 3 MB.
pub const BANS_BYTES_MAX: u64 = 8 << 20;

/// Pause between two writes of the file of bans.
pub const BANS_PAUSE: Duration = Duration::from_secs(1);

/// Default and maximum length of a ban by the operator, seconds: a day as in Bitcoin Core, and ten years.
pub const BAN_S: (u64, u64) = (86_400, 315_360_000);

/// Trusted proxies in the configuration: addresses or ranges. Each request is compared with all of them.
pub const TRUSTED_PROXIES_MAX: usize = 16;

/// Default maximum of upload to peers, bytes per second. Twenty-four identities once drew 34 MB/s, which took up to 72% of
/// a processor.
pub const MAX_UPLOAD: u64 = 10_000_000;

/// Events by which a slow listener may fall behind before it misses the oldest: minutes of shares.
pub const EVENT_QUEUE: usize = 4_096;

/// Shares found by this node's miners that wait for the engine: several seconds' work of a thousand miners.
pub const FOUND_QUEUE: usize = 4_096;

/// Bitcoin blocks whose verdict is kept: a week of all Bitcoin blocks, and below 200 KB per write.
pub const SUBMISSIONS_MAX: usize = 1_024;

/// Attempts to submit a Bitcoin block while bitcoind cannot be reached: about two minutes, after which it is stale.
pub const SUBMIT_ATTEMPTS: usize = 30;

/// Blocks of peers that are submitted at the same time. Each holds its bytes and a connection to bitcoind.
pub const SUBMITTING_MAX: usize = 16;

/// Bitcoin blocks of this node's miners kept in full for resubmission: at most 1 GB, and more than all Bitcoin blocks of
/// [`FULL_BLOCKS_DEPTH`].
pub const FULL_BLOCKS_MAX: usize = 256;

/// Depth, in Bitcoin blocks, from which an own block is not submitted any more: the depth at which its coins can be spent.
pub const FULL_BLOCKS_DEPTH: u32 = 100;

/// Peer requests that wait to be answered. Further ones are rejected.
pub const SERVE_QUEUE: usize = 64;

/// Characters of an address that a message repeats. Anything longer is not an address.
pub const ADDRESS_CHARS_SHOWN_MAX: usize = 100;

/// Time limit of a request of `shoal status`. A healthy node answers in milliseconds.
pub const STATUS_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum bytes of an answer that the program asks a node for. A status has about 1 KiB, a payout proof with 1,000 outputs
/// 150 KiB.
pub const STATUS_BYTES_MAX: usize = 1 << 18;

/// Maximum bytes of a list of bans. 5,120 bans with the longest reasons take 3 MB.
pub const BANS_ANSWER_BYTES_MAX: usize = 4 << 20;

/// Maximum bytes of a list of devices. 4,096 devices with long names take 5 MB.
pub const DEVICES_ANSWER_BYTES_MAX: usize = 8 << 20;

/// Time for each server to end when the node stops. The end of the process cuts off the rest.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(5);
