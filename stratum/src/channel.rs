//! What a miner does with one extranonce: its jobs, their difficulty, and the account of its shares.
//!
//! A connection of Stratum v1 is one channel, and a connection of Stratum v2 opens several. Both judge and count shares here.

use std::sync::Arc;
use std::time::Instant;

use bitcoin::block::Header;

use crate::difficulty::{Difficulty, DifficultyRange};
use crate::jobs::{Jobs, KnownJob};
use crate::limits;
use crate::message::Reject;
use crate::pool::{Account, EXTRANONCE_BYTES, Found, Refusal};
use crate::report::Report;
use crate::vardiff::Vardiff;

/// A hash this many times easier than its job's difficulty, and than difficulty 1, was not chosen for its work at all: the
/// miner hashed another header. A miner that ignores its difficulty submits hashes of difficulty 1 or more.
const MISMATCH_FACTOR: f64 = 16.0;

/// Seconds of a day.
const DAY_S: u32 = 86_400;

/// The jobs of one extranonce, and the shares found on them.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) jobs: Jobs,
    pub(crate) vardiff: Vardiff,
    pub(crate) report: Report,
    /// When the newest job went out.
    pub(crate) notified: Option<Instant>,
    /// Whether the pool has no work at the moment, so that no job is repeated.
    pub(crate) withdrawn: bool,
    /// When the device is disconnected because it must rest, and why. A device without a job rests already.
    pub(crate) leaves: Option<(Instant, Refusal)>,
    /// Shares without the work that any difficulty takes, since the last accepted one.
    mismatches: u32,
    /// When the difficulty rose, and from which: later rises within [`limits::HARDER_GRACE`] count as the same.
    harder: Option<(Instant, Difficulty)>,
}

/// A header that a miner submits as proof of work for a job.
pub(crate) struct Attempt {
    pub(crate) header: Header,
    pub(crate) extranonce: [u8; EXTRANONCE_BYTES],
    /// Version bits that the miner rolled, and those that it may roll.
    pub(crate) rolled: (u32, u32),
    /// User name, and whether it may mine here.
    pub(crate) worker: (Arc<str>, bool),
    pub(crate) account: Account,
}

/// The result of an attempt.
pub(crate) struct Judged {
    /// What the pool receives, if anything.
    pub(crate) found: Option<Box<Found>>,
    /// Whether the miner has a share, or why not.
    pub(crate) verdict: Result<Difficulty, Reject>,
    /// Whether the share took the miner enough work not to count as a message.
    pub(crate) is_paid_for: bool,
}

impl Channel {
    /// Creates a channel that opens at `now`. Its first job gets the id `first_job_id`.
    pub(crate) fn new(first_job_id: u32, range: DifficultyRange, now: Instant) -> Self {
        Self {
            jobs: Jobs::new(first_job_id),
            vardiff: Vardiff::new(range, now),
            report: Report::new(now),
            notified: None,
            withdrawn: false,
            leaves: None,
            mismatches: 0,
            harder: None,
        }
    }

    /// Handles that the device must rest: it gets no more jobs. A device that has a job would keep working on it, so it is
    /// disconnected at `leave_at`. After it reconnects, it waits without a job.
    pub(crate) fn rest(&mut self, reason: Refusal, leave_at: Instant) {
        self.withdrawn = true;
        if self.notified.is_some() {
            self.leaves.get_or_insert((leave_at, reason));
        }
    }

    /// Handles that there is work again for the device.
    pub(crate) fn wake(&mut self) {
        self.withdrawn = false;
        self.leaves = None;
    }

    /// Returns why the device must be disconnected now, if it must rest.
    pub(crate) fn rests_from(&self, now: Instant) -> Option<&Refusal> {
        self.leaves.as_ref().filter(|(at, _)| now >= *at).map(|(_, reason)| reason)
    }

    /// Returns the difficulty of the next job, and whether it differs from that of the newest. `cap` is the difficulty of
    /// the share target.
    pub(crate) fn next_difficulty(&mut self, cap: Difficulty, now: Instant) -> (Difficulty, bool) {
        let sent = self.report.difficulty;
        let difficulty = self.vardiff.choose(cap, sent);
        if let Some(sent) = sent.filter(|sent| *sent < difficulty)
            && self.harder.is_none_or(|(since, _)| now.saturating_duration_since(since) > limits::HARDER_GRACE)
        {
            self.harder = Some((now, sent));
        }
        self.report.difficulty = Some(difficulty);
        (difficulty, sent != Some(difficulty))
    }

    /// Updates vardiff, and returns whether the newest work unit needs a job with another difficulty.
    pub(crate) fn outgrows_job(&mut self, now: Instant) -> bool {
        let (Some(sent), Some(cap)) = (self.report.difficulty, self.jobs.current().map(|work| work.share_difficulty()))
        else {
            return false;
        };
        !self.withdrawn && self.vardiff.judge(sent, now) && self.vardiff.choose(cap, Some(sent)) != sent
    }

