//! What a block found now would pay.

use bitcoin::{BlockHash, TxOut};
use sharechain::chain::Chain;
use sharechain::{ShareId, Weight};

use crate::state::BitcoinView;

/// The block that this node's miners work on, as far as payouts go.
#[derive(Debug)]
pub(super) struct NextBlock {
    pub height: u32,
    pub previous: BlockHash,
    pub snapshot: ShareId,
    pub seed: [u8; 32],
    /// Subsidy, and the newest template's fees if there is one.
    pub value_sat: u64,
    /// In their order; none while the finder is paid alone.
    pub outputs: Option<Vec<TxOut>>,
    /// How many of them, the first ones, are paid exactly.
    pub exact: usize,
}

impl NextBlock {
    /// Reckons it for the link that this node builds on and the tip of its bitcoind. None while something of the
    /// history is missing.
    pub(super) fn of(chain: &Chain, bitcoin: &BitcoinView) -> Option<Self> {
        let anchor = chain.link(&chain.build_on())?.position.anchor;
        let headers = chain.bitcoin();
        let tip = bitcoin.tip.and_then(|tip| headers.get(&tip)).unwrap_or_else(|| headers.best());
        let (previous, height) = (tip.header.block_hash(), tip.height.saturating_add(1));
        // A template on another tip says nothing about this block.
        let template_sat = bitcoin.template_value_sat.filter(|_| bitcoin.tip == Some(previous));
        let value_sat = template_sat.unwrap_or_else(|| chain.params().bitcoin.subsidy_sat(height));
        let plan = chain.plan_of(&anchor, &previous).ok()?;
        let outputs = match &plan.selection {
            Some(selection) => Some(selection.amounts(value_sat).ok()?),
            None => None,
        };
        let exact = plan.selection.as_ref().map_or(0, |selection| selection.exact());
        Some(Self { exact, height, previous, snapshot: plan.snapshot, seed: plan.seed, value_sat, outputs })
    }

    /// The part of the value that a weight is due, rounded to a satoshi; the expectation of what it is paid.
    pub(super) fn due_sat(&self, weight: Weight, total: Weight) -> u64 {
        if total == Weight::ZERO {
            return 0;
        }
        // For people: 53 bits are enough, and the exact sums are in the outputs.
        (self.value_sat as f64 * (weight.0 as f64 / total.0 as f64)).round() as u64
    }
}
