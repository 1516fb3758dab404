//! Every bound of the API, with its unit and its reason.

use std::time::Duration;

/// Connections served at once; more wait in the system's backlog. A person's browser, a Prometheus and an explorer
/// need a dozen; each may hold one answer of [`PAGE_MAX`] items, 0.5 MB.
pub const CONNECTIONS_MAX: usize = 32;

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
