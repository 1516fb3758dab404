//! Every limit of the crate, with its unit and its reason.

use std::time::Duration;

/// Longest line from a miner, in bytes. The longest legitimate line, `mining.authorize` with the
/// longest user name seen in the field, is under 1 KiB; another pool server also reads 8 KiB.
pub const LINE_BYTES_MAX: usize = 8 * 1024;

/// Longest message from a miner in Stratum v2, in bytes without its header. The longest legitimate one, `SetupConnection`
/// with five texts of 255 bytes, has 1.3 KiB; with this limit, extensions have room, as lines of v1 do.
pub const FRAME_BYTES_MAX: usize = 8 * 1024;

/// Bytes of messages that a connection of Stratum v2 prepares before it writes them. The jobs of a proxy's thousand channels
/// have 2 to 44 KB each: one job above this bound, and its sealed copy, are all that waits for a miner that does not read.
pub const BATCH_BYTES: usize = 64 * 1024;

/// First size of a connection's read buffer, in bytes: most lines have some 150. It grows with longer ones.
pub const READ_BYTES: usize = 512;

/// Longest line from a server that [`crate::Client`] reads, in bytes. A `mining.notify` with 48
/// outputs has about 6 KiB, mostly hex; with 1,000 outputs it has 87 KiB, and with a coinbase of 64 KiB,
/// the most that a field of Stratum v2 holds, 130 KiB.
pub const SERVER_LINE_BYTES_MAX: usize = 160 * 1024;

/// Longest text of a `mining.notify` that a session keeps for the jobs that repeat it, in bytes. For 16,384
/// sessions, that is at most 256 MiB; sessions of one account share it. Longer texts, those of coinbases with over 180 outputs, are written
/// anew: once a minute, in a tenth of a millisecond.
pub const NOTIFY_KEPT_BYTES_MAX: usize = 16 * 1024;

/// Longest user name, in bytes. The longest seen in the field has 191; a split between four Taproot addresses has up to 271
/// with its percentages, and a worker's name as much again. Stratum v2 itself allows 255.
pub const USER_BYTES_MAX: usize = 512;

/// Characters of the user agent to keep for display. The server drops the rest.
pub const AGENT_CHARS_MAX: usize = 64;

/// Longest string id of a request, in characters. The response echoes the id, so this limit also
/// bounds the response.
pub const ID_CHARS_MAX: usize = 64;

/// Extensions that the server answers of one `mining.configure`: four times as many as BIP-0310 has. A line of 8 KiB holds 800
/// names, which take 0.3 ms.
pub const EXTENSIONS_MAX: usize = 16;

/// User names that a connection keeps, for statistics, and that all connections of an IPv4 address or IPv6 /64 network keep
/// beyond the first of each: as many as devices may connect from there. All addresses together have [`CONNECTIONS_MAX`].
/// A proxy authorizes each worker behind it; all share one account. The server accepts further names, and counts their work
/// under the connection.
pub const WORKERS_MAX: usize = 1_024;

/// Bytes of user names that a connection keeps: each submit under an unknown name is compared with all of them, some 50 us.
/// With [`WORKERS_MAX`], a server keeps at most 32,768 names, 20 MB. Without a proxy, a connection has one name of some 60 bytes.
pub const WORKERS_BYTES_MAX: usize = 16 * 1024;

/// Work units per session whose jobs the server still accepts. With a new link every 10 s, 64 units
/// last over ten minutes. That is longer than any device keeps a job, and it covers the units of the
/// previous Bitcoin tip during [`TIP_GRACE`].
pub const WORKS_MAX: usize = 64;

/// Jobs (`mining.notify` messages) per session whose ids the server still accepts, 16 bytes each. Each work unit, every
/// change of difficulty and every keepalive issues one.
pub const JOBS_MAX: usize = 256;

/// Accepted hashes to remember per work unit, 8 bytes each. A full set is cleared. The pool
/// deduplicates every share that earns, so clearing can only skew this connection's statistics.
pub const SEEN_PER_WORK_MAX: usize = 8 * 1024;

/// Extranonces of closed connections that a returning miner may resume, and difficulties of devices that left, 16 bytes each: twice
/// as many as connections fit.
pub const RESUMABLE_MAX: usize = 32 * 1024;

/// Connections with submissions that ended and whose last state has not been read yet: as many as one address may have. A node reads
/// them every 30 s; each has 400 bytes and its user names, of at most [`WORKERS_BYTES_MAX`].
pub const LEFT_MAX: usize = 1_024;

