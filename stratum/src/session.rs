//! One miner's connection as a state machine: lines, work and time in, actions out. No sockets.

use std::sync::Arc;
use std::time::Instant;

use crate::bucket::Bucket;
use crate::difficulty::Difficulty;
use crate::jobs::Jobs;
use crate::limits;
use crate::message::{self, Call, Login, ParseError, Reject, Request};
use crate::meter::Meter;
use crate::pool::{Account, EXTRANONCE1_BYTES, Found, Refusal, Work};
use crate::stats::Totals;
use crate::vardiff::Vardiff;

mod handshake;
mod submit;
#[cfg(test)]
mod tests;

/// What the shell around a session has to do, in order.
#[derive(Debug)]
pub enum Action {
    /// Write a line; its line end is in it.
    Send(String),
    /// Ask the pool for the user's account and pass the verdict to [`Session::handle_verdict`].
    Authorize(PendingLogin),
    /// Ask the pool for this account's work and pass it to [`Session::handle_work`].
    Fetch(Account),
    /// Hand a proof to the pool.
    Found(Box<Found>),
    /// Write what was sent so far, then close.
    Close(CloseReason),
}

/// A login that waits for the pool's verdict.
#[derive(Debug)]
pub struct PendingLogin {
    id: serde_json::Value,
    login: Login,
}

impl PendingLogin {
    /// Returns the user name.
    pub fn user(&self) -> &str {
        &self.login.user
    }
}

/// Why a connection is closed by the server.
#[derive(Debug, thiserror::Error)]
pub enum CloseReason {
    /// The line is no request.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// A line is too long.
    #[error("the line is longer than {} bytes", limits::LINE_BYTES_MAX)]
    LineTooLong,
    /// A line is not UTF-8.
    #[error("the line is not UTF-8")]
    NotText,
    /// Lines came faster than a miner can have reason to send.
    #[error("too many messages: more than {} a second for long", limits::LINES_PER_SECOND)]
    Flood,
    /// Requests without sense.
    #[error("too many requests that make no sense")]
    Strikes,
    /// Not subscribed and authorized in time.
    #[error("no subscribe and authorize within {0} s of connecting")]
    Handshake(u64),
    /// Silence.
    #[error("nothing was heard for {0} s")]
    Idle(u64),
    /// The rest of a line did not come.
    #[error("half a line came, and not the rest within {0} s")]
    PartialLine(u64),
}

impl CloseReason {
    /// Writes the error that tells the miner.
    pub fn line(&self) -> String {
        message::refused(&serde_json::Value::Null, 20, self)
    }
}

/// What a session is started with.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    /// Unique for the connection.
    pub extranonce1: [u8; EXTRANONCE1_BYTES],
    /// The first job id; those after it count up.
    pub first_job_id: u32,
    /// Difficulty before vardiff knows the miner; the share target caps it.
    pub initial_difficulty: f64,
    /// Deadlines.
    pub timeouts: Timeouts,
}

/// Deadlines of a connection; the defaults stand in [`crate::limits`].
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From connecting to being subscribed and authorized.
    pub handshake: std::time::Duration,
    /// Longest silence of a miner.
    pub idle: std::time::Duration,
    /// For the rest of a line.
    pub partial_line: std::time::Duration,
    /// For one batch of answers to leave.
    pub write: std::time::Duration,
    /// Longest silence towards a miner.
    pub keepalive: std::time::Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            handshake: limits::HANDSHAKE,
            idle: limits::IDLE,
            partial_line: limits::PARTIAL_LINE,
            write: limits::WRITE,
            keepalive: limits::KEEPALIVE,
        }
    }
}

/// A session's state for statistics; cheap to copy.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) workers: Arc<[Arc<str>]>,
    pub(crate) agent: Arc<str>,
    pub(crate) difficulty: Option<Difficulty>,
    pub(crate) totals: Totals,
    pub(crate) meter: Meter,
    pub(crate) opened: Instant,
    pub(crate) last_share: Option<Instant>,
}

/// One miner's connection.
#[derive(Debug)]
pub struct Session {
    start: Start,
    heard: Instant,
    bucket: Bucket,
    strikes: u32,
    subscribed: bool,
    account: Option<Account>,
    /// Version bits the miner may roll.
    mask: u32,
    /// Says that the miner negotiated version rolling, so it understands `set_version_mask`.
    rolls: bool,
    jobs: Jobs,
    vardiff: Vardiff,
    notified: Option<Instant>,
    /// Keeps the newest work's text alive, for the notifies that repeat it.
    newest_params: Option<Arc<String>>,
    report: Report,
}

impl Session {
    /// Starts a session for a connection that was just opened.
    pub fn new(start: Start, now: Instant) -> Self {
        Self {
            heard: now,
            bucket: Bucket::new(now),
            strikes: 0,
            subscribed: false,
            account: None,
            mask: limits::VERSION_MASK,
            rolls: false,
            jobs: Jobs::new(start.first_job_id),
            vardiff: Vardiff::new(start.initial_difficulty, now),
            notified: None,
            newest_params: None,
            report: Report {
                workers: Arc::new([]),
                agent: "".into(),
                difficulty: None,
                totals: Totals::default(),
                meter: Meter::new(now),
                opened: now,
                last_share: None,
            },
            start,
        }
    }

