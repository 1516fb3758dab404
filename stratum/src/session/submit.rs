//! Validates submissions, in an order that loses no Bitcoin block and that miners cannot game: first
//! the job, the header, its hash and Bitcoin's target; then every check that can reject; duplicates
//! last.

use std::sync::Arc;
use std::time::Instant;

use bitcoin::block::{Header, Version};
use serde_json::Value;

use super::action::{Action, CloseReason};
use super::state::{Session, send_reject};
use crate::difficulty::Difficulty;
use crate::jobs::KnownJob;
use crate::limits;
use crate::message::{self, Reject, Submission};
use crate::pool::{EXTRANONCE_BYTES, EXTRANONCE1_BYTES, EXTRANONCE2_BYTES, Found, Work};
use crate::proof;

/// A hash this many times easier than its job's difficulty, and than difficulty 1, was not chosen for its work at all: the
/// miner hashed another header. A miner that ignores its difficulty submits hashes of difficulty 1 or more.
const MISMATCH_FACTOR: f64 = 16.0;

impl Session {
    /// Handles `mining.submit`: passes shares and Bitcoin blocks to the pool, sends the response, and lets
    /// vardiff adjust.
    pub(super) fn submit(&mut self, id: &Value, submission: &Submission, now: Instant) -> Vec<Action> {
        if !self.subscribed {
            return self.reject_submit(id, &Reject::NotSubscribed);
        }
        let Some(account) = self.report.account.clone() else {
            return self.reject_submit(id, &Reject::NotAuthorized);
        };
        // After a failover, devices still submit work for the pool that they left.
        let Some(job_id) = submission.job else {
            return self.reject_submit(id, &Reject::ForeignJob);
        };
        let Some(job) = self.jobs.find(job_id) else {
            return self.reject_submit(id, &Reject::JobNotFound(job_id));
        };
        let Some(extranonce2) = submission.extranonce2 else {
            return self.reject_submit(id, &Reject::ForeignExtranonce);
        };
        let extranonce = self.extranonce(extranonce2);
        let header = rebuild(&job.work, &extranonce, submission, self.mask);
        let worker = self.worker(&submission.worker);
        let mut found = Found {
            hash: header.block_hash(),
            header,
            extranonce,
            worker: worker.clone().unwrap_or_else(|| submission.worker.as_str().into()),
            account,
            meets_bitcoin: false,
            meets_share: false,
            work: Arc::clone(&job.work),
        };
        found.meets_bitcoin = job.work.bitcoin_target.is_met_by(found.hash);
        found.meets_share = job.work.share_target.is_met_by(found.hash);

        let verdict = match worker {
            Some(_) => self.check(&job, &found, submission, now),
            None => Err(Reject::UnknownWorker),
        };
        self.count(&job, &found, &verdict, now);
        let mut actions = Vec::with_capacity(4);
        if found.meets_bitcoin || (verdict.is_ok() && found.meets_share) {
            actions.push(Action::Found(Box::new(found)));
        }
        match verdict {
            Ok(()) => actions.push(Action::Send(message::accepted(id))),
            Err(reject) => actions.extend(self.reject_submit(id, &reject)),
        }
        if self.mismatches >= limits::MISMATCHES_MAX {
            actions.extend(self.leave(CloseReason::Mismatch { bytes: job.work.coinbase_bytes() }));
            return actions;
        }
        actions.extend(self.follow_vardiff(now));
        actions
    }

    /// Finds a user name among the authorized ones, whatever its blanks. A name that the session did not keep may be any.
    fn worker(&self, user: &str) -> Option<Arc<str>> {
        let letters = |name: &str| name.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
        let workers = &self.report.workers;
        let exact = workers.iter().find(|worker| ***worker == *user);
        let same = || {
            let user = letters(user);
            workers.iter().find(|worker| letters(worker) == user)
        };
        let any = || self.more_workers && user.chars().count() <= limits::USER_CHARS_MAX;
        exact.or_else(same).map(Arc::clone).or_else(|| any().then(|| user.into()))
    }

