//! The state of a session, and the helpers that all its inputs share.

use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use super::action::{Action, CloseReason};
use super::start::Start;
use crate::agents::{self, Agent};
use crate::bucket::Bucket;
use crate::channel::Channel;
use crate::limits;
use crate::message::{self, Reject};
use crate::pool::{Account, EXTRANONCE1_BYTES};
use crate::report::Report;

/// One miner's connection as a state machine. [The module docs](super) explain how to drive it.
#[derive(Debug)]
pub struct Session {
    pub(super) start: Start,
    /// When the last line arrived.
    pub(super) heard: Instant,
    pub(super) bucket: Bucket,
    /// What the miner has cost since [`Self::take_spent`], in messages. Its connection is one.
    pub(super) spent: u32,
    /// Invalid requests that the session still allows.
    strikes: Bucket,
    /// Extranonce1 of the start, or the one that the miner resumed.
    pub(super) extranonce1: [u8; EXTRANONCE1_BYTES],
    pub(super) subscribed: bool,
    /// What is known of the miner's program.
    pub(super) agent: Agent,
    /// The longest coinbase that the device can hold, in bytes, as the server learned from it before.
    pub(super) coinbase_bytes_learnt: Option<usize>,
    /// Whether the miner has more user names than the session keeps.
    pub(super) more_workers: bool,
    /// Version bits that the miner may roll.
    pub(super) mask: u32,
    /// Whether the miner negotiated version rolling, so that it understands `set_version_mask`.
    pub(super) rolls: bool,
    /// Jobs, and the account of the shares.
    pub(super) channel: Channel,
    /// Text of the newest work unit. Keeps it cached for the jobs that repeat it.
    pub(super) newest_params: Option<Arc<String>>,
}

impl Session {
    /// Creates the session of a connection that opens at `now`.
    pub fn new(start: Start, now: Instant) -> Self {
        Self {
            heard: now,
            bucket: Bucket::new(limits::LINES_BURST, limits::LINES_PER_SECOND, now),
            spent: 1,
            strikes: Bucket::new(limits::STRIKES_MAX.into(), limits::STRIKES_FORGIVEN_PER_SECOND, now),
            extranonce1: start.extranonce1,
            subscribed: false,
            agent: agents::known("", &start.coinbase_limits),
            coinbase_bytes_learnt: None,
            more_workers: false,
            mask: limits::VERSION_MASK,
            rolls: false,
            channel: Channel::new(start.first_job_id, start.difficulty, now),
            newest_params: None,
            start,
        }
    }

    /// Returns the account to fetch work for. `None` until the miner has both subscribed and authorized.
    pub fn account(&self) -> Option<&Account> {
        self.channel.report.account.as_ref().filter(|_| self.subscribed)
    }

    /// Returns the miner's user agent, without control characters; empty if it sent none.
    pub(crate) fn agent(&self) -> &Arc<str> {
        &self.channel.report.agent
    }

    /// Returns the authorized user names in order of authorization, without blanks around the parts.
    pub fn workers(&self) -> &[Arc<str>] {
        &self.channel.report.workers
    }

    /// Returns what the miner has cost since the last call, in messages that no accepted share paid for.
    pub(crate) fn take_spent(&mut self) -> u32 {
        std::mem::take(&mut self.spent)
    }

    /// Returns the header time of the newest job, in seconds since 1970; 0 before the first.
    pub fn last_job_time(&self) -> u32 {
        self.channel.jobs.last_time()
    }

    /// Continues with the difficulty that fit the device on an earlier connection. Call it before the first job.
    pub fn go_on_from(&mut self, difficulty: f64) {
        self.channel.vardiff.go_on_from(difficulty);
    }

    /// Returns the difficulty that fits the device by its shares. `None` as long as they say nothing.
    pub fn fitting_difficulty(&self) -> Option<f64> {
        self.channel.vardiff.fitting()
    }

    /// Returns the session's state for the statistics.
    pub(crate) fn report(&self) -> &Report {
        &self.channel.report
    }

    /// Rejects an invalid request, or closes the connection after too many of them in a short time.
    pub(super) fn strike(&mut self, id: &Value, reject: &Reject, now: Instant) -> Vec<Action> {
        if !self.strikes.take(now) {
            return close(CloseReason::Strikes);
        }
        send_reject(id, reject)
    }
}

/// Sends the reason, then closes the connection.
pub(super) fn close(reason: CloseReason) -> Vec<Action> {
    vec![Action::Send(reason.line()), Action::Close(reason)]
}

/// Sends an error response.
pub(super) fn send_reject(id: &Value, reject: &Reject) -> Vec<Action> {
    vec![Action::Send(message::rejected(id, reject.code(), reject))]
}
