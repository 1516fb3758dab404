//! Bounds of everything that is read or kept, each with its unit and its reason.

/// Ids in a link's list: 32 times the 32 shares a link that are expected, so that a surge or a healed partition drains
/// within minutes. 32 KiB on the wire.
pub const LIST_MAX: usize = 1_024;

/// Hashes in a merkle branch: 2^14 transactions of the smallest size fill a Bitcoin block.
pub const BRANCH_MAX: usize = 14;

/// Bytes of a payout script: P2WSH and P2TR have 34.
pub const SCRIPT_BYTES_MAX: usize = 34;

/// Bytes of a coinbase before its last output, at least: version, counts, input, height, tag, extranonce and one output
/// (4 + 1 + 36 + 1 + 1 + 7 + 17 + 4 + 1 + 8 + 1 + 22 = 103). Well above 64, the length of an inner merkle node.
pub const PREFIX_BYTES_MIN: u32 = 100;

/// Bytes of a coinbase before its last output, at most: 64 outputs of 43 bytes and the fixed parts.
pub const PREFIX_BYTES_MAX: u32 = 3_000;

/// Bytes of an encoded proof: header 80, share header at most 123 + 34, extranonce 16, witness commitment 33, branch
/// 1 + 14 * 32, midstate 32, length 4, tail 63; rounded up.
pub const PROOF_BYTES_MAX: usize = 864;

/// Proofs that wait for something they depend on. At 864 bytes each they fill 3.5 MB.
pub const HELD_MAX: usize = 4_096;

/// Bytes of the lists that came with proofs that wait. Beyond that a proof waits without its list, which is asked for
/// again when the proof turns out to be valid.
pub const HELD_LIST_BYTES_MAX: usize = 4 << 20;

/// Proofs of one source that wait: no peer can fill the room alone.
pub const HELD_PER_SOURCE_MAX: usize = 512;

/// Seconds that a proof waits: what has not been found in ten minutes will be sent again by whoever has it.
pub const HELD_SECONDS_MAX: u32 = 600;

/// Verdicts on refused ids that are remembered, oldest forgotten first: the fate of a share can be asked for hours.
pub const REFUSED_MAX: usize = 8_192;

/// Links below the highest tip so far within which proofs are judged and links become complete; shares and lists stay in
/// memory that long and for the listing depth more. Far above the finality bound; at 33 proofs a link and some 400 bytes
/// each, 30 MB.
pub const MEMORY_DEPTH: u32 = 2_000;

/// Seconds by which a share header's time may lie ahead of the node's clock before the proof is held.
pub const FUTURE_SECONDS: u32 = 30;

/// Seconds by which a Bitcoin header's time may lie ahead of the node's clock, as in Bitcoin Core.
pub const BITCOIN_FUTURE_SECONDS: u32 = 7_200;

/// Seconds between a node's validation of a share and the time of a link, or its arrival if that is earlier, that must list
/// it, or be passed over (policy).
pub const OMISSION_SECONDS: u32 = 30;

/// Bitcoin blocks that the node's own bitcoind gains before a link can be final (policy).
pub const FINAL_BITCOIN_BLOCKS: u32 = 3;

/// Links validated on top of a link before it can be final (policy).
pub const FINAL_LINKS: u32 = 360;

/// Selections kept for reuse: every proof of one Bitcoin tip and one snapshot pays by the same one.
pub const SELECTIONS_MAX: usize = 64;

/// Templates whose payments are kept for reuse: those of the nodes that found something lately. At 48 outputs 4 KB each.
pub const AMOUNTS_MAX: usize = 64;

/// Windows kept for reuse: the newest snapshots of the branches in sight. At 10,000 scripts 0.3 MB each.
pub const WINDOWS_MAX: usize = 4;

/// Ids in a locator: 10 in a row, then at doubling distances; 64 reach over 2^54 links.
pub const LOCATOR_MAX: usize = 64;
