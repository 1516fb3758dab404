//! The hours of miners.

use rand::Rng;
use rand_distr::Exp1;

use crate::rng::SimRng;
use crate::scenario::Hours;

/// Returns the times in seconds at which a miner starts and stops, in turn, up to `end_s`. They ascend, and the first
/// one is a start.
pub(super) fn turns(hours: Hours, end_s: f64, rng: &mut SimRng) -> Vec<f64> {
    match hours {
        Hours::Always => vec![0.0],
        Hours::Between { from_s, to_s } => vec![from_s, to_s],
        Hours::Periodic { period_s, on_s, offset_s } => {
            // A period that began before the world may still be on.
            let mut begin_s = offset_s % period_s - period_s;
            let mut turns = Vec::new();
            while begin_s < end_s {
                if begin_s + on_s > 0.0 {
                    turns.extend([begin_s.max(0.0), begin_s + on_s]);
                }
                begin_s += period_s;
            }
            turns
        }
        Hours::Random { on_s, off_s } => {
            let mut turns = Vec::new();
            let mut now_s = 0.0;
            // The initial state has its stationary probability.
            let mut on = rng.random_bool(on_s / (on_s + off_s));
            if on {
                turns.push(now_s);
            }
            while now_s < end_s {
                let draw: f64 = rng.sample(Exp1);
                now_s += draw * if on { on_s } else { off_s };
                turns.push(now_s);
                on = !on;
            }
            turns
        }
    }
}
