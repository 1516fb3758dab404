//! Variable difficulty: follows a miner's share rate, and never exceeds the share target's difficulty.

use std::time::Instant;

use crate::difficulty::Difficulty;
use crate::limits;

#[cfg(test)]
mod tests;

/// Factor by which an estimate must differ from the current value to replace it. With 13 shares per
/// period, a steady miner's estimate leaves this band about once per hundred periods.
const DEAD_BAND: f64 = 2.0;

/// Factor by which a miner's difficulty may drop below a share target's difficulty under 1. Without
/// this bound, a miner that resumes after a pause would flood the server.
const FRACTION_RANGE: f64 = 1_024.0;

/// Chooses the difficulty of one connection from its share rate.
///
/// The session reports each accepted share with [`Self::share`], calls [`Self::judge`] regularly, and
/// asks [`Self::choose`] for the difficulty of each new job.
#[derive(Clone, Debug)]
pub struct Vardiff {
    wanted: f64,
    floor: f64,
    judged: bool,
    since: Instant,
    work: f64,
    shares: u32,
}

impl Vardiff {
    /// Starts at the difficulty `initial`, without a minimum.
    pub fn new(initial: f64, now: Instant) -> Self {
        Self { wanted: initial, floor: 0.0, judged: false, since: now, work: 0.0, shares: 0 }
    }

    /// Raises the minimum difficulty to at least `floor`. The share target still caps it.
    pub fn raise_floor(&mut self, floor: f64) {
        self.floor = self.floor.max(floor);
    }

    /// Applies a miner's request: `difficulty` becomes the minimum. Before the first period ends, it
    /// also becomes the starting point.
    pub fn suggest(&mut self, difficulty: f64) {
        self.floor = difficulty;
        if !self.judged {
            self.wanted = difficulty;
        }
    }

    /// Restarts the current period. The session calls this when it sends the first job.
    pub fn restart(&mut self, now: Instant) {
        self.since = now;
        self.work = 0.0;
        self.shares = 0;
    }

    /// Counts an accepted share of a job with this difficulty.
    pub fn share(&mut self, difficulty: Difficulty) {
        self.work += difficulty.to_f64();
        self.shares = self.shares.saturating_add(1);
    }

    /// Updates the estimate if the current period is over, and returns whether it was. `sent` is the
    /// difficulty of the miner's newest job.
    pub fn judge(&mut self, sent: Difficulty, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.since);
        if self.shares < limits::VARDIFF_SHARES && elapsed < limits::VARDIFF_PERIOD {
            return false;
        }
        let seconds = elapsed.as_secs_f64().max(limits::TICK.as_secs_f64());
        // Silence only shows that the rate is low, so try a quarter of the current difficulty.
        let estimate = match self.shares {
            0 => sent.to_f64() / 4.0,
            _ => self.work / seconds * limits::SHARE_INTERVAL_S,
        };
        if estimate > self.wanted * DEAD_BAND || estimate < self.wanted / DEAD_BAND {
            self.wanted = estimate;
        }
        self.judged = true;
        self.restart(now);
        true
    }

    /// Returns the difficulty of the next job. `cap` is the share target's difficulty, and `sent` that
    /// of the newest job. The result is at most `cap`, and a whole number if `cap` is one.
    ///
    /// Where `cap` decides, the result stays at `sent` as long as that is at most 1/16 below `cap`: a few
    /// extra shares cost less than a new difficulty with every job.
    pub fn choose(&self, cap: Difficulty, sent: Option<Difficulty>) -> Difficulty {
        let wanted = self.wanted.max(self.floor);
        let least = if cap >= Difficulty::ONE { 1.0 } else { cap.to_f64() / FRACTION_RANGE };
        let wanted = wanted.max(least);
        let choice = Difficulty::floor(wanted).min(cap);
        match sent {
            Some(sent) if choice == cap && sent <= cap && sent.to_f64() >= cap.to_f64() * 15.0 / 16.0 => sent,
            _ => choice,
        }
    }
}
