//! Bitcoin's contextual rules for headers, as Bitcoin Core applies them.

use bitcoin::BlockHash;
use bitcoin::Network;
use bitcoin::block::Header;
use bitcoin::pow::CompactTarget;
use ruint::Uint;
use thiserror::Error;

use super::tree::{Index, Tree};
use crate::params::BitcoinParams;
use crate::target::{bits_of_target, target_of_bits};
use crate::units::{ShareId, Timestamp, U256};

/// Integer with room for a target times the seconds of a period.
type U320 = Uint<320, 5>;

/// The Bitcoin rule that a header breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// nBits is not the value that follows from the headers before it and from its own time.
    #[error("nBits is {found:#010x}, but Bitcoin expects {expected:#010x}")]
    Bits {
        /// nBits of the header.
        found: u32,
        /// nBits that follows.
        expected: u32,
    },
    /// The hash is above the target.
    #[error("the hash is above the target of nBits")]
    ProofOfWork,
    /// The time is not above the median time past, or the header is the first of a period and too far before its previous
    /// block (BIP-0094).
    #[error("the time {found} is before {least}, the earliest that Bitcoin allows after the previous block")]
    TimeTooOld {
        /// Time of the header, Unix seconds.
        found: Timestamp,
        /// Earliest time, Unix seconds.
        least: Timestamp,
    },
    /// A soft fork retired this block version below this height.
    #[error("block version {0} is no longer valid at this height")]
    Version(i32),
    /// The header attaches too far below the best header.
    #[error("the header attaches {0} blocks below the best header")]
    ForkTooDeep(u32),
}

/// Returns the nBits of the difficulty period that a child of the header at `prev` belongs to: those of the period's first
/// block, which no rule makes easier. If the child is that block, they follow from the period before it.
///
/// As in Bitcoin, a period is measured from its first to its last block: one interval less than it has blocks. Bitcoin
/// scales the nBits of the last block, or of the first where BIP-0094 applies. Without minimum-difficulty blocks both are
/// the same.
pub(super) fn period_bits(tree: &Tree, prev: Index, params: &BitcoinParams) -> CompactTarget {
    let last = tree.at(prev);
    let above_first = last.height.checked_rem(params.retarget_blocks).unwrap_or(0);
    let first = tree.ancestor(prev, last.height.saturating_sub(above_first)).unwrap_or(last);
    if !starts_period(last.height.saturating_add(1), params) {
        return first.header.bits;
    }
    let taken_s = Timestamp(last.header.time).seconds_since(Timestamp(first.header.time));
    retarget(first.header.bits, taken_s, params)
}

/// Whether a block at this height is the first of a difficulty period.
pub(super) fn starts_period(height: u32, params: &BitcoinParams) -> bool {
    height.is_multiple_of(params.retarget_blocks)
}

/// Scales a target by the time that a period took, `taken_s` seconds, clamped to `retarget_factor_max` either way.
pub(super) fn retarget(bits: CompactTarget, taken_s: i64, params: &BitcoinParams) -> CompactTarget {
    let due_s = params.retarget_timespan_s;
    let least_s = due_s.checked_div(params.retarget_factor_max).unwrap_or(due_s);
    let most_s = due_s.saturating_mul(params.retarget_factor_max).max(least_s);
    let clamped_s = taken_s.clamp(i64::from(least_s), i64::from(most_s)).unsigned_abs();
    // Bitcoin Core multiplies modulo 2^256. All its retargeting networks have limits that leave room for the factor.
    // Here the product is exact for every limit.
    let scaled = U320::from(target_of_bits(bits)).saturating_mul(U320::from(clamped_s));
    let target: U256 = scaled.checked_div(U320::from(due_s)).unwrap_or(scaled).saturating_to();
    // Mainnet's limit has more one-bits than nBits can hold. Every target in between encodes to the same nBits.
    let limit = target_of_bits(CompactTarget::from_consensus(params.pow_limit_bits));
    bits_of_target(target.min(limit))
}

/// Checks that the hash meets the target of the header's nBits. The caller has already checked nBits.
pub(super) fn check_work(header: &Header, hash: &BlockHash) -> Result<(), HeaderError> {
    if ShareId::from(*hash).as_number() > target_of_bits(header.bits) {
        return Err(HeaderError::ProofOfWork);
    }
    Ok(())
}

/// Checks that no soft fork retired the block version:
/// [BIP-0034](https://github.com/bitcoin/bips/blob/master/bip-0034.mediawiki),
/// [BIP-0066](https://github.com/bitcoin/bips/blob/master/bip-0066.mediawiki) or
/// [BIP-0065](https://github.com/bitcoin/bips/blob/master/bip-0065.mediawiki).
pub(super) fn check_version(header: &Header, height: u32, params: &BitcoinParams) -> Result<(), HeaderError> {
    let least = match (params.network, height) {
        (Network::Bitcoin, ..227_931) => return Ok(()),
        (Network::Bitcoin, ..363_725) => 2,
        (Network::Bitcoin, ..388_381) => 3,
        // On other networks, these soft forks are active from the first block.
        _ => 4,
    };
    let version = header.version.to_consensus();
    if version < least { Err(HeaderError::Version(version)) } else { Ok(()) }
}
