//! Finds the job of a submission, rebuilds its header, and lets the channel judge it.

use std::sync::Arc;
use std::time::Instant;

use bitcoin::block::{Header, Version};
use serde_json::Value;

use super::action::{Action, CloseReason};
use super::state::{Session, send_reject};
use crate::channel::{Attempt, Judged};
use crate::limits;
use crate::message::{self, Reject, Submission};
use crate::pool::{EXTRANONCE_BYTES, EXTRANONCE1_BYTES, EXTRANONCE2_BYTES, Work};
use crate::proof;

impl Session {
    /// Handles `mining.submit`: passes shares and Bitcoin blocks to the pool, sends the response, and lets
    /// vardiff adjust.
    pub(super) fn submit(&mut self, id: &Value, submission: &Submission, now: Instant) -> Vec<Action> {
        if !self.subscribed {
            return self.reject_submit(id, &Reject::NotSubscribed);
        }
        let Some(account) = self.channel.report.account.clone() else {
            return self.reject_submit(id, &Reject::NotAuthorized);
        };
        // After a failover, devices still submit work for the pool that they left.
        let Some(job_id) = submission.job else {
            return self.reject_submit(id, &Reject::ForeignJob);
        };
        let Some(job) = self.channel.jobs.find(job_id) else {
            return self.reject_submit(id, &Reject::JobNotFound(job_id));
        };
        let Some(extranonce2) = submission.extranonce2 else {
            return self.reject_submit(id, &Reject::ForeignExtranonce);
        };
        let extranonce = self.extranonce(extranonce2);
        let worker = self.worker(&submission.worker);
        let attempt = Attempt {
            header: rebuild(&job.work, &extranonce, submission, self.mask),
            extranonce,
            rolled: (submission.version_bits.unwrap_or(0), self.mask),
            worker: (worker.clone().unwrap_or_else(|| submission.worker.as_str().into()), worker.is_some()),
            account,
        };
        let Judged { found, verdict, is_paid_for } = self.channel.judge(&job, attempt, now);
        if is_paid_for {
            self.bucket.give_back();
            self.spent = self.spent.saturating_sub(1);
        }
        let mut actions = Vec::with_capacity(4);
        actions.extend(found.map(Action::Found));
        match verdict {
            Ok(_) => actions.push(Action::Send(message::accepted(id))),
            Err(reject) => actions.extend(send_reject(id, &reject)),
        }
        if self.channel.hashes_something_else() {
            actions.extend(self.leave(CloseReason::Mismatch { bytes: job.work.coinbase_bytes() }));
            return actions;
        }
        let job = self.follow_vardiff(now);
        // Easy shares are free, so that the jobs that follow them must not be.
        self.spent += if job.is_empty() { 0 } else { limits::JOB_MESSAGES };
        actions.extend(job);
        actions
    }

    /// Finds a user name among the authorized ones, ignoring blanks. Any name passes if the
    /// miner has more names than the session keeps.
    fn worker(&self, user: &str) -> Option<Arc<str>> {
        let is_blank = |letter: char| letter.is_whitespace() || letter.is_control();
        let letters = |name: &str| name.chars().filter(|letter| !is_blank(*letter)).collect::<String>();
        let workers = &self.channel.report.workers;
        let exact = workers.iter().find(|worker| ***worker == *user);
        let same = || {
            let user = letters(user);
            workers.iter().find(|worker| letters(worker) == user)
        };
        let any = || self.more_workers && user.len() <= limits::USER_BYTES_MAX;
        exact.or_else(same).map(Arc::clone).or_else(|| any().then(|| user.into()))
    }

    /// Counts a rejected submission, and sends the response.
    fn reject_submit(&mut self, id: &Value, reject: &Reject) -> Vec<Action> {
        self.channel.count_rejected(reject);
        send_reject(id, reject)
    }

    fn extranonce(&self, extranonce2: [u8; EXTRANONCE2_BYTES]) -> [u8; EXTRANONCE_BYTES] {
        let mut extranonce = [0; EXTRANONCE_BYTES];
        let (first, second) = extranonce.split_at_mut(EXTRANONCE1_BYTES);
        first.copy_from_slice(&self.extranonce1);
        second.copy_from_slice(&extranonce2);
        extranonce
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
