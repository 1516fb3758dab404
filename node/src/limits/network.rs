//! Bounds of peers, the address book, bans, and Tor.

use std::time::Duration;

/// Maximum number of listening addresses for other nodes: IPv4, IPv6, and a few more for unusual networks.
pub const P2P_LISTEN_MAX: usize = 8;

/// Maximum number of configured peers. The node keeps dialing each one until it is connected.
pub const P2P_PEERS_MAX: usize = 64;

/// Maximum number of external addresses. Each takes two of the eight addresses in a node record.
pub const EXTERNAL_MAX: usize = 4;

/// Default upload limit to peers, bytes per second. Twenty-four identities once drew 34 MB/s, which took up to 72% of a
/// processor.
pub const MAX_UPLOAD: u64 = 10_000_000;

/// Peer requests that can wait to be answered. Further ones are rejected.
pub const SERVE_QUEUE: usize = 64;

/// Age of the newest link at which the node looks for better peers: 60 link intervals.
pub const TIP_STALE: Duration = Duration::from_secs(600);

/// Interval between checks whether the address book must be written.
pub const BOOK_LOOK: Duration = Duration::from_secs(5);

/// Interval between writes of the address book, the same as in Bitcoin Core: at 300 KB for 1,000 nodes, 29 MB a day.
pub const BOOK_PAUSE: Duration = Duration::from_secs(900);

/// The same while the book has fewer than [`BOOK_YOUNG`] reached nodes, so that a new node's knowledge survives its
/// first crash.
pub const BOOK_YOUNG_PAUSE: Duration = Duration::from_secs(10);

/// Number of reached nodes below which an address book is young.
pub const BOOK_YOUNG: usize = 64;

/// Maximum size of the file of added peers, bytes. 64 of the longest addresses take 33 kB.
pub const MANUAL_BYTES_MAX: u64 = 64 << 10;

/// Maximum length of an added peer's address, characters: a DNS name of 253, a relay's key, and the peer's own.
pub const ADDRESS_CHARS_MAX: usize = 512;

/// Maximum size of the file of bans, bytes. 5,120 bans with the longest reasons take 3 MB.
pub const BANS_BYTES_MAX: u64 = 8 << 20;

/// Pause between two writes of the file of bans.
pub const BANS_PAUSE: Duration = Duration::from_secs(1);

/// Default and maximum length of a ban by the operator, seconds: a day as in Bitcoin Core, and ten years.
pub const BAN_S: (u64, u64) = (86_400, 315_360_000);

/// Maximum size of the file with the onion service's key, bytes. Tor writes about 100.
pub const ONION_KEY_BYTES_MAX: u64 = 1024;

/// Maximum length of a line from Tor's control port, bytes. The longest holds a path or a key.
pub const TOR_LINE_BYTES_MAX: usize = 4096;

/// Maximum number of lines in one reply from Tor's control port. The longest expected reply has five.
pub const TOR_REPLY_LINES_MAX: usize = 32;

/// Time limit of one reply from Tor's control port, which is on this machine.
pub const TOR_TIMEOUT: Duration = Duration::from_secs(10);

/// Pause before the node sets up its onion service again.
pub const TOR_PAUSE: Duration = Duration::from_secs(5);
