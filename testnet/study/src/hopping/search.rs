//! The search for the cadence that gains most per hash.

use super::cadence::{Act, Cadence, Case};
use crate::jobs::Size;
use crate::models::pay::units::DAY_S;

/// Least time between two changes, in seconds: the model's steps are a twelfth of it.
const LEAST_S: f64 = 3_600.0;

/// Longest cadence, in seconds.
const LONGEST_S: f64 = 120.0 * DAY_S;

/// Hours that the grid tries for each act.
const HOURS: [f64; 14] = [1.0, 2.0, 4.0, 8.0, 12.0, 24.0, 48.0, 72.0, 120.0, 168.0, 240.0, 336.0, 504.0, 672.0];

/// Equal times into which the climb divides a cadence.
const SLOTS: usize = 24;

/// Two acts that alternate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) acts: [Act; 2],
}

/// What a miner may alternate between.
pub(super) const KINDS: [Kind; 3] = [
    Kind { name: "splitting: fresh scripts, then one", acts: [Act::Split, Act::Whole] },
    Kind { name: "hopping: one script, then away", acts: [Act::Whole, Act::Away] },
    Kind { name: "both: fresh scripts, then away", acts: [Act::Split, Act::Away] },
];

/// A cadence and its gain.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Found {
    pub(super) cadence: Cadence,
    /// Gain per hash, as a part of the due.
    pub(super) gain: f64,
}

/// All gains of one kind, and the best after refinement.
#[derive(Clone, Debug)]
pub(super) struct Searched {
    /// For each duration of the first act, in hours: the best gain over all durations of the second.
    pub(super) by_first: Vec<(f64, f64)>,
    pub(super) best: Found,
    /// Number of cadences tried.
    pub(super) tried: usize,
}

/// Searches the best cadence of one kind: over a grid, then around its best point.
pub(super) fn of_two(case: &Case, kind: Kind, size: Size) -> Searched {
    let step = size.pick(1, 5);
    let hours: Vec<f64> = HOURS.into_iter().skip(step - 1).step_by(step).collect();
    let mut tried = 0;
    let mut found = |first_s: f64, second_s: f64| {
        tried += 1;
        let cadence = Cadence::of_two((kind.acts[0], first_s), (kind.acts[1], second_s));
        Found { gain: case.gain(&cadence), cadence }
    };
    let mut by_first = Vec::new();
    let mut best: Option<Found> = None;
    for first in &hours {
        let row = hours.iter().map(|second| found(first * LEAST_S, second * LEAST_S));
        let Some(top) = row.max_by(|a, b| a.gain.total_cmp(&b.gain)) else { continue };
        by_first.push((*first, top.gain));
        best = better(best, top);
    }
    let mut best = best.expect("the grid is not empty");
    for factor in size.pick(&[1.3, 1.1, 1.04][..], &[1.2][..]) {
        while let Some(next) = [(*factor, 1.0), (1.0 / factor, 1.0), (1.0, *factor), (1.0, 1.0 / factor)]
            .into_iter()
            .map(|(first, second)| (best.cadence.acts[0].1 * first, best.cadence.acts[1].1 * second))
            .filter(|(first_s, second_s)| first_s.min(*second_s) >= LEAST_S && first_s + second_s <= LONGEST_S)
            .map(|(first_s, second_s)| found(first_s, second_s))
            .find(|next| next.gain > best.gain)
        {
            best = next;
        }
    }
    Searched { by_first, best, tried }
}

fn better(best: Option<Found>, other: Found) -> Option<Found> {
    Some(best.filter(|best| best.gain >= other.gain).unwrap_or(other))
}

/// Climbs from a cadence: divides it into equal slots, and changes one slot after the other, or the length of all, as
/// long as that gains. A miner that splits has three acts to choose from, others two.
pub(super) fn climb(case: &Case, from: &Found, acts: &[Act], size: Size) -> (Found, usize) {
    let slot_s = (from.cadence.period_s() / 24.0).max(LEAST_S);
    let slots = size.pick(SLOTS, 6);
    let slot_s = slot_s * 24.0 / f64::from(u32::try_from(slots).unwrap_or(1));
    let acts_of = (0..slots).map(|slot| {
        #[expect(clippy::cast_precision_loss, reason = "a few slots")]
        let middle_s = (slot as f64 + 0.5) * slot_s;
        (from.cadence.at(middle_s).0, slot_s)
    });
    let cadence = Cadence { acts: acts_of.collect() };
    if !cadence.mines() {
        return (from.clone(), 0);
    }
    let mut best = Found { gain: case.gain(&cadence), cadence };
    let mut tried = 1;
    for _ in 0..size.pick(8, 1) {
        let before = best.gain;
        for slot in 0..slots {
            for act in acts {
                let mut cadence = best.cadence.clone();
                if cadence.acts[slot].0 == *act {
                    continue;
                }
                cadence.acts[slot].0 = *act;
                if cadence.mines() {
                    best = try_one(case, best, cadence, &mut tried);
                }
            }
        }
        for factor in [1.25, 0.8, 1.08, 0.93] {
            let cadence = best.cadence.stretched(factor);
            if cadence.period_s() <= LONGEST_S && cadence.acts[0].1 >= LEAST_S {
                best = try_one(case, best, cadence, &mut tried);
            }
        }
        if best.gain <= before {
            break;
        }
    }
    let best = if from.gain > best.gain { from.clone() } else { best };
    (best, tried)
}

fn try_one(case: &Case, best: Found, cadence: Cadence, tried: &mut usize) -> Found {
    *tried += 1;
    let gain = case.gain(&cadence);
    if gain > best.gain { Found { cadence, gain } } else { best }
}
