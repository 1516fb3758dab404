//! Grinding of the draw by competing tips of Bitcoin: the miner builds on the one that pays it most.

use bitcoin::BlockHash;
use serde::Deserialize;

use super::draw::pays_sat;
use super::{Strategy, View};

/// A miner that chooses among competing tips of Bitcoin.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrindTips {}

impl Strategy for GrindTips {
    fn previous_block(&mut self, view: &mut View<'_>) -> BlockHash {
        let parent = self.parent(view);
        // Of equal ones, the last is taken, which is the tip that this node's bitcoind follows.
        let paid = |tip: &&BlockHash| pays_sat(view.chain, &parent, tip, view.script);
        view.bitcoin_tips.iter().rev().max_by_key(paid).copied().unwrap_or(view.bitcoin_tips[0])
    }
}
