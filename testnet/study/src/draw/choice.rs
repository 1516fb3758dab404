//! What a choice between draws would gain an attacker.

use sharechain::ChainParams;

use super::line::{Line, seed};
use crate::jobs::Size;
use crate::stats::as_f64;
use sim::rng::SimRng;

/// Outputs of a coinbase for devices with small buffers.
pub(super) const SMALL_CLASS: usize = 12;

/// Parts of Bitcoin's hashrate that the pool may have.
pub(super) const NETWORK_PARTS: [f64; 3] = [0.01, 0.1, 0.3];

/// Most tips that compete.
pub(super) const TIPS: usize = 3;

/// An attacker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attack {
    /// Its part of the pool.
    pub(super) part: f64,
    /// Scripts among which it splits it.
    pub(super) scripts: u32,
}

/// What choices gain: parts of the fair income.
#[derive(Clone, Debug)]
pub(super) struct Gains {
    /// Pay without any choice over due.
    pub(super) mean: f64,
    /// Standard deviation of the pay for a block, over its mean.
    pub(super) spread: f64,
    /// From the better of two classes.
    pub(super) two_classes: f64,
    /// From the best of 1, 2, 3 draws, in every block that it finds.
    pub(super) tips: [f64; TIPS],
    /// From throwing blocks away, by [`NETWORK_PARTS`].
    pub(super) discard: [f64; NETWORK_PARTS.len()],
}

/// Attackers of all sizes, with few and many scripts.
pub(super) fn all(size: Size) -> Vec<Attack> {
    let parts: &[f64] = size.pick(&[0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3], &[0.001, 0.01, 0.3]);
    let scripts: &[u32] = size.pick(&[1, 2, 4, 16, 64], &[1, 16]);
    parts.iter().flat_map(|part| scripts.iter().map(|scripts| Attack { part: *part, scripts: *scripts })).collect()
}

impl Attack {
    /// In words.
    pub(super) fn name(&self) -> String {
        let scripts = if self.scripts == 1 { "1 script".to_owned() } else { format!("{} scripts", self.scripts) };
        format!("{:.1}% of the pool under {scripts}", 100.0 * self.part)
    }

    /// Samples so many draws.
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

/// Mean of the best of so many independent draws: over all draws in order, each is the best with a known chance.
fn best_of(pays: &[f64], draws: usize) -> f64 {
    let mut sorted = pays.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = as_f64(sorted.len());
    let power = i32::try_from(draws).unwrap_or(1);
    let chance = |rank: usize| (as_f64(rank) / count).powi(power);
    sorted.iter().enumerate().map(|(rank, pay)| pay * (chance(rank + 1) - chance(rank))).sum()
}

/// What an attacker gains, as a part of its income, for each part of the pool that it is.
///
/// In units of what it is due from a block of the pool: publishing the block that it found gives `now` and, when the
/// pool finds the block after next but one, `next`. Throwing it away gives the mean then, and `now` when the pool finds
/// the other block at that height. Both draws are known to it.
fn discarded(pays: &[f64], network: f64) -> f64 {
    let mean = average(pays.iter().copied());
    let nows = pays.iter();
    // Draws are independent: any other pay of the sample will do for the next.
    let nexts = pays.iter().skip(1).chain(pays.first());
    let gains = nows.zip(nexts).map(|(now, next)| (network * (mean - next) - (1.0 - network) * now).max(0.0));
    gains.sum::<f64>() / as_f64(pays.len())
}
