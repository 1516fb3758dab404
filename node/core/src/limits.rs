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

/// Average link intervals without peers after which work for the pool ends: five minutes on mainnet. A share earns nothing
/// once 240 links have passed since its anchor, which is up to 60 links below it. So work of the first 30 links still
/// earns if a peer comes back within another 150, and later work would be bet on an ever shorter rest. A node that is so
/// many links behind its peers also stops: [`SYNC_GAP_LINKS`].
pub const ALONE_LINKS: u32 = SYNC_GAP_LINKS;

/// Average link intervals for which peers must be gone, or back, to count as such: half a minute on mainnet. A peer that
/// comes and goes does not start the count anew.
pub const STEADY_LINKS: u32 = 3;

/// Average link intervals without a link that are no chance: once in 10^26 links.
pub const QUIET_LINKS: u32 = 60;

/// Links of the pool's hashrate now: ten minutes on mainnet, one half-life of its targets.
pub const RATE_LINKS: u32 = 60;

/// Links of the pool's usual hashrate: a day on mainnet.
pub const DAY_LINKS: u32 = 8_640;

/// Links below which there is no usual hashrate: two hours on mainnet.
pub const DAY_LINKS_MIN: u32 = 720;

/// Links whose shares are counted: 7,680 shares on mainnet, of which chance takes or adds 4% at most.
pub const SHARE_RATE_LINKS: u32 = 240;

/// Chances to be listed after which a share is left out: two minutes of other miners' links on mainnet.
pub const CHANCES: u32 = 12;

/// Judged shares of this node from which on they say something. Below, one late share would be half of them.
pub const OWN_JUDGED: u32 = 4;

/// Shares of this node that are watched until they are listed: ten times a list. The oldest are forgotten first; 2 MB.
pub const OWN_SHARES_MAX: usize = 10_240;

/// Median age of other miners' links, seconds, from which on this clock must be ahead: jobs are renewed every 20 s. A
/// share that is dated 30 s ahead is held by others, and a link that is dated late seems to leave shares out.
pub const CLOCK_AHEAD_S: i64 = 45;

/// Median age of other miners' links below 0, seconds, from which on this clock must be behind.
pub const CLOCK_BEHIND_S: i64 = 15;

/// Difference from bitcoind's clock, or of bitcoind's clock from its peers', seconds, that is worth a warning. Bitcoin
/// Core warns at 600, but shares are held from 30 on.
pub const CLOCK_OFF_S: i64 = 60;

/// Free bytes on the disk of the data folder below which the node warns. A pruned node's database grows by less than this
/// in a year, and a full disk stops it.
pub const DISK_LOW_BYTES: u64 = 2 << 30;

/// Blocks by which bitcoind must be behind the median of its node's peers. One is usual for seconds.
pub const BITCOIND_BEHIND_BLOCKS: u32 = 2;

/// Peers that must all be newer before this node says that it is old.
pub const NEWER_PEERS: usize = 3;
// --- Relay of found blocks ------------------------------------------------------------------------------------------

/// Block templates whose transactions a block is built from: bitcoind offers a new one about once a minute.
pub const KNOWN_TEMPLATES_MAX: usize = 8;

/// Bytes of these templates: four of the largest. They are also in [`JOB_TEMPLATES_BYTES_MAX`] as a rule.
pub const KNOWN_BYTES_MAX: usize = 16 << 20;

/// Bitcoin blocks of the pool that a node remembers having relayed, so that it relays no more than two announcements of
/// each. They are from the last [`BLOCK_DEPTH_MAX`] heights, and each costs a block's work and a valid share.
pub const RELAYED_MAX: usize = 64;

/// Bitcoin blocks that a node fetches at the same time. Each takes at most [`FETCH_BYTES_MAX`] and four announcements. The
/// lowest one gives way.
pub const FETCHING_MAX: usize = 4;

/// Bytes of a block that peers sent, before it is whole: one largest block.
pub const FETCH_BYTES_MAX: usize = p2p_proto::limits::BLOCK_BYTES_MAX;

/// Different announcements of one block that a node keeps until the block is whole, 100 KB each. All but one are forged.
pub const VARIANTS_MAX: usize = 4;

/// Different announcements of one block that a peer may forward: the first, and the first that is proven.
pub const VARIANTS_PER_PEER_MAX: u8 = 2;

/// Announcements that wait for their share, whose judgment waits for something: 100 KB each.
pub const HELD_ANNOUNCEMENTS_MAX: usize = 8;

/// Requests for one block in flight: one peer in time, and two that are late.
pub const BLOCK_REQUESTS_MAX: usize = 3;

/// Time after which the next peer is asked for transactions, milliseconds: a few round trips, and what a peer needs that has
/// to fetch them itself.
pub const TRANSACTIONS_PATIENCE_MS: u64 = 2_000;

/// Time after which another peer is asked for a piece, milliseconds: 512 KiB at 1 Mbit/s.
pub const PIECE_PATIENCE_MS: u64 = 5_000;

/// Pause before the same peers are asked again, milliseconds. Doubles each time, up to [`BLOCK_RETRY_MS_MAX`].
pub const BLOCK_RETRY_MS: u64 = 1_000;

/// Longest pause before the same peers are asked again, milliseconds: some ten rounds until [`FETCH_MS_MAX`].
pub const BLOCK_RETRY_MS_MAX: u64 = 120_000;

/// Time after which a node gives a block up, milliseconds: Bitcoin has it, or has another one.
pub const FETCH_MS_MAX: u64 = 600_000;

/// Time that a share which is a Bitcoin block waits for its announcement before the block is fetched without, milliseconds.
pub const ANNOUNCEMENT_WAIT_MS: u64 = 5_000;

/// Shares that wait so. The oldest goes first.
pub const EXPECTED_MAX: usize = 16;

/// Bytes of whole blocks for peers: four of the largest.
pub const SHELF_BYTES_MAX: usize = 16 << 20;

/// Requests of peers that wait for a block on its way here.
pub const BLOCK_WAITING_MAX: usize = 64;

/// Requests of one peer that wait so.
pub const BLOCK_WAITING_PER_PEER_MAX: usize = 2;

/// How long they wait, milliseconds. See [`TRANSACTIONS_PATIENCE_MS`].
pub const BLOCK_WAIT_MS: u64 = 4_000;
