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

/// Largest factor by which one retarget changes the difficulty.
const RETARGET_FACTOR_MAX: u32 = 4;

/// The Bitcoin rule that a header breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HeaderError {
    /// nBits is not the value that the retarget gives.
    #[error("nBits is {found:#010x}, but Bitcoin expects {expected:#010x}")]
    Bits {
        /// nBits of the header.
        found: u32,
        /// nBits that follows from its predecessors.
        expected: u32,
    },
    /// The hash is above the target.
    #[error("the hash is above the target of nBits")]
    ProofOfWork,
    /// The time is not above the median time past.
    #[error("the time {found} is not above the median time past {median}")]
    TimeTooOld {
        /// Time of the header, Unix seconds.
        found: Timestamp,
        /// Median time of the previous block and its ten predecessors, Unix seconds.
        median: Timestamp,
    },
    /// A soft fork retired this block version below this height.
    #[error("block version {0} is no longer valid at this height")]
    Version(i32),
    /// The header attaches too far below the best header.
    #[error("the header attaches {0} blocks below the best header")]
    ForkTooDeep(u32),
}

/// Returns the nBits that a child of the header at `prev` must have.
///
/// As in Bitcoin, a period is measured from its first to its last block: one interval less than it has blocks. No
/// network here has the minimum-difficulty exception of Bitcoin's testnets.
pub(super) fn next_bits(tree: &Tree, prev: Index, params: &BitcoinParams) -> CompactTarget {
    let last = tree.at(prev);
    let height = last.height.saturating_add(1);
    if !height.is_multiple_of(params.retarget_blocks) {
        return last.header.bits;
    }
    let first = tree.ancestor(prev, height.saturating_sub(params.retarget_blocks)).unwrap_or(last);
    let taken_s = Timestamp(last.header.time).seconds_since(Timestamp(first.header.time));
    retarget(last.header.bits, taken_s, params)
}

/// Scales a target by the time that a period took, `taken_s` seconds, clamped to a factor of four either way.
pub(super) fn retarget(bits: CompactTarget, taken_s: i64, params: &BitcoinParams) -> CompactTarget {
    let due_s = params.retarget_timespan_s;
    let least_s = due_s.checked_div(RETARGET_FACTOR_MAX).unwrap_or(due_s);
    let most_s = due_s.saturating_mul(RETARGET_FACTOR_MAX);
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

/// Checks that the time is above the median time past.
pub(super) fn check_time(header: &Header, median: Timestamp) -> Result<(), HeaderError> {
    let found = Timestamp(header.time);
    if found <= median {
        return Err(HeaderError::TimeTooOld { found, median });
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
