//! Every bound of this crate, with its unit and its reason.

use std::time::Duration;

/// Weight of a block, BIP-0141; a template that allows more is wrong.
pub const BLOCK_WEIGHT_MAX: u64 = 4_000_000;

/// Cost of a block's signature operations, BIP-0141.
pub const BLOCK_SIGOPS_COST_MAX: u64 = 80_000;

/// Job templates on which late work is credited: twice the 64 jobs that a Stratum session remembers, since not every
/// session fetches every template.
pub const JOB_TEMPLATES_MAX: usize = 128;

/// Bytes of the templates behind remembered job templates: more than thirty full blocks.
pub const JOB_TEMPLATES_BYTES_MAX: usize = 64 << 20;

/// Time after which miners get a newer job though nothing forces it: shares gather that the next link should list.
pub const JOB_INTERVAL: Duration = Duration::from_secs(20);

/// Time after which a job template is tried again when none could be made: most of what is missing arrives by itself.
pub const JOB_RETRY: Duration = Duration::from_secs(1);

/// Links by which peers may be ahead of a node that has once been in sync before its miners are stopped: shares on
/// older parents keep their credit for longer than that.
pub const SYNC_GAP_LINKS: u32 = 30;

/// Bitcoin headers that bitcoind is asked for in one go because proofs wait for them.
pub const HEADER_LOOKUPS_MAX: usize = 16;

/// Blocks by which bitcoind's tip must be above a header beside its chain before the header alone decides.
pub const STALE_HEADER_DEPTH: u32 = 2;

/// Blocks below the own tip down to which a peer's Bitcoin block may still matter; older ones would only cost traffic.
pub const BLOCK_DEPTH_MAX: u32 = 6;

/// Requests to peers whose answers are awaited; the sync machine keeps far fewer under way.
pub const REQUESTS_MAX: usize = 1_024;

/// Links or proofs of one response that are given to the chain in one call of the engine: each takes well under a
/// millisecond as a rule, and a response has up to 256.
pub const ITEMS_A_TURN: usize = 16;

/// Peers that have a number by which the chain knows what they brought; the oldest numbers are forgotten first.
pub const SOURCES_MAX: usize = 1_024;

/// Gossip that the chain holds and whose forwarding waits for it; the rest is not forwarded by this node.
pub const UNDECIDED_MAX: usize = 512;
