//! Every bound of the API, with its unit and its reason.

use std::num::NonZeroU32;
use std::time::Duration;

/// Connections served at a time; further ones wait in the system's backlog. A browser needs up to six, one of which
/// stays open for live events. Each may hold one answer of [`PAGE_MAX`] items, 0.5 MB.
pub const CONNECTIONS_MAX: usize = 64;

/// Connections from one IPv4 address or IPv6 /64: two browsers, or a dashboard. Further ones get status 429.
pub const CONNECTIONS_PER_HOST_MAX: usize = 16;

/// Connections from a loopback address: the operator's browser, `shoal top`, a metrics collector, or a reverse proxy
/// missing from the configuration. The rest is for other addresses.
pub const CONNECTIONS_PER_LOOPBACK_MAX: usize = 48;

/// Answers in preparation at a time. Each takes up to 1 MB and copies of parts of it; on one or two processors, more in
/// parallel would not finish sooner.
pub const ANSWERS_MADE_MAX: usize = 8;

/// Total size of the answers that wait to be sent, KiB: 32 of the largest. Requests wait for room, at most as long as
/// for an answer.
pub const ANSWERS_KIB_MAX: u32 = 32 << 10;

/// How long a write may wait for a client that does not read.
pub const WRITE_STALL: Duration = Duration::from_secs(10);

/// Bytes of a request's first line and headers. Browsers stay below 8 KiB, and hyper allows no smaller buffer.
pub const HEADER_BYTES_MAX: usize = 8 << 10;

/// Header fields of a request: browsers send about 20.
pub const HEADER_FIELDS_MAX: usize = 64;

/// Time limit for the whole head of a request, including the idle time before it, so that a slow client cannot hold a
/// connection.
pub const HEADER_READ: Duration = Duration::from_secs(10);

/// Time limit for preparing one answer. Answers take milliseconds unless the disk hangs.
pub const ANSWER: Duration = Duration::from_secs(10);

/// How long a connection accepts requests, so that every client gets a turn.
pub const CONNECTION_LIFE: Duration = Duration::from_secs(60);

/// Pause before a browser reconnects to the event stream once its connection has expired. By default, some browsers
/// wait several seconds.
pub const LIVE_RETRY: Duration = Duration::from_millis(500);

/// Extra time after [`CONNECTION_LIFE`] to finish the last answer: longer than [`ANSWER`], so that only a client that
/// does not read loses one.
pub const LAST_ANSWER: Duration = Duration::from_secs(15);

/// Pause after the system failed to accept a connection, usually because of too many open files.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Maximum items of a page.
pub const PAGE_MAX: usize = 500;

/// Default items of a page.
pub const PAGE: usize = 100;

/// Number of cached windows: the tip's and those of the last blocks. With 10,000 scripts each takes 0.8 MB.
pub const WINDOWS_MAX: usize = 4;

/// Length to which errors cut a client's own text, characters. An address has up to 90, a hash 64.
pub const ECHO_CHARS_MAX: usize = 100;

/// Maximum number of pending shares counted: about fifty times as many as are pending between two links.
pub const PENDING_COUNTED_MAX: usize = 1 << 16;

/// Newest links from which the pool's hashrate is estimated: ten minutes at 10 s per link, with an error of about 13%.
pub const HASHRATE_LINKS: u32 = 60;

/// Default step of a history, seconds. A day has 144 such steps.
pub const STEP_S: u32 = 600;

/// Default number of heights in a chain chart: ten minutes on mainnet.
pub const GRAPH_LINKS: u32 = 60;

/// Maximum number of heights in a chain chart.
pub const GRAPH_LINKS_MAX: u32 = 200;

/// Maximum number of shares in a chain chart: those of 60 links, about 1 MB.
pub const GRAPH_SHARES_MAX: usize = 2_500;

/// Maximum number of shares checked for one page of reorganizations, which takes about 20 ms.
pub const LEFT_SHARES_MAX: u32 = 1 << 16;