    /// Counts a rejected submission, and sends the response.
    fn reject_submit(&mut self, id: &Value, reject: &Reject) -> Vec<Action> {
        self.report.totals.rejected.count(reject.reason());
        send_reject(id, reject)
    }

    fn extranonce(&self, extranonce2: [u8; EXTRANONCE2_BYTES]) -> [u8; EXTRANONCE_BYTES] {
        let mut extranonce = [0; EXTRANONCE_BYTES];
        let (first, second) = extranonce.split_at_mut(EXTRANONCE1_BYTES);
        first.copy_from_slice(&self.extranonce1);
        second.copy_from_slice(&extranonce2);
        extranonce
    }

    /// Checks a submission of an authorized user, and records its hash if it passes.
    ///
    /// # Errors
    /// Returns the first failed check.
    fn check(&mut self, job: &KnownJob, found: &Found, submission: &Submission, now: Instant) -> Result<(), Reject> {
        let work = &job.work;
        if let Some(retired) = job.retired {
            let age = now.saturating_duration_since(retired);
            if age > limits::TIP_GRACE {
                return Err(Reject::Stale(age.as_secs()));
            }
        }
        if let Some(bits) = submission.version_bits.filter(|bits| bits & !self.mask != 0) {
            return Err(Reject::Version { bits, mask: self.mask });
        }
        let (time, min) = (submission.time, work.min_time);
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

    /// Updates the statistics and vardiff. [`Self::reject_submit`] counts the rejections.
    fn count(&mut self, job: &KnownJob, found: &Found, verdict: &Result<(), Reject>, now: Instant) {
        let totals = &mut self.report.totals;
        totals.blocks += u64::from(found.meets_bitcoin && !matches!(verdict, Err(Reject::Duplicate)));
        if let Err(Reject::LowDifficulty { got, needed }) = verdict
            && got * MISMATCH_FACTOR < needed.to_f64().min(1.0)
        {
            self.mismatches += 1;
        }
        if verdict.is_ok() {
            self.mismatches = 0;
            let difficulty = job.difficulty;
            totals.accepted += 1;
            totals.accepted_difficulty += difficulty.to_f64();
            let best = bitcoin::Target::from_le_bytes(*found.hash.as_ref()).difficulty_float();
            totals.best_difficulty = totals.best_difficulty.max(best);
            totals.shares += u64::from(found.meets_share);
            self.report.meter.add(difficulty.to_f64(), now);
            self.report.last_share = Some(now);
            self.vardiff.share(difficulty);
            if self.is_paid_for(difficulty, now) {
                self.bucket.give_back();
            }
        }
    }

    /// Returns whether a share of this difficulty took the miner enough work not to count as a line: its job is as hard as
    /// the newest one, or was until shortly.
    fn is_paid_for(&self, difficulty: Difficulty, now: Instant) -> bool {
        let recent = |(since, before): (Instant, Difficulty)| {
            difficulty >= before && now.saturating_duration_since(since) <= limits::HARDER_GRACE
        };
        self.report.difficulty.is_some_and(|newest| difficulty >= newest) || self.harder.is_some_and(recent)
    }
}

/// Builds the header from the work unit and the miner's choices.
fn rebuild(work: &Work, extranonce: &[u8; EXTRANONCE_BYTES], submission: &Submission, mask: u32) -> Header {
    let version = submission.version_bits.map_or(work.version, |bits| proof::rolled_version(work.version, bits, mask));
    Header {
        version: Version::from_consensus(version),
        prev_blockhash: work.prev_block,
        merkle_root: proof::merkle_root(&[&work.coinb1, extranonce, &work.outputs, &work.coinb2], &work.branch),
        time: submission.time,
        bits: work.bits,
        nonce: submission.nonce,
    }
}
