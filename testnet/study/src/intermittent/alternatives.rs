//! Other windows and snapshots: the worth of a hash by the hour, and the cost of waiting.

use sharechain::{ChainParams, Weight};

use super::pools::Pool;
use crate::jobs::Size;
use crate::models::pay::units::{EXA, weight_of_blocks};

/// Alternative constants.
#[derive(Clone, Debug)]
pub(super) struct Alternative {
    /// Weight of a window, in expected blocks.
    pub(super) window_blocks: f64,
    /// Depth of the snapshot, in Bitcoin blocks.
    pub(super) depth: u32,
}

/// Returns windows at the chosen snapshot, and snapshots at the chosen window.
pub(super) fn all(size: Size) -> Vec<Alternative> {
    let chosen = ChainParams::main();
    let windows: &[f64] = size.pick(&[0.5, 1.0, 2.0, 4.0, 8.0], &[0.5, 2.0]);
    let depths: &[u32] = size.pick(&[3, 7, 25], &[3]);
    let of_windows = windows.iter().map(|blocks| (*blocks, chosen.snapshot_bitcoin_depth));
    let of_depths = depths.iter().map(|depth| (2.0, *depth));
    of_windows.chain(of_depths).map(|(window_blocks, depth)| Alternative { window_blocks, depth }).collect()
}

impl Alternative {
    /// Returns a pool of 10 EH/s with these constants, of which 30% is solar.
    pub(super) fn pool(&self) -> Pool {
        let window_weight: Weight = weight_of_blocks(self.window_blocks);
        let params = ChainParams { window_weight, snapshot_bitcoin_depth: self.depth, ..ChainParams::main() };
        Pool { name: String::new(), params, hashrate: 10.0 * EXA, solar: 0.3, is_in_question: false }
    }

    /// Returns the coefficient of variation of the pay for a short time of work. The number of blocks found while it is
    /// in the window has a Poisson distribution.
    pub(super) fn spread_of_stint(&self) -> f64 {
        let bonus = 1.0 + f64::from(ChainParams::main().link_credit_divisor).recip();
        (self.window_blocks / bonus).sqrt().recip()
    }
}