/// Newest links whose finders are counted as template builders: five and a half hours on mainnet, all of them in
/// memory.
pub const TEMPLATE_LINKS: u32 = 2_016;

/// Number of scripts listed as the largest.
pub const TOP_MINERS: usize = 10;

/// Blocks that must follow a coinbase before it can be spent.
pub const MATURITY_BLOCKS: u32 = 100;

/// Live events kept for readers whose connection broke: five minutes on mainnet, about 0.5 MB.
pub const LIVE_EVENTS: usize = 1_024;

/// Interval between checks for a changed status, while any reader listens.
pub const LIVE_STATUS: Duration = Duration::from_secs(1);

/// Burst that a client may accumulate, in seconds of its request rate.
pub const REQUESTS_SAVED_S: NonZeroU32 = NonZeroU32::new(10).expect("not zero");

/// Number of tracked clients above which idle ones are dropped.
pub const CLIENTS_COUNTED_MAX: usize = 4_096;

/// Minimum size of a compressed answer, bytes. Smaller answers are mostly headers.
pub const COMPRESSED_FROM_BYTES: u16 = 1_024;

/// Groups of addresses that get their own name. The others share the last name.
pub const GROUPS_MAX: usize = 4_096;

/// Suggested retry pause while the node still reads its share-chain from disk, which may take minutes, seconds.
pub const READING_RETRY_S: u32 = 10;

/// Interval between checks of the miners. They may miss a submit in the last seconds of a connection.
pub const MINING_LOOK: Duration = Duration::from_secs(5);

/// Interval between samples of the miners' activity, seconds.
pub const MINING_SAMPLE_S: u32 = 60;

/// Samples of the miners' activity: a day of them, 0.2 MB.
pub const MINING_SAMPLES_MAX: usize = 1_440;

/// Payout addresses whose last submit is kept: as many as miners can be connected, 0.4 MB.
pub const PAYEES_SEEN_MAX: usize = 4_096;

/// Matches of a search for the end of an id. Eight digits are unique among billions of shares.
pub const FOUND_MAX: usize = 20;

/// Blocks in the feed. Feed readers keep older ones.
pub const FEED_BLOCKS: usize = 50;

/// Maximum number of counted blocks, 16 bytes each: 16 MB. Bitcoin needed seventeen years for its first million.
pub const BLOCKS_COUNTED_MAX: usize = 1 << 20;

/// Headers of Bitcoin's best chain that an explorer keeps: twenty years, 40 MB.
pub const HEADERS_KEPT_MAX: usize = 1 << 20;

/// Blocks whose efforts an explorer keeps, 50 bytes each.
pub const EFFORTS_KEPT_MAX: usize = 10_000;

/// Steps of each length of the pool's history that an explorer keeps: more than the longest chart has. 40 bytes each.
pub const STEPS_KEPT_MAX: usize = 600;

/// Minimum interval between reads of the archive's newest links.
pub const ARCHIVE_PAUSE: Duration = Duration::from_millis(500);

/// Interval after which an explorer reads the archive even without a notification.
pub const ARCHIVE_LOOK: Duration = Duration::from_secs(10);

/// Time in which an archive must say whether a list goes on in it. Otherwise the node answers with its own list: its
/// pages do not wait for a database that hangs.
pub const ARCHIVE_GOES_ON: Duration = Duration::from_millis(500);

/// Maximum number of open event streams: half of [`CONNECTIONS_MAX`], so that pages stay available to others. A browser
/// without a stream polls.
pub const LIVE_READERS_MAX: usize = 32;

/// Maximum number of open event streams of one IPv4 address or IPv6 /64, also behind a trusted proxy: those of a household. A
/// browser has one for all its pages.
pub const LIVE_READERS_PER_HOST_MAX: usize = 8;

/// New links that an explorer announces to readers at a time. With more, it asks them to reload.
pub const LIVE_LINKS_MAX: u32 = 20;
