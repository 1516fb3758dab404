//! How many outputs a coinbase has, from what payment on, and from when on: what each costs a small miner.

use sharechain::ChainParams;

use super::line::Line;
use crate::models::pay::miners::Group;
use crate::models::pay::units::{BLOCK_WORK, EXA, SUBSIDY_SAT, TERA, YEAR_S, to_f64};

/// Hashrate of the pool, hashes a second.
const POOL_HASHRATE: f64 = 10.0 * EXA;

/// Bytes of a coinbase with one P2TR output less than there are: input, extranonce, witness commitment, commitment.
const COINBASE_BYTES: usize = 185;

/// Bytes of a P2TR output.
const P2TR_BYTES: usize = 43;

/// Numbers of outputs and what made them thinkable.
pub(super) const OUTPUTS: [(usize, &str); 5] = [
    (12, "S19 stock firmware, 755 bytes"),
    (24, ""),
    (48, "S21, Braiins OS, 2,250 bytes"),
    (100, "Whatsminer, Bitaxe, 6,500 bytes"),
    (146, "Whatsminer, Bitaxe, 6,500 bytes"),
];

/// What a draw looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shape {
    /// Outputs in all.
    pub(super) outputs: usize,
    /// Of which exact.
    pub(super) exact: usize,
    /// What each drawn output pays, satoshi.
    pub(super) even_sat: f64,
    /// Payments in a year of a miner with 1 TH/s, in a pool of 10 EH/s.
    pub(super) payments_per_year: f64,
}

impl Shape {
    fn of(line: &Line, params: &ChainParams) -> Self {
        // How many are exact and what the others draw for does not depend on the seed.
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

    /// With at most so many outputs.
    pub(super) fn of_outputs(outputs_max: usize) -> Self {
        Self::of(&Line::honest(), &ChainParams { outputs_max, ..ChainParams::main() })
    }

    /// With that floor, when one miner has all of the pool but a part that a thousand others share.
    pub(super) fn of_floor(output_floor_sat: u64, others: f64) -> Self {
        let line = Line::new(&[Group::new(1, 1.0 - others), Group::new(1_000, others / 1_000.0)]);
        Self::of(&line, &ChainParams { output_floor_sat, ..ChainParams::main() })
    }
}

/// Bytes of a coinbase with so many P2TR outputs.
pub(super) const fn coinbase_bytes(outputs: usize) -> usize {
    COINBASE_BYTES + outputs * P2TR_BYTES
}

/// Standard deviation of a miner's weight in a window of so many shares, over its mean.
pub(super) fn window_noise(shares: f64, part: f64) -> f64 {
    ((1.0 - part) / (part * shares)).sqrt()
}
