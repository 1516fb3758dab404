//! Difficulty hopping: the miner leaves while Bitcoin is harder than in the previous period. It is honest while it
//! mines.

use bitcoin::Target;
use serde::Deserialize;
use sharechain::{U256, Work};

use super::{Strategy, View};

/// A miner that works only while Bitcoin is no harder than in the period before the last retarget.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DifficultyHop {}

impl Strategy for DifficultyHop {
    fn power(&mut self, view: &mut View<'_>) -> f64 {
        let (bitcoin, tip) = (view.chain.bitcoin(), view.bitcoin_tips[0]);
        let work = |bits| Work::of_target(U256::from_le_bytes(Target::from_compact(bits).to_le_bytes()));
        let eased = || {
            let next = bitcoin.get(&tip)?.height.checked_add(1)?;
            let start = next - next % view.chain.params().bitcoin.retarget_blocks;
            let before = bitcoin.get(&bitcoin.ancestor(&tip, start.checked_sub(1)?)?)?.header.bits;
            Some(work(bitcoin.next_bits(&tip)?) <= work(before))
        };
        if eased().unwrap_or(true) { 1.0 } else { 0.0 }
    }

    fn is_honest(&self) -> bool {
        true
    }
}
