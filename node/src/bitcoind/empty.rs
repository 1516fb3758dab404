//! A template without transactions on a new tip, until bitcoind has made the full one, so that miners leave the old tip
//! immediately.

use bitcoin::Amount;

use super::header::HeaderInfo;
use crate::config::{Network, Outputs};
use node_core::jobs::{BlockTemplate, Transactions};

/// An empty template on `tip`. Everything that does not depend on the tip comes from `last`. `time` is bitcoind's
/// clock, seconds since 1970.
///
/// None if `tip` is not the tip of bitcoind's active chain, so that no miner works on an invalid or stale block; if
/// bitcoind does not report the median time; and where nBits may change, which only bitcoind computes: at the first
/// block of a period, and on testnet4, where they depend on the header's time.
pub(super) fn on(tip: &HeaderInfo, last: &BlockTemplate, network: Network, time: u32) -> Option<BlockTemplate> {
    let params = network.chain_params(Outputs::Standard).bitcoin;
    let (height, min_time) = (tip.height.checked_add(1)?, tip.median_time?.checked_add(1)?);
    let fixed = params.retarget_factor_max == 1;
    let same_bits = fixed || (params.min_difficulty_after_s == 0 && !height.is_multiple_of(params.retarget_blocks));
    if tip.confirmations != Some(1) || !same_bits {
        return None;
    }
    Some(BlockTemplate {
        version: last.version,
        prev_block: tip.header.block_hash(),
        height,
        bits: tip.header.bits,
        time: time.max(min_time),
        min_time,
        coinbase_value: Amount::from_sat(params.subsidy_sat(height)),
        // The job computes the commitment to no transactions.
        witness_commitment: None,
        transactions: Transactions::default(),
        weight_limit: last.weight_limit,
        sigops_limit: last.sigops_limit,
        long_poll_id: None,
        signet_challenge: last.signet_challenge.clone(),
    })
}
