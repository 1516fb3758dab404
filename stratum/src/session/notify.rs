//! Sends jobs: for new work, as a keepalive, and when the difficulty changes.

use std::sync::Arc;
use std::time::Instant;

use super::action::Action;
use super::state::Session;
use crate::limits;
use crate::message;
use crate::pool::Work;

impl Session {
    /// Handles the account's current work unit: sends it as a job if it is new. Does nothing before
    /// the miner has subscribed and authorized.
    pub fn handle_work(&mut self, work: Arc<Work>, now: Instant) -> Vec<Action> {
        self.withdrawn = false;
        if self.account().is_none() || self.jobs.current().is_some_and(|current| current.key == work.key) {
            return Vec::new();
        }
        if let Some(refused) = self.refuse_coinbase(&work) {
            return refused;
        }
        self.report.coinbase_bytes = Some(work.coinbase_bytes());
        self.report.coinbase_bytes_max = self.coinbase_bytes_max();
        let clean = self.jobs.push(work, now);
        self.notify(clean, now)
    }

    /// Handles that the pool has no work for the account at the moment: the miner goes on with its jobs, and no job is
    /// repeated until there is work again.
    pub fn handle_no_work(&mut self) {
        self.withdrawn = true;
    }

    /// Sends the newest work unit as a new job, preceded by its difficulty if that changes. Sends nothing if the work unit
    /// has no time left that an earlier job did not have.
    pub(super) fn notify(&mut self, clean: bool, now: Instant) -> Vec<Action> {
        let (Some(work), Some(time)) = (self.jobs.current().map(Arc::clone), self.jobs.next_time(now)) else {
            return Vec::new();
        };
        let first = self.notified.is_none();
        let mut actions = Vec::with_capacity(3);
        if first {
            self.vardiff.restart(now);
            if self.rolls {
                actions.push(Action::Send(message::set_version_mask(self.mask)));
            }
        }
        let difficulty = self.vardiff.choose(work.share_difficulty(), self.report.difficulty);
        if self.report.difficulty != Some(difficulty) {
            if let Some(sent) = self.report.difficulty.filter(|sent| *sent < difficulty)
                && self.harder.is_none_or(|(since, _)| now.saturating_duration_since(since) > limits::HARDER_GRACE)
            {
                self.harder = Some((now, sent));
            }
            actions.push(Action::Send(message::set_difficulty(difficulty)));
            self.report.difficulty = Some(difficulty);
        }
        let params = work.notify_params();
        if let Some(job) = self.jobs.issue(difficulty, time) {
            actions.push(Action::Send(message::notify(job.id, &params, job.time, clean)));
        }
        if first {
            actions.extend(self.ask_version());
        }
        self.notified = Some(now);
        self.newest_params = (params.len() <= limits::NOTIFY_KEPT_BYTES_MAX).then_some(params);
        actions
    }

    /// Updates vardiff, and repeats the newest work unit as a new job if the difficulty changes.
    pub(super) fn follow_vardiff(&mut self, now: Instant) -> Vec<Action> {
        let (Some(sent), Some(cap)) = (self.report.difficulty, self.jobs.current().map(|work| work.share_difficulty()))
        else {
            return Vec::new();
        };
        if self.withdrawn || !self.vardiff.judge(sent, now) || self.vardiff.choose(cap, Some(sent)) == sent {
            return Vec::new();
        }
        self.notify(false, now)
    }
}
