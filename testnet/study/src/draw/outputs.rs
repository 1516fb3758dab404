//! The number of coinbase outputs, the smallest payment and the start of payments, and what each costs a small miner.

use sharechain::ChainParams;

use super::line::Line;
use crate::models::pay::miners::Group;
use crate::models::pay::units::{BLOCK_WORK, EXA, SUBSIDY_SAT, TERA, YEAR_S, to_f64};

/// Hashrate of the pool, in hashes per second.
const POOL_HASHRATE: f64 = 10.0 * EXA;

/// Bytes of a coinbase without one P2TR output: input, extranonce, witness commitment, commitment.
const COINBASE_BYTES: usize = 185;

/// Bytes of a P2TR output.
const P2TR_BYTES: usize = 43;

/// Numbers of outputs, and the reason for each.
pub(super) const OUTPUTS: [(usize, &str); 5] = [
    (12, "S19 stock firmware, 755 bytes"),
    (24, ""),
    (48, "S21, Braiins OS, 2,250 bytes"),
    (100, "Whatsminer, Bitaxe, 6,500 bytes"),
    (146, "Whatsminer, Bitaxe, 6,500 bytes"),
];

/// The shape of a draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shape {
    /// Number of all outputs.
    pub(super) outputs: usize,
    /// Number of exact outputs.
    pub(super) exact: usize,
    /// Payment of each drawn output, in satoshi.
    pub(super) even_sat: f64,
    /// Payments per year to a miner with 1 TH/s in a pool of 10 EH/s.
    pub(super) payments_per_year: f64,
}

impl Shape {
    fn of(line: &Line, params: &ChainParams) -> Self {
        // The number of exact outputs and the drawn payment do not depend on the seed.
        let selection = line.select(&[0; 32], params);
        let tail = selection.entries().last().map_or(1.0, |due| to_f64(due.weight.0));
        let exact = selection.entries().iter().filter(|due| to_f64(due.weight.0) > tail).count();
        let part = tail / to_f64(selection.total().0);
        let blocks_per_year = POOL_HASHRATE / to_f64(BLOCK_WORK) * YEAR_S;
        Self {
            outputs: selection.entries().len(),
            exact,
            even_sat: part * to_f64(u128::from(SUBSIDY_SAT)),
            payments_per_year: blocks_per_year * TERA / POOL_HASHRATE / part,
        }
    }

    /// Computes the shape with at most `outputs_max` outputs.
    pub(super) fn of_outputs(outputs_max: usize) -> Self {
        Self::of(&Line::honest(), &ChainParams { outputs_max, ..ChainParams::main() })
    }

    /// Computes the shape with this output floor, if one miner has the whole pool except a part that a thousand others
    /// share.
    pub(super) fn of_floor(output_floor_sat: u64, others: f64) -> Self {
        let line = Line::new(&[Group::new(1, 1.0 - others), Group::new(1_000, others / 1_000.0)]);
        Self::of(&line, &ChainParams { output_floor_sat, ..ChainParams::main() })
    }
}

/// Returns the bytes of a coinbase with this number of P2TR outputs.
pub(super) const fn coinbase_bytes(outputs: usize) -> usize {
    COINBASE_BYTES + outputs * P2TR_BYTES
}

/// Returns the coefficient of variation of a miner's weight in a window of `shares` shares.
pub(super) fn window_noise(shares: f64, part: f64) -> f64 {
    ((1.0 - part) / (part * shares)).sqrt()
}
