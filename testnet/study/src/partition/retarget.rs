//! How fast the classic rules adjust their difficulty after a change of hashrate. Shares are drawn one after the other
//! on one chain, without a network. The rules are those of the sources named in [`crate::models::baseline::rules`].

use rand::Rng;
use rand_distr::Exp1;

use super::settling::{Settling, TOLERANCE};
use crate::models::baseline::rules::{MONERO_P2POOL, P2POOL, P2POOL_V2, Rules};
use sim::rng::SimRng;

/// Number of shares before the change, more than any rule looks back.
const BEFORE: usize = 2_500;

/// Largest number of shares after it. No rule takes that many to settle.
const AFTER_MAX: usize = 200_000;

/// Seconds for which the expected interval must stay within the tolerance.
const STAYS_S: f64 = 600.0;

/// The difficulty rule of a rule set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Retarget {
    /// p2pool: the hashrate of the last 200 shares, with steps of at most a tenth (`data.py`, `TARGET_LOOKBEHIND`).
    Lookbehind,
    /// p2poolv2: an absolute schedule with a half-life of 600 s (`pool_difficulty.rs`).
    Schedule,
    /// Monero p2pool: the last 2,160 shares without the tenth at either end (`side_chain.cpp`, `get_difficulty`).
    Window,
}

impl Retarget {
    /// Each rule set with its difficulty rule.
    pub(super) const ALL: [(Rules, Self); 3] =
        [(P2POOL, Self::Lookbehind), (P2POOL_V2, Self::Schedule), (MONERO_P2POOL, Self::Window)];

    /// Returns the difficulty of the share on top of these, in hashes.
    fn next(self, chain: &[Share], interval_s: f64) -> f64 {
        let last = chain.len() - 1;
        match self {
            Self::Lookbehind => {
                let (near, far) = (&chain[last], &chain[last.saturating_sub(199)]);
                let rate_hs = (near.work - far.work) / (near.at_s - far.at_s).max(1.0);
                (rate_hs * interval_s).clamp(near.hashes / 1.1, near.hashes / 0.9)
            }
            Self::Schedule => {
                let ahead_s = interval_s * (last as f64) - chain[last].at_s;
                interval_s * 2_f64.powf(ahead_s / 600.0)
            }
            Self::Window => {
                let window = &chain[chain.len().saturating_sub(2_160)..];
                let cut = window.len().div_ceil(10);
                let (old, new) = (&window[cut - 1], &window[window.len() - cut]);
                let steps = (window.len() - 2 * cut + 1) as f64;
                (new.work - old.work) * interval_s / (new.at_s - old.at_s).max(steps)
            }
        }
    }

    /// Simulates how long it takes to settle after the hashrate grew to `factor` times its value.
    pub(super) fn settles(self, rules: &Rules, factor: f64, rng: &mut SimRng) -> Settling {
        let interval_s = rules.interval.as_secs_f64();
        // One hash per second before the change. The first chain is exactly on time.
        let old = |index: usize| Share {
            at_s: index as f64 * interval_s,
            hashes: interval_s,
            work: index as f64 * interval_s,
        };
        let mut chain: Vec<Share> = (0..BEFORE).map(old).collect();
        let changed_s = chain[BEFORE - 1].at_s;
        let (mut since_s, mut busiest_per_s) = (None, 0.0_f64);
        for _ in 0..AFTER_MAX {
            let hashes = self.next(&chain, interval_s);
            let last = chain[chain.len() - 1];
            let expected_s = hashes / factor;
            busiest_per_s = busiest_per_s.max(1.0 / expected_s);
            let in_time = expected_s < interval_s * TOLERANCE && expected_s > interval_s / TOLERANCE;
            since_s = if in_time { since_s.or(Some(last.at_s)) } else { None };
            if since_s.is_some_and(|since_s| last.at_s - since_s >= STAYS_S) {
                break;
            }
            let waited: f64 = rng.sample::<f64, _>(Exp1) * expected_s;
            chain.push(Share { at_s: last.at_s + waited, hashes, work: last.work + hashes });
        }
        Settling { after_s: since_s.map(|since_s| since_s - changed_s), busiest_per_s }
    }
}

/// A share of the one chain.
#[derive(Clone, Copy, Debug)]
struct Share {
    at_s: f64,
    hashes: f64,
    /// Hashes of it and of all shares below it.
    work: f64,
}

#[cfg(test)]
mod tests;
