//! The payouts of a block found now.

use bitcoin::{BlockHash, TxOut};
use sharechain::chain::Chain;
use sharechain::{ShareId, Weight};

use crate::state::BitcoinView;

/// The payouts of the block that this node's miners work on.
#[derive(Debug)]
pub(super) struct NextBlock {
    pub height: u32,
    pub previous: BlockHash,
    pub snapshot: ShareId,
    pub seed: [u8; 32],
    /// Subsidy, plus the newest template's fees if there is one, satoshi.
    pub value_sat: u64,
    /// Payout outputs, in order; none while the finder is paid alone.
    pub outputs: Option<Vec<TxOut>>,
    /// Number of leading outputs that are proportional.
    pub exact: usize,
}

impl NextBlock {
    /// Computes it for the link that this node builds on and the tip of its bitcoind. None while a part of the history
    /// is missing.
    pub(super) fn of(chain: &Chain, bitcoin: &BitcoinView) -> Option<Self> {
        let headers = chain.bitcoin();
        let tip = bitcoin.tip.and_then(|tip| headers.get(&tip)).unwrap_or_else(|| headers.best());
        let (previous, height) = (tip.header.block_hash(), tip.height.saturating_add(1));
        // A template on another tip says nothing about this block.
        let template_sat = bitcoin.template_value_sat.filter(|_| bitcoin.tip == Some(previous));
        let value_sat = template_sat.unwrap_or_else(|| chain.params().bitcoin.subsidy_sat(height));
        let plan = chain.plan_of(&chain.build_on(), &previous).ok()?;
        let outputs = match &plan.selection {
            Some(selection) => Some(selection.amounts(value_sat).ok()?),
            None => None,
        };
        let exact = plan.selection.as_ref().map_or(0, |selection| selection.exact());
        Some(Self { exact, height, previous, snapshot: plan.snapshot, seed: plan.seed, value_sat, outputs })
    }

    /// The proportional part of the value for a weight: the average payout, satoshi. For display.
    pub(super) fn due_sat(&self, weight: Weight, total: Weight) -> f64 {
        if total == Weight::ZERO { 0.0 } else { self.value_sat as f64 * (weight.0 as f64 / total.0 as f64) }
    }
}
