//! Every bound of this crate, with its unit and its reason.

use std::time::Duration;

use sharechain::limits::MEMORY_DEPTH;

/// Maximum weight of a block (BIP-0141), weight units. A template that allows more is wrong.
pub const BLOCK_WEIGHT_MAX: u64 = 4_000_000;

/// Maximum signature operation cost of a block (BIP-0141).
pub const BLOCK_SIGOPS_COST_MAX: u64 = 80_000;

/// Job templates for which late work is credited: twice the 64 jobs that a Stratum session remembers, since not every
/// session fetches every template. Each takes 8 KB besides its block template; with 1,000 payouts, 0.15 MB, in total 20
/// MB.
pub const JOB_TEMPLATES_MAX: usize = 128;

/// Maximum size of the block templates of recent job templates, bytes: more than thirty full blocks.
pub const JOB_TEMPLATES_BYTES_MAX: usize = 64 << 20;

/// Interval after which miners get a newer job even if nothing else has changed: new shares accumulate, and the next
/// link should list them.
pub const JOB_INTERVAL: Duration = Duration::from_secs(20);

/// Pause before the next attempt when no job template could be built: most missing inputs arrive on their own.
pub const JOB_RETRY: Duration = Duration::from_secs(1);

/// Links by which peers may be ahead of a node that has been in sync before its miners stop. Shares on older parents
/// keep their credit for longer than that.
pub const SYNC_GAP_LINKS: u32 = 30;

/// Links below the tip whose proofs and lists the store keeps: the memory depth, the listing depth, and a day more, so
/// that they do not disappear while a newcomer fetches them.
pub const KEEP_LINKS: u32 = MEMORY_DEPTH + 303 + 8_640;

/// Records that the store forgets in one step. There are two steps per second, and 33 new records per ten seconds.
pub const FORGET_RECORDS: usize = 64;

/// Maximum size of one record of a block's window, bytes. A window of 10,000 scripts has 0.3 MB; only a pool with more
/// than 30,000 scripts needs a second record.
pub const WINDOW_PART_BYTES: usize = 1 << 20;

/// Maximum size of the windows of the pool's Bitcoin blocks that a node keeps for payout proofs, bytes; the oldest are
/// dropped first, unless it keeps everything. That is enough for 200 blocks of a pool with 10,000 scripts, and 2,000 of
/// one with 1,000. It bounds the disk use of a pruned node, and is small beside the PPLNS window.
pub const WINDOWS_BYTES_MAX: u64 = 64 << 20;

/// Maximum number of Bitcoin headers being looked up in bitcoind at a time because proofs wait for them.
pub const HEADER_LOOKUPS_MAX: usize = 16;

/// Blocks by which a header off bitcoind's active chain must be below its tip to count on headers alone.
pub const STALE_HEADER_DEPTH: u32 = 2;

/// Maximum depth below this node's Bitcoin tip, in blocks, at which a peer's Bitcoin block may still matter. Older ones
/// would only cost traffic.
pub const BLOCK_DEPTH_MAX: u32 = 6;

/// Maximum number of outstanding requests to peers. The sync machine keeps far fewer.
pub const REQUESTS_MAX: usize = 1_024;

/// Links or proofs of a response that one call of the engine processes. Each usually takes well under a millisecond,
/// and a response has up to 256.
pub const ITEMS_A_TURN: usize = 16;

/// Maximum number of links in one header chain: twice the eight days that a newcomer needs on mainnet. See
/// [`FOLLOWED_MAX`](p2p_proto::limits::FOLLOWED_MAX) for their size.
pub const HEADER_LINKS_MAX: usize = 1 << 17;

/// Depth below Bitcoin's best block, in blocks, down to which the work of header chains counts in a newcomer's choice:
/// eight days.
pub const WORK_BITCOIN_BLOCKS: u32 = 1_200;

