//! The payments of a block that the pool found.

use std::collections::BTreeMap;

use bitcoin::{Block, ScriptBuf};
use node_core::jobs::BlockTemplate;

/// The outputs of a coinbase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// The most that the block may pay, in satoshi: the subsidy and the fees of its transactions.
    pub value_sat: u64,
    /// Satoshi for each script. Outputs without value are left out.
    pub scripts: BTreeMap<ScriptBuf, u64>,
}

impl Paid {
    /// Returns the payments of `block`. Returns `None` if the block pays more than the subsidy and its fees allow, or
    /// if it has a transaction that is not in the template.
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

    /// Returns the sum of all payments in satoshi.
    #[must_use]
    pub fn total_sat(&self) -> u64 {
        self.scripts.values().sum()
    }
}
