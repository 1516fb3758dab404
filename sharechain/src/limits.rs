//! Bounds on everything that the crate reads or stores, each with its unit and its reason.

/// Maximum number of ids in a link's list. It is 32 times the expected 32 shares per link, so a backlog after a surge
/// or a partition clears within minutes. A full list has 32 KiB on the wire.
pub const LIST_MAX: usize = 1_024;

/// Maximum number of hashes in a merkle branch. 2^14 transactions of the smallest size fill a Bitcoin block.
pub const BRANCH_MAX: usize = 14;

/// Maximum length of a payout script, bytes. The longest types, P2WSH and P2TR, have 34.
pub const SCRIPT_BYTES_MAX: usize = 34;

/// Minimum length of a coinbase before its last output, bytes: version, counts, input, height, tag, extranonce and one
/// output (4 + 1 + 36 + 1 + 1 + 7 + 17 + 4 + 1 + 8 + 1 + 22 = 103). Well above 64, the length of an inner merkle node.
pub const PREFIX_BYTES_MIN: u32 = 100;

/// Maximum length of a coinbase before its last output, bytes: 64 outputs of 43 bytes and the fixed parts.
pub const PREFIX_BYTES_MAX: u32 = 3_000;

/// Maximum length of an encoded proof, bytes: header 80, share header 123 + 34, extranonce 16, witness commitment 33,
/// branch 1 + 14 * 32, midstate 32, length 4, tail 63; rounded up.
pub const PROOF_BYTES_MAX: usize = 864;

/// Maximum number of held proofs. At 864 bytes each they take 3.5 MB.
pub const HELD_MAX: usize = 4_096;

/// Maximum total size of the lists stored with held proofs, bytes. Above that, a proof is held without its list; the
/// node requests the list again once the proof is valid.
pub const HELD_LIST_BYTES_MAX: usize = 4 << 20;

/// Maximum number of held proofs from one source, so that no peer can fill [`HELD_MAX`] alone.
pub const HELD_PER_SOURCE_MAX: usize = 512;

/// Maximum time that a proof is held, seconds. If its dependency is not found in ten minutes, a peer that has both will
/// send the proof again.
pub const HELD_SECONDS_MAX: u32 = 600;

/// Maximum number of remembered verdicts on invalid ids; the oldest go first. They answer queries about a share for
/// hours.
pub const REFUSED_MAX: usize = 8_192;

/// Depth below the highest tip so far, in links, down to which proofs are judged and links can become complete. Shares
/// and lists stay in memory to this depth plus the listing depth. That is far above the finality bound, and takes 30 MB
/// at 33 proofs per link and about 400 bytes each.
pub const MEMORY_DEPTH: u32 = 2_000;

/// How far a share header's time may be ahead of the node's clock before the proof is held, seconds.
pub const FUTURE_SECONDS: u32 = 30;

/// How far a Bitcoin header's time may be ahead of the node's clock, seconds, as in Bitcoin Core.
pub const BITCOIN_FUTURE_SECONDS: u32 = 7_200;

/// A link must list every listable share that this node validated more than this long before the link's time, or before
/// the link's arrival if that is earlier, seconds. Otherwise this node does not build on the link (policy).
pub const OMISSION_SECONDS: u32 = 30;

/// Number of blocks that this node's bitcoind must gain before a link can be final (policy).
pub const FINAL_BITCOIN_BLOCKS: u32 = 3;

/// Number of links that must be validated on top of a link before it can be final (policy).
pub const FINAL_LINKS: u32 = 360;

/// Number of cached selections. All proofs with the same Bitcoin tip and the same snapshot share one.
pub const SELECTIONS_MAX: usize = 64;

/// Number of cached output lists, one per job template of the nodes that found a proof recently. At 48 outputs, 4 KB
/// each.
pub const AMOUNTS_MAX: usize = 64;

/// Number of cached windows: the newest snapshots of recent branches. At 10,000 scripts, 0.3 MB each.
pub const WINDOWS_MAX: usize = 4;

/// Maximum number of ids in a locator: 10 consecutive ids, then ids at doubling distances. 64 ids span 2^54 links.
pub const LOCATOR_MAX: usize = 64;
