//! Other windows and snapshots: what the hour of a hash is worth, and what it costs to wait.

use sharechain::{ChainParams, Weight};

use super::pools::Pool;
use crate::jobs::Size;
use crate::models::pay::units::{EXA, weight_of_blocks};

/// Constants that might have been chosen.
#[derive(Clone, Debug)]
pub(super) struct Alternative {
    /// Blocks of weight in a window.
    pub(super) window_blocks: f64,
    /// Bitcoin blocks to the snapshot.
    pub(super) depth: u32,
}

/// Windows at the chosen snapshot, and snapshots at the chosen window.
pub(super) fn all(size: Size) -> Vec<Alternative> {
    let chosen = ChainParams::main();
    let windows: &[f64] = size.pick(&[0.5, 1.0, 2.0, 4.0, 8.0], &[0.5, 2.0]);
    let depths: &[u32] = size.pick(&[2, 6, 24], &[2]);
    let of_windows = windows.iter().map(|blocks| (*blocks, chosen.snapshot_bitcoin_depth));
    let of_depths = depths.iter().map(|depth| (2.0, *depth));
    of_windows.chain(of_depths).map(|(window_blocks, depth)| Alternative { window_blocks, depth }).collect()
}

impl Alternative {
    /// A pool of 10 EH/s with these constants, of which 30% is solar.
    pub(super) fn pool(&self) -> Pool {
        let window_weight: Weight = weight_of_blocks(self.window_blocks);
        let params = ChainParams { window_weight, snapshot_bitcoin_depth: self.depth, ..ChainParams::main() };
        Pool { name: String::new(), params, hashrate: 10.0 * EXA, solar: 0.3, is_in_question: false }
    }

    /// Spread of the pay for a short time of work, as a part of that pay: the blocks found while it lies in the window
    /// are Poisson.
    pub(super) fn spread_of_stint(&self) -> f64 {
        let bonus = 1.0 + f64::from(ChainParams::main().link_credit_divisor).recip();
        (self.window_blocks / bonus).sqrt().recip()
    }
}
