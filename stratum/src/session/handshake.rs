//! Configure, subscribe and authorize, in whatever order they come.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Action, PendingLogin, Session, Verdict, refuse};
use crate::limits;
use crate::message::{self, Configure, Login, Reject};
use crate::pool::Account;

impl Session {
    /// Answers with exactly one line: some firmware reads no more before it goes on.
    pub(super) fn configure(&mut self, id: &Value, configure: &Configure) -> Vec<Action> {
        let mut outcome = Map::new();
        for extension in &configure.extensions {
            let granted = match extension.as_str() {
                "version-rolling" => self.configure_rolling(configure, &mut outcome),
                "minimum-difficulty" => configure.min_difficulty.is_some_and(|least| self.configure_least(least)),
                "subscribe-extranonce" | "info" => true,
                _ => false,
            };
            outcome.insert(extension.clone(), json!(granted));
        }
        vec![Action::Send(message::configured(id, outcome))]
    }

    fn configure_rolling(&mut self, configure: &Configure, outcome: &mut Map<String, Value>) -> bool {
        let mask = configure.mask.unwrap_or(u32::MAX) & limits::VERSION_MASK;
        if mask.count_ones() < configure.min_bits.unwrap_or(0) {
            return false;
        }
        self.mask = mask;
        self.rolls = true;
        outcome.insert("version-rolling.mask".to_owned(), json!(format!("{mask:08x}")));
        true
    }

    /// Takes a least difficulty, and tells whether jobs have it in full: the share target caps it, which is not known
    /// before the first work.
    fn configure_least(&mut self, least: f64) -> bool {
        self.vardiff.suggest(least);
        let cap = self.jobs.current().map(|work| work.share_difficulty());
        cap.is_some_and(|cap| self.vardiff.choose(cap, self.report.difficulty).to_f64() >= least)
    }

    /// Answers; a repeated subscribe gets the same answer.
    pub(super) fn subscribe(&mut self, id: &Value, agent: Option<&str>) -> Vec<Action> {
        if let Some(agent) = agent {
            let kept = agent.chars().filter(|letter| !letter.is_control()).take(limits::AGENT_CHARS_MAX);
            self.report.agent = kept.collect::<String>().into();
            if agent.to_ascii_lowercase().starts_with("nicehash") {
                self.vardiff.raise_floor(limits::NICEHASH_DIFFICULTY);
            }
        }
        let first = !std::mem::replace(&mut self.subscribed, true);
        let mut actions = vec![Action::Send(message::subscribed(id, self.start.extranonce1))];
        if let (true, Some(account)) = (first, self.account()) {
            actions.push(Action::Fetch(Arc::clone(account)));
        }
        actions
    }

    pub(super) fn authorize(&mut self, id: Value, login: Login) -> Vec<Action> {
        if login.user.chars().count() > limits::USER_CHARS_MAX {
            return self.strike(&id, &Reject::UserTooLong);
        }
        vec![Action::Authorize(PendingLogin { id, login })]
    }

    /// Takes the pool's verdict on a login that [`Action::Authorize`] asked for.
    pub fn handle_verdict(&mut self, pending: PendingLogin, verdict: Verdict) -> Vec<Action> {
        let PendingLogin { id, login } = pending;
        let account = match verdict.map_err(Reject::User).and_then(|account| self.admit(&login.user, account)) {
            Ok(account) => account,
            Err(reject) => return self.strike(&id, &reject),
        };
        if let Some(difficulty) = login.difficulty {
            self.vardiff.suggest(difficulty);
        }
        let first = self.account.replace(Arc::clone(&account)).is_none();
        let mut actions = vec![Action::Send(message::accepted(&id))];
        if first && self.subscribed {
            actions.push(Action::Fetch(account));
        }
        actions
    }

    /// Adds a user name, if the connection has room for it and it is of the same account.
    fn admit(&mut self, user: &str, account: Account) -> Result<Account, Reject> {
        if self.account.as_ref().is_some_and(|present| *present != account) {
            return Err(Reject::OtherAccount);
        }
        let workers = &self.report.workers;
        if !workers.iter().any(|worker| **worker == *user) {
            if workers.len() >= limits::WORKERS_MAX {
                return Err(Reject::TooManyWorkers);
            }
            self.report.workers = workers.iter().cloned().chain([Arc::from(user)]).collect();
        }
        Ok(account)
    }

    /// Finds a user name among those authorized.
    pub(super) fn worker(&self, user: &str) -> Option<Arc<str>> {
        self.report.workers.iter().find(|worker| ***worker == *user).map(Arc::clone)
    }

    /// Refuses a submit and counts it.
    pub(super) fn reject_submit(&mut self, id: &Value, reject: &Reject) -> Vec<Action> {
        self.report.totals.rejected.count(reject.reason());
        refuse(id, reject)
    }
}