/// How long the server accepts shares on the old tip after Bitcoin's tip changes. The share-chain
/// credits these shares, and hardware with deep queues or slow links needs seconds to switch.
pub const TIP_GRACE: Duration = Duration::from_secs(30);

/// How far a header's time may be ahead of the job's time, in seconds. Bitcoin allows the same for
/// block times in the future.
pub const TIME_AHEAD_S: u32 = 7_200;

/// Longest interval without a job for a miner. cgminer disconnects after 90 s, cpuminer after 120 s.
pub const KEEPALIVE: Duration = Duration::from_secs(55);

/// Time from connecting to both subscribe and authorize.
pub const HANDSHAKE: Duration = Duration::from_secs(30);

/// Time from connecting to the end of a PROXY header, and from there to the end of the TLS or Noise handshake.
pub const HELLO: Duration = Duration::from_secs(10);

/// Time over which devices that are to rest are disconnected, so that ten thousand do not come back in one second.
pub const REST_SPREAD: Duration = Duration::from_secs(30);

/// Longest interval without a line from a miner. The smallest devices find nothing for many minutes.
pub const IDLE: Duration = Duration::from_secs(30 * 60);

/// Time from the first byte of a line to its end.
pub const PARTIAL_LINE: Duration = Duration::from_secs(30);

/// Time to write one batch of lines. The server writes its responses before it reads the next line,
/// so at most one batch plus the socket buffer waits for a miner that does not read: 6 KiB with 48
/// outputs, 87 KiB with 1,000.
pub const WRITE: Duration = Duration::from_secs(10);

/// How long the server drains input after it closes a connection. Closing a socket with unread input
/// resets it, and the miner would lose the final error message.
pub const LINGER: Duration = Duration::from_secs(1);

/// Most input to drain during [`LINGER`], in bytes.
pub const LINGER_BYTES_MAX: u64 = 256 * 1024;

/// How long a server that stops waits for its connections to close. It covers [`LINGER`].
pub const STOP: Duration = Duration::from_secs(2);

/// Longest interval at which a session checks its deadlines. With ten thousand connections, each check costs the node as much
/// as a third of a submit. With [`KEEPALIVE`], a miner has a job every 58 s.
pub const TICK: Duration = Duration::from_secs(3);

/// Connections per server, where each channel of a connection of Stratum v2 but the first counts as one more: a farm of ten thousand
/// devices, and room for their reconnects. `shoal-testnet bench stratum`
/// measures the memory of each. An account takes about 1 KiB per remembered work unit besides; the outputs of the coinbase,
/// 2 to 44 KB, are shared by all accounts.
pub const CONNECTIONS_MAX: usize = 16_384;

/// Connections per IPv4 address or IPv6 /64 network. A farm behind one router has one address.
pub const CONNECTIONS_PER_IP_MAX: usize = 1_024;

/// Handshakes of TLS or Noise per second from one IPv4 address or IPv6 /64 network. Each takes 0.4 to 0.7 ms, so one address can
/// take 1% of a processor; a farm of [`CONNECTIONS_PER_IP_MAX`] devices is back within a minute, however often it comes.
pub const HANDSHAKES_PER_SECOND: f64 = 20.0;

/// Handshakes of one address in one burst above [`HANDSHAKES_PER_SECOND`]: [`CONNECTIONS_PER_IP_MAX`] devices that come back
/// together after a restart, half a second of a processor.
pub const HANDSHAKES_BURST: f64 = 1_024.0;

/// Bytes that the kernel keeps of what a miner was sent and has not acknowledged, and twice as many with its own overhead. A job with
/// 1,000 outputs has 130 KB as text. By itself, Linux gives a connection up to 4 MB, so that miners of one address that stop
/// reading would take 4 GB.
pub const SEND_BUFFER_BYTES: u32 = 128 * 1024;

/// The same of what a miner sends before the server reads it. A proxy's thousand devices send 22 KB/s, and a message has at most
/// 8 KiB. Linux would give a connection up to 6 MB, more on some systems.
pub const RECEIVE_BUFFER_BYTES: u32 = 32 * 1024;

/// Connections that wait in the kernel to be accepted, for each listener: as many as devices of one address that come back in the
/// same moment. The kernel drops further ones, and each tries again after a second. Linux caps it at `net.core.somaxconn`, 4,096.
pub const BACKLOG: u32 = 1_024;

/// Addresses whose handshakes are counted, and those whose messages are, some 100 bytes each. If more come at once, all counts
/// start over.
pub const BUDGETS_MAX: usize = 4_096;

