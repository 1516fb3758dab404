//! An attacker's gain from choosing between draws.

use sharechain::ChainParams;

use super::line::{Line, seed};
use crate::jobs::Size;
use crate::stats::as_f64;
use sim::rng::SimRng;

/// Number of coinbase outputs for devices with small buffers.
pub(super) const SMALL_CLASS: usize = 12;

/// Possible parts of Bitcoin's hashrate that the pool has.
pub(super) const NETWORK_PARTS: [f64; 3] = [0.01, 0.1, 0.3];

/// Largest number of competing tips.
pub(super) const TIPS: usize = 3;

/// An attacker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attack {
    /// Its part of the pool, 0 to 1.
    pub(super) part: f64,
    /// Number of scripts among which it splits its hashrate.
    pub(super) scripts: u32,
}

/// The gains from choices, as parts of the fair income.
#[derive(Clone, Debug)]
pub(super) struct Gains {
    /// Pay over due, without any choice.
    pub(super) mean: f64,
    /// Coefficient of variation of the pay per block.
    pub(super) spread: f64,
    /// Gain from the better of two device classes.
    pub(super) two_classes: f64,
    /// Gain from the best of 1, 2 and 3 draws, in each block that it finds.
    pub(super) tips: [f64; TIPS],
    /// Gain from discarding blocks, for each of [`NETWORK_PARTS`].
    pub(super) discard: [f64; NETWORK_PARTS.len()],
}

/// Returns attackers of all sizes, with few and many scripts.
pub(super) fn all(size: Size) -> Vec<Attack> {
    let parts: &[f64] = size.pick(&[0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3], &[0.001, 0.01, 0.3]);
    let scripts: &[u32] = size.pick(&[1, 2, 4, 16, 64], &[1, 16]);
    parts.iter().flat_map(|part| scripts.iter().map(|scripts| Attack { part: *part, scripts: *scripts })).collect()
}

impl Attack {
    /// Returns the attacker's name in tables.
    pub(super) fn name(&self) -> String {
        let scripts = if self.scripts == 1 { "1 script".to_owned() } else { format!("{} scripts", self.scripts) };
        format!("{:.1}% of the pool under {scripts}", 100.0 * self.part)
    }

    /// Samples `draws` draws.
    pub(super) fn measure(&self, draws: usize, rng: &mut SimRng) -> Gains {
        let line = Line::with_attacker(self.part, self.scripts);
        let own = 0..usize::try_from(self.scripts).unwrap_or(usize::MAX);
        let large = ChainParams::main();
        let small = ChainParams { outputs_max: SMALL_CLASS, ..ChainParams::main() };
        let pairs: Vec<(f64, f64)> = (0..draws)
            .map(|_| {
                let seed = seed(rng);
                let pay = |params| line.part_of(&own, &line.select(&seed, params)) / self.part;
                (pay(&large), pay(&small))
            })
            .collect();
        let pays: Vec<f64> = pairs.iter().map(|(large, _)| *large).collect();
        let mean = average(pays.iter().copied());
        let better = average(pairs.iter().map(|(large, small)| large.max(*small)));
        Gains {
            mean,
            spread: average(pays.iter().map(|pay| (pay - mean).powi(2))).sqrt(),
            two_classes: self.part * (better - mean),
            tips: [1, 2, TIPS].map(|tips| self.part * (best_of(&pays, tips) - mean)),
            discard: NETWORK_PARTS.map(|network| self.part * discarded(&pays, network)),
        }
    }
}

fn average(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = as_f64(values.len());
    values.sum::<f64>() / count
}

/// Returns the mean of the best of `draws` independent draws. Over all draws in order, each is the best one with a
/// known probability.
fn best_of(pays: &[f64], draws: usize) -> f64 {
    let mut sorted = pays.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = as_f64(sorted.len());
    let power = i32::try_from(draws).unwrap_or(1);
    let chance = |rank: usize| (as_f64(rank) / count).powi(power);
    sorted.iter().enumerate().map(|(rank, pay)| pay * (chance(rank + 1) - chance(rank))).sum()
}

/// Returns an attacker's gain from discarding blocks, as a part of its income.
///
/// The unit is the attacker's due in a block of the pool. Publishing a block gives `now` and, if the pool finds the
/// block two heights later, `next`. Discarding it gives the mean then, and `now` if the pool finds the other block at
/// that height. The attacker knows both draws.
fn discarded(pays: &[f64], network: f64) -> f64 {
    let mean = average(pays.iter().copied());
    let nows = pays.iter();
    // Draws are independent, so any other pay of the sample can serve as the next one.
    let nexts = pays.iter().skip(1).chain(pays.first());
    let gains = nows.zip(nexts).map(|(now, next)| (network * (mean - next) - (1.0 - network) * now).max(0.0));
    gains.sum::<f64>() / as_f64(pays.len())
}
