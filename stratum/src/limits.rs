//! Every bound of the crate, with its unit and its reason.

use std::time::Duration;

/// Bytes in one line of a miner. The longest honest one, `mining.authorize` with the longest user
/// name in the field, stays under 1 KiB; a peer's server reads 8 KiB as well.
pub const LINE_BYTES_MAX: usize = 8 * 1024;

/// Bytes in one line of a server, as the client half reads it: a notify with 48 outputs is about
/// 6 KiB of hex, the largest coinbase in use 32 KiB.
pub const SERVER_LINE_BYTES_MAX: usize = 64 * 1024;

/// Characters in a user name. 191 were seen in the field.
pub const USER_CHARS_MAX: usize = 256;

/// Characters of a user agent that are kept for display; the rest is cut off.
pub const AGENT_CHARS_MAX: usize = 64;

/// Characters in a request's string id: it is echoed, so it must not grow the answer without bound.
pub const ID_CHARS_MAX: usize = 64;

/// User names on one connection. A proxy shows the workers behind it; all share one account.
pub const WORKERS_MAX: usize = 64;

/// Works whose jobs a session still takes. At a link every 10 s this is over ten minutes, longer
/// than any device keeps a job, and it holds the works of the tip before for the grace time.
pub const WORKS_MAX: usize = 64;

/// Jobs (notifies) of one work: a change of difficulty and each keepalive make one. At a keepalive
/// a minute this is over half an hour.
pub const JOBS_PER_WORK_MAX: usize = 32;

/// Accepted hashes remembered for one work, 32 bytes each. When full the memory starts afresh: the
/// pool deduplicates whatever earns, so only this connection's own statistics could suffer.
pub const SEEN_PER_WORK_MAX: usize = 8 * 1024;

/// How long after a change of Bitcoin's tip a share of the old tip is still taken: the share-chain
/// credits it, and hardware with deep queues or slow lines needs some seconds to switch.
pub const TIP_GRACE: Duration = Duration::from_secs(30);

/// Seconds that a header's time may lie after the job's, Bitcoin's own bound on future times.
pub const TIME_AHEAD_S: u32 = 7_200;

/// Longest silence towards a miner. cgminer gives up after 90 s, cpuminer after 120 s.
pub const KEEPALIVE: Duration = Duration::from_secs(55);

/// Time from connecting to being subscribed and authorized.
pub const HANDSHAKE: Duration = Duration::from_secs(30);

/// Longest silence of a miner. The smallest devices find nothing for many minutes.
pub const IDLE: Duration = Duration::from_secs(30 * 60);

/// Time for the rest of a line once its first byte came.
pub const PARTIAL_LINE: Duration = Duration::from_secs(30);

/// Time for one batch of answers to leave. Answers are written before the next line is read, so a
/// miner that does not read has at most one batch and the socket's buffer waiting.
pub const WRITE: Duration = Duration::from_secs(10);

/// Time that a closed connection's input is still read and dropped: closing a socket with unread
/// input resets it, and the error that says why would be lost.
pub const LINGER: Duration = Duration::from_secs(1);

/// Bytes of such input.
pub const LINGER_BYTES_MAX: u64 = 256 * 1024;

/// How often a session looks at its clocks.
pub const TICK: Duration = Duration::from_millis(500);

/// Connections in all. Each takes 20 to 40 KiB (measured, the miner's half included), and each
/// account some 3 KiB for every work held.
pub const CONNECTIONS_MAX: usize = 4_096;

/// Connections of one IPv4 address or one IPv6 /64. A farm behind one router is one address.
pub const CONNECTIONS_PER_IP_MAX: usize = 1_024;

/// Lines a second that a session takes in the long run: ten times what vardiff lets a miner send,
/// a few microseconds of hashing each.
pub const LINES_PER_SECOND: f64 = 100.0;

/// Lines above that rate in a burst. A large farm starts at the initial difficulty and sends some
/// thousand shares until the first adjustment reaches it.
pub const LINES_BURST: f64 = 4_000.0;

/// Requests that make no sense (unknown method, wrong parameters) before the connection is closed.
pub const STRIKES_MAX: u32 = 64;

/// Seconds between shares that vardiff aims at, 8.6 a minute: enough to show a hashrate to 10%
/// after ten minutes, and few enough for any device.
pub const SHARE_INTERVAL_S: f64 = 7.0;

/// Shares after which vardiff judges, whatever time they took.
pub const VARDIFF_SHARES: u32 = 24;

/// Time after which vardiff judges, whatever number of shares came.
pub const VARDIFF_PERIOD: Duration = Duration::from_secs(90);

/// Time constant of the hashrate shown.
pub const HASHRATE_TAU: Duration = Duration::from_secs(300);

/// Least difficulty that `NiceHash` accepts from a pool.
pub const NICEHASH_DIFFICULTY: f64 = 524_288.0;

/// Difficulty of a new connection where the share target allows it: 14 shares a minute from 1 TH/s.
pub const INITIAL_DIFFICULTY: f64 = 1_024.0;

/// Version bits a miner may roll, BIP-0320.
pub const VERSION_MASK: u32 = 0x1fff_e000;

/// Jobs that a client holds for its user before it waits with reading.
pub const CLIENT_JOBS_MAX: usize = 64;

/// Time a client gives the server for one answer.
pub const CLIENT_ANSWER: Duration = Duration::from_secs(20);
