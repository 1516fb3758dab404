//! Every bound of the API, with its unit and its reason.

use std::num::NonZeroU32;
use std::time::Duration;

/// Connections served at once; more wait in the system's backlog. A browser needs up to six, one of which stays open for
/// live events; each may hold one answer of [`PAGE_MAX`] items, 0.5 MB.
pub const CONNECTIONS_MAX: usize = 64;

/// Bytes of a request's first line and headers. Browsers stay below 8 KiB; it is also hyper's smallest buffer.
pub const HEADER_BYTES_MAX: usize = 8 << 10;

/// Header fields of a request: browsers send about 20.
pub const HEADER_FIELDS_MAX: usize = 64;

/// Time for the whole head of a request, the idle time before it included: a client that sends a byte now and then
/// cannot keep its place.
pub const HEADER_READ: Duration = Duration::from_secs(10);

/// Time for one answer to be made: all of them take milliseconds unless the disk hangs.
pub const ANSWER: Duration = Duration::from_secs(10);

/// Time a connection takes requests, so that everybody's turn comes.
pub const CONNECTION_LIFE: Duration = Duration::from_secs(60);

/// How long a browser waits before it listens again after its connection's time is over; some wait for seconds if they are not
/// told.
pub const LIVE_RETRY: Duration = Duration::from_millis(500);

/// Time after that for the answer on its way: longer than [`ANSWER`], so that only a client that does not read loses
/// one.
pub const LAST_ANSWER: Duration = Duration::from_secs(15);

/// Pause after the system refused a connection (usually: too many open files).
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Items of a list that a client may ask for at once.
pub const PAGE_MAX: usize = 500;

/// Items of a list when the client does not say.
pub const PAGE: usize = 100;

/// Windows whose rows are kept: the tip's and those of the last blocks. At 10,000 scripts 0.8 MB each.
pub const WINDOWS_MAX: usize = 4;

/// Characters of a caller's own words that are repeated in an error: an address has up to 90, a hash 64.
pub const ECHO_CHARS_MAX: usize = 100;

/// Pending shares that are counted; some fifty times what waits between two links.
pub const PENDING_COUNTED_MAX: usize = 1 << 16;

/// Links behind the tip from which the pool's hashrate is estimated: at 10 s a link ten minutes, to some 13%.
pub const HASHRATE_LINKS: u32 = 60;

/// Seconds of a step of a history when the client does not say: a day has 144 of them.
pub const STEP_S: u32 = 600;

/// Heights of a picture of the share-chain when the client does not say: ten minutes of main.
pub const GRAPH_LINKS: u32 = 60;

/// Heights of a picture that a client may ask for at once.
pub const GRAPH_LINKS_MAX: u32 = 200;

/// Shares of one picture: 60 links with all of theirs, some 1 MB.
pub const GRAPH_SHARES_MAX: usize = 2_500;

/// Links that template makers are counted over: five and a half hours of main, and all of them in memory.
pub const TEMPLATE_LINKS: u32 = 2_016;

/// Scripts that are named as the largest.
pub const TOP_MINERS: usize = 10;

/// Blocks that must follow a coinbase before it can be spent.
pub const MATURITY_BLOCKS: u32 = 100;

/// Live events that are kept for readers whose connection broke: five minutes of main, some 0.5 MB.
pub const LIVE_EVENTS: usize = 1_024;

/// Time between two looks at whether the status changed, while somebody listens.
pub const LIVE_STATUS: Duration = Duration::from_secs(1);

/// Seconds of requests that a client may save up, and make at once.
pub const REQUESTS_SAVED_S: NonZeroU32 = NonZeroU32::new(10).expect("not zero");

/// Clients whose requests are counted before those that were quiet are forgotten.
pub const CLIENTS_COUNTED_MAX: usize = 4_096;

/// Bytes from which an answer is compressed: below that the head is most of it.
pub const COMPRESSED_FROM_BYTES: u16 = 1_024;

/// Groups of addresses that get a name of their own; the others share the last.
pub const GROUPS_MAX: usize = 4_096;
