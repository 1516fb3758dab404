//! Bounds of calls to bitcoind, its templates, its ZMQ, and the submission of blocks.

use std::time::Duration;

/// Maximum number of bitcoinds besides the first. Each costs one long poll, and one template per change.
pub const BITCOIND_FALLBACKS_MAX: usize = 4;

/// Highest configurable time limit of one call to bitcoind, seconds. No useful answer takes longer.
pub const BITCOIND_TIMEOUT_S_MAX: u64 = 600;

/// Maximum size of an ordinary answer from bitcoind, bytes. A batch of [`HEADER_BATCH`] headers has about 200 KiB.
pub const RPC_ANSWER_BYTES_MAX: usize = 2 << 20;

/// Maximum size of a block template, bytes. A full block has 4 MB, twice that in hex, and the field names of 16,000
/// small transactions add 5 MB.
pub const TEMPLATE_ANSWER_BYTES_MAX: usize = 24 << 20;

/// Maximum number of transactions in a template. None weighs less than 240 units (60 bytes without a witness).
pub const TEMPLATE_TRANSACTIONS_MAX: usize = node_core::limits::BLOCK_WEIGHT_MAX as usize / 240;

/// Maximum size of a cookie file, bytes. bitcoind writes 75.
pub const COOKIE_BYTES_MAX: u64 = 4096;

/// Maximum size of a file with certificate authorities, bytes. The system's whole collection is under 300 KiB.
pub const CA_BYTES_MAX: u64 = 1 << 20;

/// Length to which errors and log lines cut bitcoind's own messages, characters.
pub const REASON_CHARS_MAX: usize = 300;

/// Bytes read of the answer of a bitcoind whose request queue is full. Its sentence has 26.
pub const BUSY_ANSWER_BYTES_MAX: usize = 4096;

/// Pause before a bitcoind whose request queue is full is asked once more.
pub const BUSY_PAUSE: Duration = Duration::from_millis(100);

/// Headers fetched in one batch. bitcoind returns 500 in about 10 ms.
pub const HEADER_BATCH: u32 = 500;

/// Time limit for connecting to bitcoind, which is on this machine or in its network.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an idle connection to bitcoind stays open. bitcoind itself closes it after 30 s.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Time limit of a long poll. bitcoind answers when its tip changes, or after a minute if its mempool has changed. A
/// poll whose client hung up still occupies one of bitcoind's workers, so polls are not cut short; the heartbeat
/// notices when bitcoind is gone.
pub const LONG_POLL_TIMEOUT: Duration = Duration::from_secs(3600);

/// Time limit of a block submission or a proposal, in which bitcoind validates the whole block.
pub const SUBMIT_TIMEOUT: Duration = Duration::from_secs(120);

/// Interval between checks of bitcoind's tip during a long poll.
pub const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(3);

/// Time limit of such a check. bitcoind answers within milliseconds, except while it connects a block, which takes old
/// machines seconds.
pub const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the node retries a failed call before it gives up bitcoind's templates. Together with the two limits above,
/// a hung bitcoind is noticed within 13 s.
pub const RECHECK_LIMIT: Duration = Duration::from_secs(5);

/// Pause between these retries. By then, a proxy has restarted or a full queue has emptied.
pub const RECHECK_PAUSE: Duration = Duration::from_millis(500);

/// Retries of calls that fail at once, so that a stopped bitcoind is noticed within a second.
pub const RECHECKS: usize = 2;

/// How long bitcoind may take to make the template on a new tip before miners get an empty one.
pub const FULL_TEMPLATE_WAIT: Duration = Duration::from_millis(5);

/// How long a bitcoind must have worked before it replaces a later one with the same work, so that a flapping bitcoind
/// does not move all miners each time.
pub const RETURN_AFTER: Duration = Duration::from_secs(10);

/// How long a block that one bitcoind did not accept waits for the verdicts of the others.
pub const VERDICTS_WAIT: Duration = Duration::from_secs(5);

/// Maximum size of a ZMQ frame, bytes. A hash has 32, its sequence number 4, and a handshake's properties under 100.
pub const ZMQ_FRAME_BYTES_MAX: usize = 512;

/// Maximum number of frames in a ZMQ message. bitcoind sends three.
pub const ZMQ_FRAMES_MAX: usize = 8;

/// Time limit of ZMQ's connection and handshake.
pub const ZMQ_TIMEOUT: Duration = Duration::from_secs(5);

/// Silence after which the node reconnects to ZMQ: on main, six blocks.
pub const ZMQ_SILENCE: Duration = Duration::from_secs(3600);

/// Interval between template requests if bitcoind offers no long poll, or answers it at once.
pub const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Interval between queries for bitcoind's connections and clock. Both matter only after minutes.
pub const BITCOIND_LOOK: Duration = Duration::from_secs(60);

/// Shortest and longest pause between attempts to reach bitcoind.
pub const RETRY_PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

/// Bitcoin blocks whose verdict is kept: a week of all Bitcoin blocks, and under 200 KB per write.
pub const SUBMISSIONS_MAX: usize = 1_024;

/// Attempts to submit a Bitcoin block while bitcoind is unreachable: about two minutes, after which the block is stale.
pub const SUBMIT_ATTEMPTS: usize = 30;

/// Maximum number of blocks from peers in submission at a time. Each holds its bytes and a connection to bitcoind.
pub const SUBMITTING_MAX: usize = 16;

/// Bitcoin blocks of this node's miners kept in full for resubmission: at most 1 GB, and more than all Bitcoin blocks
/// of [`FULL_BLOCKS_DEPTH`].
pub const FULL_BLOCKS_MAX: usize = 256;

/// Depth at which the node stops resubmitting a block of its miners, in Bitcoin blocks: its coins can be spent by then.
pub const FULL_BLOCKS_DEPTH: u32 = 100;