/// Number of Bitcoin's last blocks on one of which a header chain must have a link for a newcomer to choose it: six
/// hours.
pub const FRESH_BITCOIN_BLOCKS: u32 = 36;

/// Bitcoin headers that the engine stores at its start, from bitcoind's tip down: a day of them. Deeper blocks stay.
pub const HEADERS_KEPT: usize = 144;

/// Proofs per batch that the engine stores when a newcomer starts: less than 1 MB.
pub const PROOFS_A_BATCH: usize = 1_000;

/// Maximum number of tip changes kept from a replay: three hours of main's links, more than the archive's queue can be behind.
pub const REPLAYED_TIPS_MAX: usize = 1_000;

/// Maximum number of peers with a number that identifies them to the chain. The oldest numbers are dropped first.
pub const SOURCES_MAX: usize = 1_024;

/// Maximum number of gossip messages whose forwarding waits for a held proof. This node does not forward the rest.
pub const UNDECIDED_MAX: usize = 512;

/// Average link intervals without peers after which work for the pool ends: five minutes on mainnet. A share earns
/// nothing once 240 links have passed since its anchor, which is up to 60 links below it. So work of the first 30 links
/// still earns if a peer comes back within another 150, while later work would have ever less time left. A node that is
/// this many links behind its peers also stops: [`SYNC_GAP_LINKS`].
pub const ALONE_LINKS: u32 = SYNC_GAP_LINKS;

/// Average link intervals for which peers must be gone, or back, to count as such: half a minute on mainnet. A flapping
/// peer does not restart the count.
pub const STEADY_LINKS: u32 = 3;

/// Average link intervals without a link beyond which it cannot be chance: once in 10^26 links.
pub const QUIET_LINKS: u32 = 60;

/// Links over which the pool's current hashrate is measured: ten minutes on mainnet, one half-life of its targets.
pub const RATE_LINKS: u32 = 60;

/// Links over which the pool's usual hashrate is measured: a day on mainnet.
pub const DAY_LINKS: u32 = 8_640;

/// Minimum number of links for a usual hashrate: two hours on mainnet.
pub const DAY_LINKS_MIN: u32 = 720;

/// Links over which the share rate is measured: 7,680 shares on mainnet, a number that chance changes by at most 4%.
pub const SHARE_RATE_LINKS: u32 = 240;

/// Missed chances after which a share counts as left out: two minutes of other miners' links on mainnet.
pub const CHANCES: u32 = 12;

/// Minimum number of this node's judged shares for a verdict. With fewer, one late share would be half of them.
pub const OWN_JUDGED: u32 = 4;

/// Maximum number of this node's shares that are watched until they are listed: ten times a list, 2 MB. The oldest are
/// dropped first.
pub const OWN_SHARES_MAX: usize = 10_240;

/// Median age of other miners' links above which this clock must be ahead, seconds: jobs are renewed every 20 s. Other
/// nodes hold a share dated 30 s ahead, and a link dated late seems to leave shares out.
pub const CLOCK_AHEAD_S: i64 = 45;

/// Median age of other miners' links, below 0, at which this clock must be behind, seconds.
pub const CLOCK_BEHIND_S: i64 = 15;

/// Difference from bitcoind's clock, or between bitcoind's clock and its peers', that causes a warning, seconds.
/// Bitcoin Core warns at 600, but nodes hold shares that are 30 ahead.
pub const CLOCK_OFF_S: i64 = 60;

/// Error of this clock above which no work counts, seconds: other nodes hold a share until its time is
/// [`FUTURE_SECONDS`](sharechain::limits::FUTURE_SECONDS) ahead, and drop it after
/// [`HELD_SECONDS_MAX`](sharechain::limits::HELD_SECONDS_MAX). A node that is behind drops their shares in the same way.
pub const CLOCK_WRONG_S: i64 = 630;

/// Free space on the disk of the data folder below which the node warns, bytes. A pruned node's database grows by less
/// than this in a year, and a full disk stops it.
pub const DISK_LOW_BYTES: u64 = 2 << 30;

