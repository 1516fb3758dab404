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

/// Bytes of an encoded proof: header 80, share header at most 155 + 4, extranonce 16, witness commitment 33, branch
/// 1 + 14 * 32, midstate 32, length 4, tail 63; rounded up.
pub const PROOF_BYTES_MAX: usize = 864;

/// Proofs that wait for something they depend on. At 864 bytes each they fill 3.5 MB.
pub const HELD_MAX: usize = 4_096;

/// Proofs of one source that wait: no peer can fill the room alone.
pub const HELD_PER_SOURCE_MAX: usize = 512;

/// Seconds that a proof waits: what has not been found in ten minutes will be sent again by whoever has it.
pub const HELD_SECONDS_MAX: u32 = 600;

/// Verdicts on refused ids that are remembered, oldest forgotten first: the fate of a share can be asked for hours.
pub const REFUSED_MAX: usize = 8_192;
