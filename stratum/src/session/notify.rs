//! Sends jobs: for new work, as a keepalive, and when the difficulty changes.

use std::sync::Arc;
use std::time::Instant;

use super::action::Action;
use super::state::Session;
use crate::limits;
use crate::message::{self, Notify};
use crate::pool::{Refusal, Work};

impl Session {
    /// Handles the account's current work unit: sends it as a job if it is new. Does nothing before
    /// the miner has subscribed and authorized.
    pub fn handle_work(&mut self, work: Arc<Work>, now: Instant) -> Vec<Action> {
        self.channel.wake();
        if self.account().is_none() || self.channel.jobs.current().is_some_and(|current| current.key == work.key) {
            return Vec::new();
        }
        if let Some(refused) = self.refuse_coinbase(&work) {
            return refused;
        }
        self.channel.report.coinbase_bytes = Some(work.coinbase_bytes());
        self.channel.report.coinbase_bytes_max = self.coinbase_bytes_max();
        let clean = self.channel.jobs.push(work, now);
        self.notify(clean, now)
    }

    /// Handles that the pool has no work for the account at the moment: the miner goes on with its jobs, and no job is
    /// repeated until there is work again.
    pub fn handle_no_work(&mut self) {
        self.channel.withdrawn = true;
    }

    /// Handles that the device is to rest, for this reason. Devices that have a job are disconnected one after another.
    pub fn handle_rest(&mut self, reason: Refusal, now: Instant) -> Vec<Action> {
        let told = if self.channel.withdrawn || self.channel.notified.is_some() { None } else { self.show(&reason.0) };
        let leave_at = self.start.timeouts.leave_to_rest(u64::from_be_bytes(self.extranonce1), now);
        self.channel.rest(reason, leave_at);
        told.into_iter().collect()
    }

    /// Sends the newest work unit as a new job, preceded by its difficulty if that changes. Sends nothing if the work unit
    /// has no time left that an earlier job did not have.
    pub(super) fn notify(&mut self, clean: bool, now: Instant) -> Vec<Action> {
        let jobs = &self.channel.jobs;
        let (Some(work), Some(time)) = (jobs.current(), jobs.next_time(now)) else { return Vec::new() };
        let (share_difficulty, params) = (work.share_difficulty(), work.notify_params());
        let first = self.channel.notified.is_none();
        let mut actions = Vec::with_capacity(3);
        if first {
            self.spent += limits::JOB_MESSAGES;
            self.channel.vardiff.restart(now);
            if self.rolls {
                actions.push(Action::Send(message::set_version_mask(self.mask)));
            }
        }
        let (difficulty, is_new) = self.channel.next_difficulty(share_difficulty, now);
        if is_new {
            actions.push(Action::Send(message::set_difficulty(difficulty)));
        }
        if let Some(job) = self.channel.jobs.issue(difficulty, time) {
            let work = Arc::clone(&params);
            actions.push(Action::SendJob(Notify { id: job.id, work, time: job.time, clean }));
        }
        if first {
            actions.extend(self.ask_version());
        }
        self.channel.notified = Some(now);
        self.newest_params = (params.len() <= limits::NOTIFY_KEPT_BYTES_MAX).then_some(params);
        actions
    }

    /// Updates vardiff, and repeats the newest work unit as a new job if the difficulty changes.
    pub(super) fn follow_vardiff(&mut self, now: Instant) -> Vec<Action> {
        if self.channel.outgrows_job(now) { self.notify(false, now) } else { Vec::new() }
    }
}