/// Blocks by which bitcoind must be behind the median of its node's peers to count as behind. One is normal for
/// seconds.
pub const BITCOIND_BEHIND_BLOCKS: u32 = 2;

/// Minimum number of peers that must all be newer before this node reports that it is outdated.
pub const NEWER_PEERS: usize = 3;
// --- Relay of found blocks ------------------------------------------------------------------------------------------

/// Number of block templates from whose transactions blocks are built: bitcoind offers a new one about once a minute.
pub const KNOWN_TEMPLATES_MAX: usize = 8;

/// Maximum size of these templates, bytes: four of the largest. [`JOB_TEMPLATES_BYTES_MAX`] usually counts them, too.
pub const KNOWN_BYTES_MAX: usize = 16 << 20;

/// Maximum number of the pool's Bitcoin blocks that a node remembers having relayed, so that it relays at most two
/// announcements of each. They are from the last [`BLOCK_DEPTH_MAX`] heights, and each costs a block's work and a valid
/// share.
pub const RELAYED_MAX: usize = 64;

/// Maximum number of Bitcoin blocks being fetched at a time. Each takes at most [`FETCH_BYTES_MAX`] and four
/// announcements. The lowest one makes room.
pub const FETCHING_MAX: usize = 4;

/// Maximum size of the received parts of an incomplete block, bytes: one largest block.
pub const FETCH_BYTES_MAX: usize = p2p_proto::limits::BLOCK_BYTES_MAX;

/// Maximum number of different announcements of one block kept until the block is complete, 100 KB each. All but one
/// are forged.
pub const VARIANTS_MAX: usize = 4;

/// Maximum number of different announcements of one block that a peer may forward: the first, and the first proven one.
pub const VARIANTS_PER_PEER_MAX: u8 = 2;

/// Maximum number of announcements whose share is held, 100 KB each.
pub const HELD_ANNOUNCEMENTS_MAX: usize = 8;

/// Maximum number of requests in flight for one block: one peer within its time, and two that are late.
pub const BLOCK_REQUESTS_MAX: usize = 3;

/// Time after which the next peer is asked for transactions, milliseconds: a few round trips, and time for a peer that
/// has to fetch them itself.
pub const TRANSACTIONS_PATIENCE_MS: u64 = 2_000;

/// Time after which another peer is asked for a piece, milliseconds: 512 KiB at 1 Mbit/s.
pub const PIECE_PATIENCE_MS: u64 = 5_000;

/// Pause before the same peers are asked again, milliseconds. Doubles each time, up to [`BLOCK_RETRY_MS_MAX`].
pub const BLOCK_RETRY_MS: u64 = 1_000;

/// Longest pause before the same peers are asked again, milliseconds: about ten rounds within [`FETCH_MS_MAX`].
pub const BLOCK_RETRY_MS_MAX: u64 = 120_000;

/// Time after which a node gives up on a block, milliseconds: by then, Bitcoin has it, or another one.
pub const FETCH_MS_MAX: u64 = 600_000;

/// How long a share that is a Bitcoin block waits for its announcement before the node fetches the block without one,
/// milliseconds.
pub const ANNOUNCEMENT_WAIT_MS: u64 = 5_000;

/// Maximum number of such shares. The oldest is dropped first.
pub const EXPECTED_MAX: usize = 16;

/// Maximum size of the blocks kept for peers, bytes: four of the largest.
pub const SHELF_BYTES_MAX: usize = 16 << 20;

/// Maximum number of peer requests that wait for a block being fetched.
pub const BLOCK_WAITING_MAX: usize = 64;

/// Maximum number of such requests from one peer.
pub const BLOCK_WAITING_PER_PEER_MAX: usize = 2;

/// How long such requests wait, milliseconds. See [`TRANSACTIONS_PATIENCE_MS`].
pub const BLOCK_WAIT_MS: u64 = 4_000;
