//! Contextual checks of a proof's header. The values of its ancestors come in as arguments; there is no database and no
//! clock here.

use crate::bitcoin_headers::NextHeader;
use crate::error::RuleError;
use crate::params::ChainParams;
use crate::share::Proof;
use crate::units::{Height, ShareId, Timestamp, U256};

/// 21 million bitcoin, satoshi.
const MAX_MONEY_SAT: u64 = 2_100_000_000_000_000;

/// Least block version since [BIP-0065](https://github.com/bitcoin/bips/blob/master/bip-0065.mediawiki).
const LEAST_BLOCK_VERSION: i32 = 4;

/// Everything that a link determines for its children.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Height of the children: the link's plus one.
    pub height: Height,
    /// The only anchor that the children may have (SC-202).
    pub anchor: ShareId,
    /// Height of that anchor.
    pub anchor_height: Height,
    /// Share target of the children (SC-111).
    pub share_target: U256,
    /// Link target of the children (SC-110); never easier than the share target.
    pub link_target: U256,
    /// Median time of the link and its last ancestors, which the children's time must exceed (SC-203). `None` for
    /// children of genesis.
    pub median_time: Option<Timestamp>,
    /// Chain work of the link's previous Bitcoin block, hashes (SC-208).
    pub bitcoin_work: U256,
    /// Height of the snapshot that the link pays by: that of the children is not below it (SC-302).
    pub least_snapshot: Height,
}

/// Data of a proof's previous Bitcoin block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreviousBlock {
    /// Height of the block.
    pub height: u32,
    /// Chain work up to and including the block, hashes.
    pub chain_work: U256,
    /// What Bitcoin expects of the next header.
    pub next: NextHeader,
}

/// Checks a proof's header against its position and its previous block: SC-202 to SC-211, SC-213 and SC-214. A job template
/// has no hash yet; with `hash` as `None`, SC-209 is skipped.
///
/// # Errors
/// The first broken rule, in order of number. The proof's hash binds everything that these rules check, so each of them
/// makes the id invalid.
pub fn check_header(
    proof: &Proof,
    hash: Option<&ShareId>,
    position: &Position,
    previous: &PreviousBlock,
    params: &ChainParams,
) -> Result<(), RuleError> {
    let share = &proof.share;
    // SC-202: The anchor is the ancestor exactly `anchor_depth` links below the parent; genesis if the chain is shorter
    // than that.
    require(share.anchor == position.anchor, RuleError::Anchor)?;
    // SC-203: `time` is above the median of the times of the parent and its last ancestors, 11 links in total or as
    // many as exist.
    require(position.median_time.is_none_or(|median| share.time > median), RuleError::TimeTooOld)?;
    // SC-204: The Bitcoin header's time is above the median time past of its previous block. If `timewarp_s` is not 0,
    // the first block of a period is at most that much earlier than its previous block.
    let bitcoin_time = Timestamp(proof.header.time);
    require(bitcoin_time >= previous.next.least_time, RuleError::BitcoinTimeTooOld)?;
    // SC-205: The two times are at most 7,200 s apart.
    let apart_s = share.time.seconds_since(bitcoin_time).unsigned_abs();
    require(apart_s <= u64::from(params.times_apart_s), RuleError::TimesApart)?;
    // SC-206: `bitcoin_height` is one above the height of the previous block.
    require(previous.height.checked_add(1) == Some(share.bitcoin_height), RuleError::BitcoinHeight)?;
    // SC-207: nBits is the value that Bitcoin expects after the previous block in a header with this time.
    require(proof.header.bits == previous.next.bits(bitcoin_time), RuleError::Bits)?;
    // SC-208: Bitcoin's chain work at the previous block is not below that at the parent's previous block.
    require(previous.chain_work >= position.bitcoin_work, RuleError::BitcoinWorkFell)?;
    // SC-209: The hash is not above the share target of the position.
    require(hash.is_none_or(|hash| hash.as_number() <= position.share_target), RuleError::ShareTarget)?;
    // SC-210: Subsidy <= `coinbase_value` <= 21 million bitcoin.
    let subsidy_sat = params.bitcoin.subsidy_sat(share.bitcoin_height);
    require((subsidy_sat..=MAX_MONEY_SAT).contains(&share.coinbase_value), RuleError::CoinbaseValue)?;
    // SC-211: `bitcoin_height` is not below `start_height`.
    require(share.bitcoin_height >= params.bitcoin.start_height, RuleError::BeforeStart)?;
    // SC-213: The version of the Bitcoin header, as a signed number, is at least 4.
    let version = proof.header.version.to_consensus();
    require(version >= LEAST_BLOCK_VERSION, RuleError::BlockVersion(version))?;
    // SC-214: The coinbase before its last output has at most `prefix_bytes_max` bytes.
    let length = proof.prefix.length;
    require(length <= params.prefix_bytes_max, RuleError::CoinbaseTooLong(length))
}

fn require(holds: bool, otherwise: RuleError) -> Result<(), RuleError> {
    if holds { Ok(()) } else { Err(otherwise) }
}
