//! A template without transactions on a new tip, for the time that bitcoind takes to make the full one: miners leave the old tip
//! at once.

use bitcoin::Amount;

use super::header::HeaderInfo;
use crate::config::{Network, Outputs};
use node_core::jobs::BlockTemplate;

/// An empty template on `tip`, which takes from `last` what does not depend on the tip. `time` is bitcoind's clock, seconds since
/// 1970.
///
/// None if `tip` is not the tip of bitcoind's active chain, so that nobody mines on a block that is invalid or already stale; if
/// bitcoind does not tell its median time; and where other nBits begin, which is for bitcoind to compute: at the first block of
/// a period, and on testnet4, where they depend on the header's time.
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
        // That of no transactions is computed with the job.
        witness_commitment: None,
        transactions: Vec::new(),
        weight_limit: last.weight_limit,
        sigops_limit: last.sigops_limit,
        long_poll_id: None,
        signet_challenge: last.signet_challenge.clone(),
    })
}
