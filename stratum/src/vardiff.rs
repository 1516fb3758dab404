//! Variable difficulty: follows a miner's share rate, and never exceeds the share target's difficulty.

use std::time::Instant;

use crate::difficulty::{Difficulty, DifficultyRange};
use crate::limits;

#[cfg(test)]
mod tests;

/// Factor by which an estimate must differ from the current value to replace it. With 13 shares per
/// period, a steady miner's estimate leaves this band about once per hundred periods.
const DEAD_BAND: f64 = 2.0;

/// Factor by which a miner's difficulty may drop below a share target's difficulty under 1. Without
/// this bound, a miner that resumes after a pause would flood the server.
const FRACTION_RANGE: f64 = 1_024.0;

/// Factor by which the difficulty falls after a period without a share; after the next one by its square, and so on.
const SILENT_STEP: f64 = 4.0;

/// The factors for a miner that has never found a share; the last one repeats. They bring a miner of 1 GH/s from a
/// difficulty of 16 million near its rate in three steps, and a faster one not far below its rate.
const UNHEARD_STEPS: [f64; 3] = [64.0, 4_096.0, 16.0];

/// Bounds the powers of these steps.
const SILENT_PERIODS_MAX: i32 = 16;

/// Chooses the difficulty of one connection from its share rate.
///
/// The session reports each accepted share with [`Self::share`], calls [`Self::judge`] regularly, and
/// asks [`Self::choose`] for the difficulty of each new job.
#[derive(Clone, Debug)]
pub struct Vardiff {
    range: DifficultyRange,
    wanted: f64,
    floor: f64,
    agent_floor: f64,
    judged: bool,
    /// Whether the miner has ever found a share.
    heard: bool,
    /// Number of periods without a share since the last one with shares.
    silent: i32,
    since: Instant,
    work: f64,
    shares: u32,
    /// When the miner last said that its rate is lower, and was believed.
    lowered: Option<Instant>,
}

impl Vardiff {
    /// Starts at the start of `range`.
    pub fn new(range: DifficultyRange, now: Instant) -> Self {
        Self {
            range,
            wanted: range.start,
            floor: 0.0,
            agent_floor: 0.0,
            judged: false,
            heard: false,
            silent: 0,
            since: now,
            work: 0.0,
            shares: 0,
            lowered: None,
        }
    }

    /// Continues with the difficulty that fit the device on an earlier connection. A suggestion is a minimum from then on.
    pub fn go_on_from(&mut self, difficulty: f64) {
        self.wanted = difficulty;
        self.judged = true;
    }

    /// Returns the difficulty that fits the device by its shares. `None` before a period with shares has ended.
    pub fn fitting(&self) -> Option<f64> {
        (self.judged && self.heard).then_some(self.wanted)
    }

    /// Sets the lowest difficulty that the miner's program accepts. The share target still caps it.
    pub fn set_agent_floor(&mut self, floor: f64) {
        self.agent_floor = floor;
    }

    /// Applies a miner's request: `difficulty` becomes the minimum. Before the first period ends, it
    /// also becomes the starting point.
    pub fn suggest(&mut self, difficulty: f64) {
        self.floor = difficulty;
        if !self.judged {
            self.wanted = difficulty;
        }
    }

    /// Sets the lowest difficulty that the miner's device takes. The share target still caps it.
    pub fn set_floor(&mut self, floor: f64) {
        self.floor = floor;
    }

    /// Continues with the difficulty that fits the rate that the miner reports. A lower one begins a new period, once in
    /// [`limits::VARDIFF_PERIOD`]: a miner that said it more often would never be measured, and could flood the server with
    /// easy shares.
    pub fn expect(&mut self, difficulty: f64, now: Instant) {
        if difficulty <= self.wanted {
            let is_recent = |then| now.saturating_duration_since(then) < limits::VARDIFF_PERIOD;
            if self.lowered.is_some_and(is_recent) {
                return;
            }
            self.lowered = Some(now);
            self.restart(now);
        }
        self.wanted = difficulty;
    }

    /// Restarts the current period. The session calls this when it sends the first job.
    pub fn restart(&mut self, now: Instant) {
        self.since = now;
        self.work = 0.0;
        self.shares = 0;
    }

    /// Counts an accepted share of a job with this difficulty.
    pub fn share(&mut self, difficulty: Difficulty) {
        self.heard = true;
        self.work += difficulty.to_f64();
        self.shares = self.shares.saturating_add(1);
    }

    /// Updates the estimate if the current period is over, and returns whether it was. `sent` is the
    /// difficulty of the miner's newest job.
    pub fn judge(&mut self, sent: Difficulty, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.since);
        let period = if self.heard { limits::VARDIFF_PERIOD } else { limits::VARDIFF_SILENCE };
        if self.shares < limits::VARDIFF_SHARES && elapsed < period {
            return false;
        }
        let seconds = elapsed.as_secs_f64().max(limits::VARDIFF_SHORTEST.as_secs_f64());
        let estimate = if self.shares > 0 {
            self.silent = 0;
            self.work / seconds * limits::SHARE_INTERVAL_S
        } else {
            // Silence only shows that the rate is low. The longer it lasts, the larger the next step.
            self.silent = self.silent.saturating_add(1).min(SILENT_PERIODS_MAX);
            let unheard = UNHEARD_STEPS[usize::try_from(self.silent - 1).unwrap_or(0).min(UNHEARD_STEPS.len() - 1)];
            sent.to_f64() / if self.heard { SILENT_STEP.powi(self.silent) } else { unheard }
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
        let wanted = self.wanted.max(self.floor).max(self.agent_floor).max(self.range.min).min(self.range.max);
        let least = if cap >= Difficulty::ONE { 1.0 } else { cap.to_f64() / FRACTION_RANGE };
        let wanted = wanted.max(least);
        let choice = Difficulty::floor(wanted).min(cap);
        match sent {
            Some(sent) if choice == cap && sent <= cap && sent.to_f64() >= cap.to_f64() * 15.0 / 16.0 => sent,
            _ => choice,
        }
    }
}
