//! Bounds of this crate, each with its unit and its reason. The API has its own in `api/limits.rs`.
//!
//! ```text
//! bitcoind.rs   calls to bitcoind, its templates, its ZMQ, and the submission of blocks
//! events.rs     the event log, its receivers, and the log
//! miners.rs     miners, their devices, and their payees
//! network.rs    peers, the address book, bans, and Tor
//! store.rs      the database and the history
//! ```

mod bitcoind;
mod events;
mod miners;
mod network;
mod store;

use std::time::Duration;

pub use bitcoind::*;
pub use events::*;
pub use miners::*;
pub use network::*;
pub use store::*;

/// Maximum size of the config file, bytes. The example with all its comments is under 16 KiB.
pub const CONFIG_BYTES_MAX: u64 = 1 << 20;

/// Calls that can wait for the engine. Most take well under a millisecond. When the queue is full, callers wait.
pub const ENGINE_QUEUE: usize = 1_024;

/// Events by which a slow listener may fall behind before it misses the oldest: minutes of shares.
pub const EVENT_QUEUE: usize = 4_096;

/// Interval between checks for signs that this node is cut off: a tenth of the shortest such state's time on mainnet.
pub const ISOLATION_LOOK: Duration = Duration::from_secs(1);

/// Interval between checks whether miners have left and their memory can be returned to the system.
pub const MEMORY_LOOK: Duration = Duration::from_secs(5);

/// Interval between progress updates while the node reads its share-chain from disk.
pub const READING_LOOK: Duration = Duration::from_millis(500);

/// Time without bitcoind's headers after which a starting node says what it waits for. A year of them takes a second.
pub const WAITING_SHOWN: Duration = Duration::from_secs(5);

/// Wait for bitcoind after which the event log reports it.
pub const WAITING_TOLD: Duration = Duration::from_secs(30);

/// Reading time after which the event log reports it. A pruned node finishes within a few seconds.
pub const READING_TOLD: Duration = Duration::from_secs(5);

/// How long a pairing link is valid, seconds: time to get a phone.
pub const PAIR_S: u32 = 3_600;

/// Maximum number of origins that may read the API. Each request is compared with all of them.
pub const CORS_ORIGINS_MAX: usize = 16;

/// Maximum number of trusted proxies in the configuration, addresses or ranges. Each request is compared with all of
/// them.
pub const TRUSTED_PROXIES_MAX: usize = 16;

/// Highest configurable request rate of one client, requests per second: more than one CPU can answer.
pub const API_REQUESTS_A_SECOND_MAX: u32 = 100_000;

/// Threads that answer API requests. One answers over a thousand requests a second, and on two processors leaves the
/// other to miners and peers.
pub const API_THREADS: usize = 1;

/// Time limit of one request by `shoal status`. A healthy node answers within milliseconds.
pub const STATUS_TIMEOUT: Duration = Duration::from_secs(10);

/// Maximum size of an answer that a command reads from the running node, bytes. A status has about 1 KiB, a payout
/// proof with 1,000 outputs 150 KiB.
pub const STATUS_BYTES_MAX: usize = 1 << 18;

/// The same for the list of bans. 5,120 bans with the longest reasons take 3 MB.
pub const BANS_ANSWER_BYTES_MAX: usize = 4 << 20;

/// The same for the list of devices. 4,096 devices with the longest names, made of quotation marks, take 11 MB.
pub const DEVICES_ANSWER_BYTES_MAX: usize = 12 << 20;

/// Time for each server to finish when the node stops. After that, its connections are cut.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(5);
