//! The depths of snapshot and seed, and the choices that they leave to a miner. Exact, because Bitcoin blocks are a
//! Poisson process.

use sharechain::ChainParams;

use crate::models::pay::units::BLOCK_INTERVAL_S;

/// The consequences of a snapshot depth, in Bitcoin blocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depth {
    /// Mean minutes from snapshot to block.
    pub(super) lag_min: f64,
    /// Probability that the oldest proof that still earns has an anchor below the depth, so that its finder chose among
    /// snapshots by choosing a parent.
    pub(super) choice: f64,
    /// Probability that the seed was known before the snapshot was buried by 60, 240 and 360 links: the anchor depth,
    /// the credit depth and the depth at which links settle.
    pub(super) early_seed: [f64; 3],
}

/// Burials of a snapshot, in links.
pub(super) const BURIALS: [u32; 3] = [60, 240, 360];

impl Depth {
    /// Computes the consequences of a snapshot `blocks` Bitcoin blocks deep.
    pub(super) fn of(blocks: u32, params: &ChainParams) -> Self {
        let link_s = f64::from(params.link_interval_s);
        let burial_s = f64::from(params.snapshot_burial) * link_s;
        let oldest_s = f64::from(params.credit_depth) * link_s;
        // Blocks between the one followed by the snapshot's first link and the seed.
        let between = blocks.saturating_sub(params.seed_depth);
        let early = |links: u32| reached(between, f64::from(links) * link_s - burial_s);
        Self {
            lag_min: (f64::from(blocks) * BLOCK_INTERVAL_S + burial_s) / 60.0,
            choice: reached(blocks + 1, oldest_s),
            early_seed: BURIALS.map(early),
        }
    }
}

/// Returns the probability of at least `blocks` Bitcoin blocks within `seconds`.
pub(super) fn reached(blocks: u32, seconds: f64) -> f64 {
    let mean = (seconds / BLOCK_INTERVAL_S).max(0.0);
    let (mut term, mut below) = ((-mean).exp(), 0.0);
    for count in 0..blocks {
        below += term;
        term *= mean / f64::from(count + 1);
    }
    // Summing the tail itself is more precise than subtracting the sum from 1.
    if below < 0.5 {
        return 1.0 - below;
    }
    let mut above = 0.0;
    let mut count = f64::from(blocks);
    while term > f64::MIN_POSITIVE && term > above * f64::EPSILON {
        above += term;
        count += 1.0;
        term *= mean / count;
    }
    above
}