    /// Returns whether the miner has hashed other headers than those of its jobs for some time: it cannot hold the coinbase.
    pub(crate) fn hashes_something_else(&self) -> bool {
        self.mismatches >= limits::MISMATCHES_MAX
    }

    /// Judges a proof of work, in an order that loses no Bitcoin block and that miners cannot game: first its hash and
    /// Bitcoin's target; then every check that can reject; duplicates last. Then counts it.
    pub(crate) fn judge(&mut self, job: &KnownJob, attempt: Attempt, now: Instant) -> Judged {
        let Attempt { header, extranonce, rolled, worker: (worker, is_known), account } = attempt;
        let mut found = Found {
            hash: header.block_hash(),
            header,
            extranonce,
            worker,
            account,
            meets_bitcoin: false,
            meets_share: false,
            work: Arc::clone(&job.work),
        };
        found.meets_bitcoin = job.work.bitcoin_target.is_met_by(found.hash);
        found.meets_share = job.work.share_target.is_met_by(found.hash);
        let verdict = if is_known { self.check(job, &found, rolled, now) } else { Err(Reject::UnknownWorker) };
        self.count(job, &found, &verdict, now);
        let goes_on = found.meets_bitcoin || (verdict.is_ok() && found.meets_share);
        Judged {
            found: goes_on.then(|| Box::new(found)),
            is_paid_for: verdict.is_ok() && self.is_paid_for(job.difficulty, now),
            verdict: verdict.map(|()| job.difficulty),
        }
    }

    /// Counts a submission that names no job of this channel.
    pub(crate) fn count_rejected(&mut self, reject: &Reject) {
        self.report.totals.rejected.count(reject.reason());
    }

    /// Checks a submission of a known user, and records its hash if it passes.
    ///
    /// # Errors
    /// Returns the first failed check.
    fn check(&mut self, job: &KnownJob, found: &Found, (bits, mask): (u32, u32), now: Instant) -> Result<(), Reject> {
        let work = &job.work;
        if let Some(retired) = job.retired {
            let age = now.saturating_duration_since(retired);
            if age > limits::TIP_GRACE {
                return Err(Reject::Stale(age.as_secs()));
            }
        }
        if bits & !mask != 0 {
            return Err(Reject::Version { bits, mask });
        }
        let (time, min) = (found.header.time, work.min_time);
        let max = work.last_time();
        if !(min..=max).contains(&time) {
            return Err(Reject::Time { time, min, max });
        }
        if !job.difficulty.target().is_met_by(found.hash) {
            let got = bitcoin::Target::from_le_bytes(*found.hash.as_ref()).difficulty_float();
            return Err(Reject::LowDifficulty { got, needed: job.difficulty });
        }
        if !self.jobs.remember(work.key, found.hash) {
            return Err(Reject::Duplicate);
        }
        Ok(())
    }

    /// Updates the statistics and vardiff.
    fn count(&mut self, job: &KnownJob, found: &Found, verdict: &Result<(), Reject>, now: Instant) {
        self.report.totals.blocks += u64::from(found.meets_bitcoin && !matches!(verdict, Err(Reject::Duplicate)));
        if let Err(reject) = verdict {
            self.count_rejected(reject);
            if let Reject::LowDifficulty { got, needed } = reject
                && got * MISMATCH_FACTOR < needed.to_f64().min(1.0)
            {
                self.mismatches += 1;
            }
            return;
        }
        self.mismatches = 0;
        let difficulty = job.difficulty;
        let totals = &mut self.report.totals;
        totals.accepted += 1;
        totals.accepted_difficulty += difficulty.to_f64();
        let best = bitcoin::Target::from_le_bytes(*found.hash.as_ref()).difficulty_float();
        totals.note_best(best, job.work.time / DAY_S);
        totals.shares += u64::from(found.meets_share);
        if let Some(tally) = &job.work.tally {
            tally.add(difficulty);
        }
        self.report.meter.add(difficulty.to_f64(), now);
        self.report.last_share = Some(now);
        self.vardiff.share(difficulty);
    }

    /// Returns whether a share of this difficulty took the miner enough work not to count as a message: its job is as hard
    /// as the newest one, or was until shortly.
    fn is_paid_for(&self, difficulty: Difficulty, now: Instant) -> bool {
        let recent = |(since, before): (Instant, Difficulty)| {
            difficulty >= before && now.saturating_duration_since(since) <= limits::HARDER_GRACE
        };
        self.report.difficulty.is_some_and(|newest| difficulty >= newest) || self.harder.is_some_and(recent)
    }
}