/// Messages per second from all connections of one IPv4 address or IPv6 /64 network that no accepted share pays for: one for each of
/// [`CONNECTIONS_PER_IP_MAX`] devices. The costliest ones, of 8 KiB, take 100 to 200 us each, so one address can take a fifth of a
/// processor. Beyond it, the connections of the address wait in line until they are read.
pub const ADDRESS_MESSAGES_PER_SECOND: f64 = 1_000.0;

/// The same in one burst: all devices of an address come back at once, with a connection, three messages and a job each.
pub const ADDRESS_MESSAGES_BURST: f64 = 16_384.0;

/// Messages that a job counts as which a miner causes: the first one of a connection or channel, those of [`UPDATES_BURST`], and
/// those whose difficulty follows its shares. In a wide pool each takes 100 us and 37 to 75 KB of upload.
pub const JOB_MESSAGES: u32 = 8;

/// Sustained lines per second from one miner, at a few microseconds of hashing per line. A share that the server accepts
/// does not count, unless its job was replaced by a harder one more than [`HARDER_GRACE`] ago: it is paid for by work.
pub const LINES_PER_SECOND: f64 = 100.0;

/// Lines in one burst above [`LINES_PER_SECOND`]. A farm whose job changes sends a few thousand shares for the old one.
pub const LINES_BURST: f64 = 4_000.0;

/// Jobs in one burst that a channel of Stratum v2 gets because its device says that its rate changed, with `UpdateChannel`.
/// Devices say so when they slow down, proxies once a minute.
pub const UPDATES_BURST: f64 = 16.0;

/// The same per second, sustained. A message has 46 bytes and its job up to 44 KB. Further ones share the job of the next [`TICK`].
pub const UPDATES_PER_SECOND: f64 = 0.2;

/// How long after the difficulty rose shares of easier jobs do not count against [`LINES_PER_SECOND`]. Devices with
/// deep queues need seconds to switch.
pub const HARDER_GRACE: Duration = Duration::from_secs(30);

/// Invalid requests (bad parameters, rejected login) in one burst before the server closes the connection.
pub const STRIKES_MAX: u32 = 64;

/// Invalid requests per second that the server forgives: a device that sends a bad one now and then stays.
pub const STRIKES_FORGIVEN_PER_SECOND: f64 = 0.1;

/// Shares in a row that fit no job before the server takes the device for one that cannot hold the coinbase. A device that
/// can has accepted shares in between.
pub const MISMATCHES_MAX: u32 = 16;

/// How long the server remembers that a device cannot hold a coinbase. Trying again costs the device the time of
/// [`MISMATCHES_MAX`] shares, some 2 minutes.
pub const LESSON: Duration = Duration::from_secs(60 * 60);

/// Devices that cannot hold a coinbase, remembered: some 150 bytes each.
pub const LESSONS_MAX: usize = 1_024;

/// Vardiff's target interval between shares, in seconds: 8.6 shares per minute. That is enough to
/// measure a hashrate to 10% within ten minutes, and few enough for any device.
pub const SHARE_INTERVAL_S: f64 = 7.0;

/// Vardiff adjusts after this many shares, however short the period.
pub const VARDIFF_SHARES: u32 = 24;

/// Shortest time that vardiff takes a rate from, however many shares came in less.
pub const VARDIFF_SHORTEST: Duration = Duration::from_millis(500);

/// Vardiff adjusts after this period, however few the shares.
pub const VARDIFF_PERIOD: Duration = Duration::from_secs(90);

/// Vardiff adjusts after this period if the miner has never found a share. A miner at the right rate is silent that long
/// once in 600 times.
pub const VARDIFF_SILENCE: Duration = Duration::from_secs(45);

/// Time constant of the displayed hashrate.
pub const HASHRATE_TAU: Duration = Duration::from_secs(300);

/// Lowest difficulty that `NiceHash` accepts from a pool.
pub const NICEHASH_DIFFICULTY: f64 = 524_288.0;

/// Difficulty of a new connection, if the share target allows it: 14 shares per minute at 1 TH/s.
pub const INITIAL_DIFFICULTY: f64 = 1_024.0;

/// Version bits that a miner may roll, from
/// [BIP-0320](https://github.com/bitcoin/bips/blob/master/bip-0320.mediawiki).
pub const VERSION_MASK: u32 = 0x1fff_e000;

/// Jobs that [`crate::Client`] buffers for its user before it stops reading.
pub const CLIENT_JOBS_MAX: usize = 64;

/// How long [`crate::Client`] waits for a response.
pub const CLIENT_ANSWER: Duration = Duration::from_secs(20);
