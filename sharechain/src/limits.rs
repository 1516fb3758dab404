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

/// Maximum length of a null data script, bytes: OP_RETURN, a push of 80 bytes and its two length bytes, the size that
/// Bitcoin nodes have relayed since 2015.
pub const NULL_DATA_BYTES_MAX: usize = 83;

/// Maximum length of a coinbase before its last output, bytes, that a proof can state: what a field of a Stratum v2 job
/// holds. Each network has a constant of its own below it, [`prefix_bytes_max`](crate::ChainParams::prefix_bytes_max).
pub const PREFIX_BYTES_MAX: u32 = 65_535;

/// Maximum length of an encoded proof, bytes: header 80, share header 156 + 34 + 83, extranonce 16, witness commitment
/// 33, branch 1 + 14 * 32, midstate 32, length 4, tail 63; rounded up.
pub const PROOF_BYTES_MAX: usize = 960;

/// Maximum number of held proofs. At 960 bytes each they take 4 MB.
pub const HELD_MAX: usize = 4_096;

/// Maximum total size of the lists stored with held proofs, bytes. Above that, a proof is held without its list; the
/// node requests the list again once the proof is valid.
pub const HELD_LIST_BYTES_MAX: usize = 4 << 20;

/// Maximum number of held proofs from one source, so that no peer can fill [`HELD_MAX`] alone.
pub const HELD_PER_SOURCE_MAX: usize = 512;

/// Maximum time that a proof is held, seconds. If its dependency is not found in ten minutes, a peer that has both will
/// send the proof again.
pub const HELD_SECONDS_MAX: u32 = 600;

/// Maximum number of remembered verdicts on invalid ids; the oldest are dropped first. They answer queries about a
/// share for hours.
pub const REFUSED_MAX: usize = 8_192;

/// Depth below the highest tip so far, in links, down to which proofs are judged and links can become complete: eight
/// hours on mainnet. Shares and lists stay in memory to this depth plus the listing depth. That leaves two hours to
/// fetch a branch that split off [`CONFLICT_LINKS`] ago, and takes 45 MB at 33 proofs per link and about 400 bytes
/// each.
pub const MEMORY_DEPTH: u32 = 2_880;

/// Maximum depth below the tip, in links, at which a branch may leave the main chain and still be followed: a day on
/// mainnet. Links and the rows of their windows stay to this depth. A branch in conflict may grow for that long before
/// it wins.
pub const STATE_DEPTH: u32 = 8_640;

/// Depth below the tip, in links, of the last link that a newcomer accepts from verified rows; it judges everything
/// above in full. At least the memory depth of version 1: five and a half hours on mainnet.
pub const NEWCOMER_DEPTH: u32 = 2_000;

/// Maximum number of links off the main chain. Each cost the work of a link, and each takes about 700 bytes. That is
/// three times the longest branch that is judged.
pub const SIDE_LINKS_MAX: usize = 8_192;

/// How far a share header's time may be ahead of the node's clock before the proof is held, seconds.
pub const FUTURE_SECONDS: u32 = 30;

/// How far a Bitcoin header's time may be ahead of the node's clock, seconds, as in Bitcoin Core.
pub const BITCOIN_FUTURE_SECONDS: u32 = 7_200;

/// A link must list every listable share that this node validated more than this long before the link's time, or before
/// the link's arrival if that is earlier, seconds. Otherwise this node does not build on the link (policy).
pub const OMISSION_SECONDS: u32 = 30;

/// Number of blocks that this node's bitcoind must gain before a link can be settled (policy).
pub const SETTLED_BITCOIN_BLOCKS: u32 = 3;

/// Number of links that must be validated on top of a link before it can be settled (policy).
pub const SETTLED_LINKS: u32 = 360;

/// Maximum depth below the tip, in links, at which a branch may have split off for this node to switch to it
/// automatically: six hours on mainnet (policy).
pub const CONFLICT_LINKS: u32 = 2_160;

/// Number of Bitcoin blocks over which a branch must gain more than this node's own before the node switches (policy):
/// three hours.
pub const CONFLICT_BITCOIN_BLOCKS: u32 = 18;

/// Number of Bitcoin blocks within which a link must be complete here after its own block, to count for its branch in a
/// conflict (policy): enough time to fetch it, but not to hide it.
pub const VISIBLE_BITCOIN_BLOCKS: u32 = 1;

/// Maximum number of branches in conflict that are tracked; the lightest are dropped first.
pub const CONFLICTS_MAX: usize = 8;

/// Number of cached selections. All proofs with the same Bitcoin tip and the same snapshot share one. An output takes
/// about 100 bytes: 5 KB each at 48 outputs, 100 KB at 1,000.
pub const SELECTIONS_MAX: usize = 64;

/// Number of cached output lists, one per job template of nodes that recently found a proof. At 48 outputs, 4 KB each;
/// at 1,000, 90 KB.
pub const AMOUNTS_MAX: usize = 64;

/// Number of cached windows: the newest snapshots of recent branches. At 10,000 scripts, 0.3 MB each.
pub const WINDOWS_MAX: usize = 4;

/// Maximum number of ids in a locator: 10 consecutive ids, then ids at doubling distances. 64 ids span 2^54 links.
pub const LOCATOR_MAX: usize = 64;

/// Maximum number of payouts in a payout proof: more than any pool's `outputs_max`.
pub const PROVEN_OUTPUTS_MAX: usize = 1_024;

/// Maximum number of Bitcoin headers before a block in a payout proof: more than any pool's `seed_depth`.
pub const PROVEN_HEADERS_MAX: usize = 8;

/// Maximum number of leaves that a payout proof shows: the last proportional due, and the two on either side of a script
/// that the window does not have.
pub const PROVEN_LEAVES_MAX: usize = 3;

/// Maximum number of tree nodes beside these leaves: one on each of 32 levels per leaf.
pub const PROVEN_SIBLINGS_MAX: usize = PROVEN_LEAVES_MAX * 32;

/// Maximum length of an encoded payout proof, bytes: 1,024 payouts of 43, 96 nodes of 48, and 2 KiB for the rest;
/// rounded up. In a pool with 48 outputs and 10,000 scripts, a proof has under 4 KiB.
pub const PAYOUT_PROOF_BYTES_MAX: usize = 56 << 10;
