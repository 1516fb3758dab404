//! Work arithmetic and the retarget, as exact integer steps that any implementation can repeat.

use bitcoin::Target;
use bitcoin::pow::CompactTarget;
use ruint::Uint;

use crate::params::ChainParams;
use crate::units::{U256, Weight, Work};

#[cfg(test)]
mod tests;

/// Integer with room for a 256-bit number times a factor below 2^64.
type U320 = Uint<320, 5>;

/// Number of fractional bits in the retarget's exponent and factor.
const FRACTION_BITS: u32 = 16;

/// 1.0 with [`FRACTION_BITS`] fractional bits.
const ONE: i64 = 1 << FRACTION_BITS;

/// Returns the link target of the proofs that extend a link (SC-110).
///
/// `parent_target` is the target that the link itself had to meet. `seconds_between_parent_and_grandparent` is the
/// link's time minus that of the link before it. `share_target` is the share target of the same proofs. In real numbers
/// the result is `parent_target * 2^((seconds - interval) / half_life)`, bounded by `share_target`. In integers, with
/// `>>` rounding toward minus infinity:
///
/// 1. `e = floor((seconds - link_interval_s) * 2^16 / retarget_half_life_s)`, clamped to
///    `±retarget_exponent_max * 2^16`.
/// 2. `whole = e >> 16` and `x = e - whole * 2^16`.
/// 3. `factor = 2^16 + ((195766423245049 x + 971821376 x^2 + 5127 x^3 + 2^47) >> 48)`: the cubic of
///    [aserti3-2d](https://reference.cash/protocol/forks/2020-11-15-asert), within 0.013% of `2^16 * 2^(x / 2^16)`.
/// 4. `target = parent_target * factor * 2^(whole - 16)`, rounded down, without overflow; at least 1.
/// 5. The smaller of `target` and `share_target`, so that every link is a share.
#[must_use]
pub fn link_target(
    parent_target: U256,
    seconds_between_parent_and_grandparent: i64,
    share_target: U256,
    params: &ChainParams,
) -> U256 {
    // SC-110: The link target of a link's children follows from the link's own target and the interval before the link.
    let (whole, factor) = split_exponent(exponent(seconds_between_parent_and_grandparent, params));
    let product = U320::from(parent_target).saturating_mul(U320::from(factor));
    let shifted = if whole < 0 {
        product.wrapping_shr(shift_bits(whole))
    } else {
        product.checked_shl(shift_bits(whole)).unwrap_or(U320::MAX)
    };
    let target: U256 = shifted.wrapping_shr(shift_bits(i64::from(FRACTION_BITS))).saturating_to();
    target.max(U256::ONE).min(share_target)
}

/// Step 1: the exponent in units of 2^-16.
fn exponent(seconds: i64, params: &ChainParams) -> i64 {
    let late_s = seconds.saturating_sub(i64::from(params.link_interval_s));
    let bound = i64::from(params.retarget_exponent_max).saturating_mul(ONE);
    late_s
        .saturating_mul(ONE)
        .checked_div_euclid(i64::from(params.retarget_half_life_s))
        .unwrap_or(0)
        .clamp(bound.saturating_neg(), bound)
}

/// Steps 2 and 3: the number of whole doublings, and the factor for the rest in units of 2^-16, between 2^16 and 2^17.
fn split_exponent(exponent: i64) -> (i64, u64) {
    let whole = exponent.div_euclid(ONE);
    let x = u128::from(exponent.rem_euclid(ONE).unsigned_abs());
    // x < 2^16, so the sum stays below 2^65.
    let cubic = [5_127, 971_821_376, 195_766_423_245_049, 0]
        .into_iter()
        .fold(0_u128, |sum, coefficient| sum.saturating_mul(x).saturating_add(coefficient));
    let rounded = cubic.saturating_add(1 << 47) >> 48;
    (whole, u64::try_from(rounded).unwrap_or(u64::MAX).saturating_add(1 << FRACTION_BITS))
}

/// Size of a shift; the sign of `whole` gives its direction.
fn shift_bits(whole: i64) -> usize {
    usize::try_from(whole.unsigned_abs()).unwrap_or(usize::MAX)
}

/// Returns the share target of proofs whose anchor had to meet `link_target_at_anchor` (SC-111): `shares_per_link`
/// times that target, but never easier than the network's floor. Does not overflow.
#[must_use]
pub fn share_target(link_target_at_anchor: U256, params: &ChainParams) -> U256 {
    // SC-111: The share target is the harder of the floor and `shares_per_link` times the anchor's link target.
    link_target_at_anchor.saturating_mul(U256::from(params.shares_per_link)).min(params.easiest_share_target)
}

/// Returns the weight that a share earns (SC-112), from the nBits of its difficulty period:
/// `floor(work(share_target) * 2^64 / max(work(bits), min_block_work))`, at least one unit of 2^-64 block and at most one
/// block.
#[must_use]
pub fn weight_of_share(share_target: U256, bits: CompactTarget, params: &ChainParams) -> Weight {
    // SC-112: A share's weight is the work of its share target, measured in blocks at the nBits of its difficulty period;
    // at least one unit, at most one block.
    weight(share_target, 1, bits, params)
}

/// Returns the weight that a link earns in addition to its share (SC-113):
/// `floor(work(link_target) * 2^64 / (link_credit_divisor * max(work(bits), min_block_work)))`, with the same bounds.
#[must_use]
pub fn link_bonus(link_target: U256, bits: CompactTarget, params: &ChainParams) -> Weight {
    // SC-113: In addition, a link earns the work of its link target divided by `link_credit_divisor`.
    weight(link_target, params.link_credit_divisor, bits, params)
}

/// Returns all that a link earns for itself (SC-411): as a share, and the bonus.
#[must_use]
pub fn weight_of_link(share_target: U256, link_target: U256, bits: CompactTarget, params: &ChainParams) -> Weight {
    weight_of_share(share_target, bits, params).plus(link_bonus(link_target, bits, params))
}

/// `work(target) / divisor` as a fraction of the work of a Bitcoin block.
fn weight(target: U256, divisor: u32, bits: CompactTarget, params: &ChainParams) -> Weight {
    let block_work = work_of_bits(bits).0.max(U256::from(params.bitcoin.min_block_work));
    // Both products fit in 320 bits: 256 + 64 bits and 256 + 32 bits.
    let scaled = U320::from(Work::of_target(target).0).wrapping_shl(64);
    let whole = U320::from(block_work).saturating_mul(U320::from(divisor));
    let units = scaled.checked_div(whole).unwrap_or(U320::MAX);
    let units = u128::try_from(units).unwrap_or(u128::MAX);
    Weight(units.clamp(1, Weight::ONE_BLOCK.0))
}

/// Returns the work of a block with these nBits, expected hashes.
#[must_use]
pub fn work_of_bits(bits: CompactTarget) -> Work {
    Work::of_target(target_of_bits(bits))
}

/// Returns the target that nBits encode. Negative nBits encode 0, which no hash meets.
#[must_use]
pub fn target_of_bits(bits: CompactTarget) -> U256 {
    U256::from_le_bytes(Target::from_compact(bits).to_le_bytes())
}

/// Returns the nBits of a target, truncated as in Bitcoin.
#[must_use]
pub fn bits_of_target(target: U256) -> CompactTarget {
    Target::from_le_bytes(target.to_le_bytes()).to_compact_lossy()
}
