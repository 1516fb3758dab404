//! Counters of submissions, for one connection or for the whole server.

use serde::Serialize;

use crate::message::RejectReason;

/// Number of rejected submissions for each reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rejected {
    /// The job is unknown or expired, or builds on an old Bitcoin tip.
    pub stale: u64,
    /// The connection sent the same header before.
    pub duplicate: u64,
    /// The hash is above the job's target.
    pub low_difficulty: u64,
    /// The header's time is outside the job's range.
    pub time: u64,
    /// The miner rolled version bits outside the mask.
    pub version: u64,
    /// The connection has not subscribed or has not authorized this user name.
    pub unauthorized: u64,
    /// The parameters of a request are malformed. Covers all methods, not just `mining.submit`.
    pub malformed: u64,
}

impl Rejected {
    /// Counts one rejection.
    pub(crate) fn count(&mut self, reason: RejectReason) {
        let counter = match reason {
            RejectReason::Stale => &mut self.stale,
            RejectReason::Duplicate => &mut self.duplicate,
            RejectReason::LowDifficulty => &mut self.low_difficulty,
            RejectReason::Time => &mut self.time,
            RejectReason::Version => &mut self.version,
            RejectReason::Unauthorized => &mut self.unauthorized,
            RejectReason::Malformed => &mut self.malformed,
        };
        *counter += 1;
    }

    /// Returns the sum over all reasons.
    pub fn sum(&self) -> u64 {
        let Self { stale, duplicate, low_difficulty, time, version, unauthorized, malformed } = self;
        stale + duplicate + low_difficulty + time + version + unauthorized + malformed
    }

    fn add(&mut self, other: &Self) {
        self.stale += other.stale;
        self.duplicate += other.duplicate;
        self.low_difficulty += other.low_difficulty;
        self.time += other.time;
        self.version += other.version;
        self.unauthorized += other.unauthorized;
        self.malformed += other.malformed;
    }
}

/// Submission counters of one connection, or of all connections together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Totals {
    /// Number of accepted submissions.
    pub accepted: u64,
    /// Sum of the job difficulties of the accepted submissions. One unit is about 2^32 hashes.
    pub accepted_difficulty: f64,
    /// Difficulty of the best hash of the accepted submissions; 0 before the first.
    pub best_difficulty: f64,
    /// Day of the newest accepted submission, in days since 1970 (UTC), by the time of its work unit.
    pub day: u32,
    /// Difficulty of the best hash of the accepted submissions of that day.
    pub day_best_difficulty: f64,
    /// Number of accepted submissions that met the share target and went to the pool.
    pub shares: u64,
    /// Number of submissions that met Bitcoin's target, including rejected ones but not duplicates.
    pub blocks: u64,
    /// Number of rejected submissions, by reason.
    pub rejected: Rejected,
}

impl Totals {
    /// Notes an accepted submission's hash on a day.
    pub(crate) fn note_best(&mut self, difficulty: f64, day: u32) {
        self.best_difficulty = self.best_difficulty.max(difficulty);
        self.note_day(difficulty, day);
    }

    fn note_day(&mut self, difficulty: f64, day: u32) {
        if day > self.day {
            (self.day, self.day_best_difficulty) = (day, difficulty);
        } else if day == self.day {
            self.day_best_difficulty = self.day_best_difficulty.max(difficulty);
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.accepted_difficulty += other.accepted_difficulty;
        self.best_difficulty = self.best_difficulty.max(other.best_difficulty);
        self.note_day(other.day_best_difficulty, other.day);
        self.shares += other.shares;
        self.blocks += other.blocks;
        self.rejected.add(&other.rejected);
    }
}
