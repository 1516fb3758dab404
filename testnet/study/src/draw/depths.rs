//! How far back snapshot and seed lie, and what could still be chosen. Exact: Bitcoin blocks are a Poisson process.

use sharechain::ChainParams;

use crate::models::pay::units::BLOCK_INTERVAL_S;

/// What a depth of the snapshot, in Bitcoin blocks, allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depth {
    /// Minutes from snapshot to block on average.
    pub(super) lag_min: f64,
    /// Chance that a proof which is as old as still earns has an anchor below the depth, so that its maker chose among
    /// snapshots by choosing a parent.
    pub(super) choice: f64,
    /// Chance that the seed was known while the snapshot was buried by less than an anchor's depth, the depth of credit
    /// and finality: 60, 240 and 360 links.
    pub(super) early_seed: [f64; 3],
}

/// Burials, links.
pub(super) const BURIALS: [u32; 3] = [60, 240, 360];

impl Depth {
    /// Of a snapshot so many Bitcoin blocks deep.
    pub(super) fn of(blocks: u32, params: &ChainParams) -> Self {
        let link_s = f64::from(params.link_interval_s);
        let burial_s = f64::from(params.snapshot_burial) * link_s;
        let oldest_s = f64::from(params.credit_depth) * link_s;
        // Between the block after which the snapshot's first link came and the one that is the seed.
        let between = blocks.saturating_sub(params.seed_depth) + 1;
        let early = |links: u32| reached(between, f64::from(links) * link_s - burial_s);
        Self {
            lag_min: (f64::from(blocks + 1) * BLOCK_INTERVAL_S + burial_s) / 60.0,
            choice: reached(blocks + 2, oldest_s),
            early_seed: BURIALS.map(early),
        }
    }
}

/// The chance of at least so many Bitcoin blocks in a time.
pub(super) fn reached(blocks: u32, seconds: f64) -> f64 {
    let mean = (seconds / BLOCK_INTERVAL_S).max(0.0);
    let (mut term, mut below) = ((-mean).exp(), 0.0);
    for count in 0..blocks {
        below += term;
        term *= mean / f64::from(count + 1);
    }
    // What is left of the sum is the chance itself, to more digits than one less the sum.
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