    /// Takes a line of the miner, without its line end.
    pub fn handle_line(&mut self, line: &str, now: Instant) -> Vec<Action> {
        self.heard = now;
        if !self.bucket.take(now) {
            return close(CloseReason::Flood);
        }
        if line.trim().is_empty() {
            return Vec::new();
        }
        let Request { id, call } = match Request::parse(line) {
            Ok(request) => request,
            Err(error) => return close(error.into()),
        };
        let accepted = |id| vec![Action::Send(message::accepted(id))];
        match call {
            Ok(Call::Configure(configure)) => self.configure(&id, &configure),
            Ok(Call::Subscribe { agent }) => self.subscribe(&id, agent.as_deref()),
            Ok(Call::Authorize(login)) => self.authorize(id, login),
            Ok(Call::Submit(submission)) => self.submit(&id, &submission, now),
            Ok(Call::SuggestDifficulty(difficulty)) => {
                self.vardiff.suggest(difficulty);
                accepted(&id)
            }
            Ok(Call::ExtranonceSubscribe | Call::Ping) => accepted(&id),
            Ok(Call::Answer) => Vec::new(),
            Ok(Call::Unknown(_)) => self.strike(&id, &Reject::UnknownMethod),
            Err(error) => {
                let reject = Reject::Params(error);
                self.report.totals.rejected.count(reject.reason());
                self.strike(&id, &reject)
            }
        }
    }

    /// Takes the account's current work. A work that the miner has already is not sent again.
    pub fn handle_work(&mut self, work: Arc<Work>, now: Instant) -> Vec<Action> {
        if !self.is_ready() || self.jobs.current().is_some_and(|current| current.key == work.key) {
            return Vec::new();
        }
        let clean = self.jobs.push(work, now);
        self.notify(clean, now)
    }

    /// Looks at the clocks: deadlines, the keepalive, and vardiff.
    pub fn tick(&mut self, now: Instant) -> Vec<Action> {
        let since = |then| now.saturating_duration_since(then);
        let Timeouts { handshake, idle, keepalive, .. } = self.start.timeouts;
        if !self.is_ready() && since(self.report.opened) >= handshake {
            return close(CloseReason::Handshake(handshake.as_secs()));
        }
        if since(self.heard) >= idle {
            return close(CloseReason::Idle(idle.as_secs()));
        }
        if self.notified.is_some_and(|then| since(then) >= keepalive) {
            return self.notify(false, now);
        }
        self.follow_vardiff(now)
    }

    /// Returns the account, once the miner may get work.
    pub fn account(&self) -> Option<&Account> {
        self.account.as_ref().filter(|_| self.subscribed)
    }

    /// Returns the user names authorized so far, in their order.
    pub fn workers(&self) -> &[Arc<str>] {
        &self.report.workers
    }

    pub(crate) fn report(&self) -> Report {
        self.report.clone()
    }

    fn is_ready(&self) -> bool {
        self.account().is_some()
    }

    /// Sends the newest work as a new job, with its difficulty before it if that changed.
    fn notify(&mut self, clean: bool, now: Instant) -> Vec<Action> {
        let Some(work) = self.jobs.current().map(Arc::clone) else {
            return Vec::new();
        };
        let mut actions = Vec::with_capacity(3);
        if self.notified.is_none() {
            self.vardiff.restart(now);
            if self.rolls {
                actions.push(Action::Send(message::set_version_mask(self.mask)));
            }
        }
        let difficulty = self.vardiff.choose(work.share_difficulty(), self.report.difficulty);
        if self.report.difficulty != Some(difficulty) {
            actions.push(Action::Send(message::set_difficulty(difficulty)));
            self.report.difficulty = Some(difficulty);
        }
        let params = work.notify_params();
        if let Some(id) = self.jobs.issue(difficulty) {
            actions.push(Action::Send(message::notify(id, &params, clean)));
        }
        self.notified = Some(now);
        self.newest_params = Some(params);
        actions
    }

    /// Lets vardiff judge, and sends the present work again when the difficulty changes.
    fn follow_vardiff(&mut self, now: Instant) -> Vec<Action> {
        let (Some(sent), Some(cap)) = (self.report.difficulty, self.jobs.current().map(|work| work.share_difficulty()))
        else {
            return Vec::new();
        };
        if !self.vardiff.judge(sent, now) || self.vardiff.choose(cap, Some(sent)) == sent {
            return Vec::new();
        }
        self.notify(false, now)
    }

    fn strike(&mut self, id: &serde_json::Value, reject: &Reject) -> Vec<Action> {
        self.strikes += 1;
        if self.strikes > limits::STRIKES_MAX {
            return close(CloseReason::Strikes);
        }
        refuse(id, reject)
    }
}

fn close(reason: CloseReason) -> Vec<Action> {
    vec![Action::Send(reason.line()), Action::Close(reason)]
}

fn refuse(id: &serde_json::Value, reject: &Reject) -> Vec<Action> {
    vec![Action::Send(message::refused(id, reject.code(), reject))]
}

/// The pool's verdict on a login.
pub type Verdict = Result<Account, Refusal>;
