//! Every bound of the API, with its unit and its reason.

use std::num::NonZeroU32;
use std::time::Duration;

/// Connections served at once; further ones wait in the system's backlog. A browser needs up to six, one of which stays
/// open for live events. Each may hold one answer of [`PAGE_MAX`] items, 0.5 MB.
pub const CONNECTIONS_MAX: usize = 64;

/// Connections from one IPv4 address or IPv6 /64: two browsers, or a dashboard. Further ones are refused with 429, and the
/// others are served.
pub const CONNECTIONS_PER_HOST_MAX: usize = 16;

/// Connections from a loopback address: the operator's browser, `shoal top`, a metrics collector, and a reverse proxy that
/// nobody named. The rest is for other addresses.
pub const CONNECTIONS_PER_LOOPBACK_MAX: usize = 48;

/// Answers that are made at once. Each has up to 1 MB and copies of parts of it; on one or two processors, more would not
/// be ready sooner.
pub const ANSWERS_MADE_MAX: usize = 8;

/// KiB of all answers that wait to be sent: 32 of the largest. Requests wait for room, at most as long as for an answer.
pub const ANSWERS_KIB_MAX: u32 = 32 << 10;

/// Time for which a write may wait for a client that does not read.
pub const WRITE_STALL: Duration = Duration::from_secs(10);

/// Bytes of a request's first line and headers. Browsers stay below 8 KiB, and hyper allows no smaller buffer.
pub const HEADER_BYTES_MAX: usize = 8 << 10;

/// Header fields of a request: browsers send about 20.
pub const HEADER_FIELDS_MAX: usize = 64;

/// Time for the whole head of a request, including the idle time before it, so that a slow client cannot hold a
/// connection.
pub const HEADER_READ: Duration = Duration::from_secs(10);

/// Time to make one answer. Answers take milliseconds unless the disk hangs.
pub const ANSWER: Duration = Duration::from_secs(10);

/// Time for which a connection accepts requests, so that every client gets a turn.
pub const CONNECTION_LIFE: Duration = Duration::from_secs(60);

/// Time after which a browser reconnects to the event stream once its connection has expired. By default some browsers
/// wait for seconds.
pub const LIVE_RETRY: Duration = Duration::from_millis(500);

/// Time after [`CONNECTION_LIFE`] to finish the last answer: longer than [`ANSWER`], so that only a client that does
/// not read loses one.
pub const LAST_ANSWER: Duration = Duration::from_secs(15);

/// Pause after the system failed to accept a connection, usually because of too many open files.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Maximum items of a page.
pub const PAGE_MAX: usize = 500;

/// Default items of a page.
pub const PAGE: usize = 100;

/// Windows that are cached: the tip's and those of the last blocks. With 10,000 scripts each takes 0.8 MB.
pub const WINDOWS_MAX: usize = 4;

/// Characters of a client's own text that an error repeats. An address has up to 90, a hash 64.
pub const ECHO_CHARS_MAX: usize = 100;

/// Maximum pending shares counted: about fifty times the number that is pending between two links.
pub const PENDING_COUNTED_MAX: usize = 1 << 16;

/// Newest links from which the pool's hashrate is estimated: ten minutes at 10 s per link, with an error of about 13%.
pub const HASHRATE_LINKS: u32 = 60;

/// Default step of a history, seconds. A day has 144 such steps.
pub const STEP_S: u32 = 600;

/// Default heights of a chain picture: ten minutes on mainnet.
pub const GRAPH_LINKS: u32 = 60;

/// Maximum heights of a chain picture.
pub const GRAPH_LINKS_MAX: u32 = 200;

/// Maximum shares of a chain picture: those of 60 links, about 1 MB.
pub const GRAPH_SHARES_MAX: usize = 2_500;

/// Maximum number of shares looked at for one page of reorganizations: some 20 ms.
pub const LEFT_SHARES_MAX: u32 = 1 << 16;

/// Newest links whose finders are counted as template builders: five and a half hours on mainnet, all of them in
/// memory.
pub const TEMPLATE_LINKS: u32 = 2_016;

/// Number of scripts named as the largest.
pub const TOP_MINERS: usize = 10;

/// Blocks that must follow a coinbase before it can be spent.
pub const MATURITY_BLOCKS: u32 = 100;

/// Live events that are kept for readers whose connection broke: five minutes on mainnet, about 0.5 MB.
pub const LIVE_EVENTS: usize = 1_024;

/// Interval between checks for a changed status, while any reader listens.
pub const LIVE_STATUS: Duration = Duration::from_secs(1);

/// Burst that a client may save up, in seconds of its request rate.
pub const REQUESTS_SAVED_S: NonZeroU32 = NonZeroU32::new(10).expect("not zero");

/// Clients whose requests are counted before idle ones are forgotten.
pub const CLIENTS_COUNTED_MAX: usize = 4_096;

/// Minimum bytes of an answer that is compressed. Smaller answers are mostly headers.
pub const COMPRESSED_FROM_BYTES: u16 = 1_024;

/// Groups of addresses with a name of their own. The others share the last name.
pub const GROUPS_MAX: usize = 4_096;

/// Pause for a client that asks for what the node is still reading from disk, which takes up to minutes, seconds.
pub const READING_RETRY_S: u32 = 10;

/// Interval between looks at the miners. A submit in the last seconds of a connection may be missed.
pub const MINING_LOOK: Duration = Duration::from_secs(5);

/// Interval between samples of what the miners do, seconds.
pub const MINING_SAMPLE_S: u32 = 60;

/// Samples of what the miners do: a day of them, 0.2 MB.
pub const MINING_SAMPLES_MAX: usize = 1_440;

/// Payout addresses whose last submit is kept, as many as miners may be connected: 0.4 MB.
pub const PAYEES_SEEN_MAX: usize = 4_096;

/// Matches of a search for the end of an id. Eight digits are unique among billions of shares.
pub const FOUND_MAX: usize = 20;

/// Blocks in the feed: feed readers keep older ones.
pub const FEED_BLOCKS: usize = 50;

/// Blocks that are counted, 16 bytes each: 16 MB. Mainnet's first million took seventeen years.
pub const BLOCKS_COUNTED_MAX: usize = 1 << 20;

/// Bitcoin headers of the best chain that an explorer keeps: twenty years of them, 40 MB.
pub const HEADERS_KEPT_MAX: usize = 1 << 20;

/// Blocks whose efforts an explorer keeps, 50 bytes each.
pub const EFFORTS_KEPT_MAX: usize = 10_000;

/// Steps of one length of the pool's history that an explorer keeps: more than the longest chart has. 40 bytes each.
pub const STEPS_KEPT_MAX: usize = 600;

/// Least time from one reading of the archive's newest links to the next.
pub const ARCHIVE_PAUSE: Duration = Duration::from_millis(500);

/// Time after which an explorer looks at the archive although nothing was told.
pub const ARCHIVE_LOOK: Duration = Duration::from_secs(10);

/// New links that an explorer tells readers of at a time. With more, they are told to reload.
pub const LIVE_LINKS_MAX: u32 = 20;
