//! What a proof's header must satisfy at its place in the chain. Values of the ancestors are passed in; there is no
//! database and no clock here.

use bitcoin::pow::CompactTarget;

use crate::error::RuleError;
use crate::params::ChainParams;
use crate::share::Proof;
use crate::units::{Height, ShareId, Timestamp, U256};

/// Satoshi in 21 million bitcoin.
const MAX_MONEY_SAT: u64 = 2_100_000_000_000_000;

/// Everything that a link decides about the proofs that name it as their parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Height of those proofs: the link's plus one.
    pub height: Height,
    /// The one anchor they may have.
    pub anchor: ShareId,
    /// That anchor's height.
    pub anchor_height: Height,
    /// Target that makes them shares.
    pub share_target: U256,
    /// Target that makes them links; never easier than the share target.
    pub link_target: U256,
    /// Median time of the link and its last predecessors, which they must exceed; none for children of genesis.
    pub median_time: Option<Timestamp>,
    /// Chain work of the Bitcoin block that the link builds on.
    pub bitcoin_work: U256,
}

/// What Bitcoin's headers say about a proof's previous block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreviousBlock {
    /// Its height.
    pub height: u32,
    /// Its chain work.
    pub chain_work: U256,
    /// Median time of it and its ten predecessors.
    pub median_time: Timestamp,
    /// The nBits that Bitcoin expects after it.
    pub next_bits: CompactTarget,
}

/// Checks SC-202 to SC-211: a proof's header against its position and its previous block. A template has no `hash` yet:
/// it is checked by all of them but SC-209.
///
/// # Errors
/// The first rule, by number, that the proof breaks. All of them are bound by the proof's hash, so they condemn its id.
pub fn check_header(
    proof: &Proof,
    hash: Option<&ShareId>,
    position: &Position,
    previous: &PreviousBlock,
    params: &ChainParams,
) -> Result<(), RuleError> {
    let share = &proof.share;
    // SC-202: the anchor is the ancestor of the parent exactly `anchor_depth` links below it, genesis while there is none.
    require(share.anchor == position.anchor, RuleError::Anchor)?;
    // SC-203: the time is above the median of the times of the parent's last 11 links, or of as many as exist.
    require(position.median_time.is_none_or(|median| share.time > median), RuleError::TimeTooOld)?;
    // SC-204: nTime is above the median time past of the previous block.
    let bitcoin_time = Timestamp(proof.header.time);
    require(bitcoin_time > previous.median_time, RuleError::BitcoinTimeTooOld)?;
    // SC-205: both times are within 7,200 s of each other.
    let apart_s = share.time.seconds_since(bitcoin_time).unsigned_abs();
    require(apart_s <= u64::from(params.times_apart_s), RuleError::TimesApart)?;
    // SC-206: the Bitcoin height is one above that of the previous block.
    require(previous.height.checked_add(1) == Some(share.bitcoin_height), RuleError::BitcoinHeight)?;
    // SC-207: nBits is what Bitcoin expects.
    require(proof.header.bits == previous.next_bits, RuleError::Bits)?;
    // SC-208: chain work, not height, never falls from a parent to its child.
    require(previous.chain_work >= position.bitcoin_work, RuleError::BitcoinWorkFell)?;
    // SC-209: the hash, as a little-endian number, is not above the share target.
    require(hash.is_none_or(|hash| hash.as_number() <= position.share_target), RuleError::ShareTarget)?;
    // SC-210: subsidy <= coinbase value <= 21 million bitcoin.
    let subsidy_sat = params.bitcoin.subsidy_sat(share.bitcoin_height);
    require((subsidy_sat..=MAX_MONEY_SAT).contains(&share.coinbase_value), RuleError::CoinbaseValue)?;
    // SC-211: the share-chain starts at a height of Bitcoin.
    require(share.bitcoin_height >= params.bitcoin.start_height, RuleError::BeforeStart)
}

fn require(holds: bool, otherwise: RuleError) -> Result<(), RuleError> {
    if holds { Ok(()) } else { Err(otherwise) }
}
