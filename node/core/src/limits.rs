//! Every bound of this crate, with its unit and its reason.

use std::time::Duration;

use sharechain::limits::MEMORY_DEPTH;

/// Maximum weight of a block (BIP-0141), weight units. A template that allows more is wrong.
pub const BLOCK_WEIGHT_MAX: u64 = 4_000_000;

/// Maximum signature operation cost of a block (BIP-0141).
pub const BLOCK_SIGOPS_COST_MAX: u64 = 80_000;

/// Job templates for which late work is credited: twice the 64 jobs that a Stratum session remembers, since not every
/// session fetches every template. Each takes 8 KB besides its block template; with 1,000 payouts 0.15 MB, 20 MB together.
pub const JOB_TEMPLATES_MAX: usize = 128;

/// Bytes of the block templates of recent job templates: more than thirty full blocks.
pub const JOB_TEMPLATES_BYTES_MAX: usize = 64 << 20;

/// Time after which miners get a newer job even if nothing else changed: new shares accumulate, and the next link
/// should list them.
pub const JOB_INTERVAL: Duration = Duration::from_secs(20);

/// Time until the next attempt when no job template could be built: most missing inputs arrive on their own.
pub const JOB_RETRY: Duration = Duration::from_secs(1);

/// Links by which peers may be ahead of a node that has been in sync before its miners stop. Shares on older parents
/// keep their credit for longer than that.
pub const SYNC_GAP_LINKS: u32 = 30;

/// Links below the tip whose proofs and lists the store keeps: the memory depth, what lists may name below it, and a day
/// more, so that a newcomer is not outrun while it fetches them.
pub const KEEP_LINKS: u32 = MEMORY_DEPTH + 303 + 8_640;

/// Records that the store forgets in one step. There are two steps a second, and 33 new records in ten.
pub const FORGET_RECORDS: usize = 64;

/// Bytes of one record of a block's window. One of 10,000 scripts has 0.3 MB; only a pool whose miners split into more than
/// 30,000 scripts needs a second record.
pub const WINDOW_PART_BYTES: usize = 1 << 20;

/// Bytes of the windows of the pool's Bitcoin blocks that a node keeps for payout proofs; the oldest go first, unless it
/// keeps everything. These are 200 blocks of a pool with 10,000 scripts, and 2,000 of one with 1,000. The disk of a node that
/// forgets stays flat: it reaches this within months, and it is a small part of what the window takes.
pub const WINDOWS_BYTES_MAX: u64 = 64 << 20;

/// Bitcoin headers that are looked up in bitcoind at the same time because proofs wait for them.
pub const HEADER_LOOKUPS_MAX: usize = 16;

/// Blocks by which a header off bitcoind's active chain must be below its tip to count on headers alone.
pub const STALE_HEADER_DEPTH: u32 = 2;

/// Maximum depth in blocks below this node's tip at which a peer's Bitcoin block may still matter. Older ones would
/// only cost traffic.
pub const BLOCK_DEPTH_MAX: u32 = 6;

/// Outstanding requests to peers. The sync machine keeps far fewer.
pub const REQUESTS_MAX: usize = 1_024;

/// Links or proofs of one response that the chain gets in one call of the engine. Each usually takes well under a
/// millisecond, and a response has up to 256.
pub const ITEMS_A_TURN: usize = 16;

/// Links of one header chain: twice the eight days that a newcomer needs on mainnet. See
/// [`FOLLOWED_MAX`](p2p_proto::limits::FOLLOWED_MAX) for what they take.
pub const HEADER_LINKS_MAX: usize = 1 << 17;

/// Depth below Bitcoin's best block, in blocks, from which on the work of header chains counts when a newcomer chooses:
/// eight days.
pub const WORK_BITCOIN_BLOCKS: u32 = 1_200;

/// Number of Bitcoin's last blocks on which a header chain must have a link for a newcomer to choose it: six hours.
pub const FRESH_BITCOIN_BLOCKS: u32 = 36;

/// Proofs that the engine stores in one batch when a newcomer starts: less than 1 MB.
pub const PROOFS_A_BATCH: usize = 1_000;

/// Peers that have a number by which the chain knows what they sent. The oldest numbers are forgotten first.
pub const SOURCES_MAX: usize = 1_024;

/// Gossip messages whose forwarding waits for a held proof. This node does not forward the rest.
pub const UNDECIDED_MAX: usize = 512;
