//! Which difficulty a connection gets: never above the share target's, easier for small miners.

use std::time::Instant;

use crate::difficulty::Difficulty;
use crate::limits;

#[cfg(test)]
mod tests;

/// How far an estimate must be from the present value before it replaces it. At 13 shares in a
/// period a steady miner's estimate leaves this band about once in a hundred periods.
const DEAD_BAND: f64 = 2.0;

/// How far below a share target's difficulty under 1 a miner may sink: a miner that paused must not
/// come back with a flood.
const FRACTION_RANGE: f64 = 1_024.0;

/// Follows a miner's rate of shares.
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
    /// Starts at the difficulty `initial`.
    pub fn new(initial: f64, now: Instant) -> Self {
        Self { wanted: initial, floor: 0.0, judged: false, since: now, work: 0.0, shares: 0 }
    }

    /// Raises the least difficulty that the miner asks for; the share target still caps it.
    pub fn raise_floor(&mut self, floor: f64) {
        self.floor = self.floor.max(floor);
    }

    /// Takes a miner's wish: the least difficulty from now on, and where to start if nothing is
    /// known of its rate yet.
    pub fn suggest(&mut self, difficulty: f64) {
        self.floor = difficulty;
        if !self.judged {
            self.wanted = difficulty;
        }
    }

    /// Starts the present period afresh; called when the miner gets its first job.
    pub fn restart(&mut self, now: Instant) {
        self.since = now;
        self.work = 0.0;
        self.shares = 0;
    }

    /// Counts an accepted share of a job with `difficulty`.
    pub fn share(&mut self, difficulty: Difficulty) {
        self.work += difficulty.to_f64();
        self.shares = self.shares.saturating_add(1);
    }

    /// Judges the period and tells whether it was over. `sent` is the difficulty the miner works at.
    pub fn judge(&mut self, sent: Difficulty, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.since);
        if self.shares < limits::VARDIFF_SHARES && elapsed < limits::VARDIFF_PERIOD {
            return false;
        }
        let seconds = elapsed.as_secs_f64().max(limits::TICK.as_secs_f64());
        // Silence says only that the rate is low: a quarter of the present value is tried next.
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

    /// Returns the difficulty of the next job, where `cap` is that of the share target and `sent`
    /// what the miner works at. It is at most `cap`, and a whole number where `cap` is.
    ///
    /// While the share target moves by little, `sent` stays: a few more messages cost less than a
    /// new difficulty on every notify.
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
