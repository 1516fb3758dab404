//! What a block found by the pool pays to whom.

use std::collections::BTreeMap;

use bitcoin::{Block, ScriptBuf};
use node_core::jobs::BlockTemplate;

/// A coinbase's outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// What the block may pay: subsidy and the fees of its transactions, satoshi.
    pub value_sat: u64,
    /// Satoshi of each script, outputs without value left out.
    pub scripts: BTreeMap<ScriptBuf, u64>,
}

impl Paid {
    /// What `block` pays; none if it is more than its transactions' fees and the subsidy allow, or if a transaction is
    /// not the template's.
    #[must_use]
    pub fn by(block: &Block, template: &BlockTemplate) -> Option<Self> {
        let (coinbase, others) = block.txdata.split_first()?;
        let offered = &template.transactions;
        let known = |index: usize| offered.get(index).map(|transaction| transaction.txid);
        if others.iter().enumerate().any(|(index, other)| known(index) != Some(other.compute_txid())) {
            return None;
        }
        let left_out = offered.get(others.len()..)?.iter().map(|transaction| transaction.fee);
        let value_sat = left_out.fold(template.coinbase_value, |value, fee| value - fee).to_sat();
        let mut scripts = BTreeMap::new();
        for output in coinbase.output.iter().filter(|output| output.value.to_sat() > 0) {
            *scripts.entry(output.script_pubkey.clone()).or_default() += output.value.to_sat();
        }
        let paid = Self { value_sat, scripts };
        (paid.total_sat() <= value_sat).then_some(paid)
    }

    /// Satoshi paid to all together.
    #[must_use]
    pub fn total_sat(&self) -> u64 {
        self.scripts.values().sum()
    }
}
