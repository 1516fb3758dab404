//! Handles configure, subscribe and authorize. Miners may send them in any order.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::action::{Action, CloseReason, Offer, PendingLogin, PendingSubscription, Verdict};
use super::start::Resumed;
use super::state::Session;
use crate::limits;
use crate::message::{self, Configure, Login, Reject};
use crate::pool::{Account, EXTRANONCE1_BYTES};

impl Session {
    /// Handles `mining.configure`. Sends exactly one line, because some firmware reads only one.
    pub(super) fn configure(&mut self, id: &Value, configure: &Configure) -> Vec<Action> {
        let mut outcome = Map::new();
        for extension in &configure.extensions {
            let granted = match extension.as_str() {
                "version-rolling" => self.configure_rolling(configure, &mut outcome),
                "minimum-difficulty" => configure.min_difficulty.is_some_and(|minimum| self.configure_minimum(minimum)),
                "subscribe-extranonce" | "info" => true,
                _ => false,
            };
            outcome.insert(extension.clone(), json!(granted));
        }
        vec![Action::Send(message::configured(id, outcome))]
    }

    /// Negotiates the version mask, and returns whether it has enough bits for the miner.
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

    /// Applies a minimum difficulty, and returns whether jobs reach it. The share target caps the
    /// difficulty and is unknown before the first work unit, so the result is `false` until then.
    fn configure_minimum(&mut self, minimum: f64) -> bool {
        self.channel.vardiff.suggest(minimum);
        let cap = self.channel.jobs.current().map(|work| work.share_difficulty());
        cap.is_some_and(|cap| self.channel.vardiff.choose(cap, self.channel.report.difficulty).to_f64() >= minimum)
    }

    /// Handles `mining.subscribe`: asks the caller what the server offers. A repeated subscribe gets the same response.
    pub(super) fn subscribe(
        &mut self,
        id: Value,
        agent: Option<&str>,
        session_id: Option<[u8; EXTRANONCE1_BYTES]>,
    ) -> Vec<Action> {
        if let Some(agent) = agent {
            self.take_agent(agent);
        }
        if self.subscribed {
            return vec![Action::Send(message::subscribed(&id, self.extranonce1))];
        }
        vec![Action::Subscribe(PendingSubscription { id, session_id })]
    }

    /// Handles the server's offer to the subscription from [`Action::Subscribe`]. Sends the response, and asks for work if
    /// the miner has authorized. A miner that is refused reads why, gets no job, and is disconnected, so that it turns
    /// to its next pool.
    pub fn handle_subscription(&mut self, pending: PendingSubscription, offer: Offer) -> Vec<Action> {
        let offer = offer.map_err(CloseReason::NoWork).and_then(|welcome| {
            self.coinbase_bytes_learnt = welcome.coinbase_bytes_learnt;
            let excess = welcome.coinbase_bytes.and_then(|bytes| self.excess_coinbase(bytes));
            excess.map_or(Ok(welcome.resumed), Err)
        });
        match offer {
            Ok(resumed) => {
                if let Some(Resumed { extranonce1, last_job_time }) = resumed {
                    self.extranonce1 = extranonce1;
                    self.channel.jobs.resume_after(last_job_time);
                }
                self.subscribed = true;
                let mut actions = vec![Action::Send(message::subscribed(&pending.id, self.extranonce1))];
                actions.extend(self.account().cloned().map(Action::Fetch));
                actions
            }
            Err(reason) => {
                let response = Action::Send(message::rejected(&pending.id, 20, &reason));
                let told = self.agent.reads_messages.then(|| Action::Send(message::show_message(&reason)));
                [Some(response), told, Some(Action::Close(reason))].into_iter().flatten().collect()
            }
        }
    }

    /// Handles `mining.authorize`: asks the caller for the pool's verdict.
    pub(super) fn authorize(&mut self, id: Value, login: Login, now: Instant) -> Vec<Action> {
        if login.user.len() > limits::USER_BYTES_MAX {
            return self.strike(&id, &Reject::UserTooLong, now);
        }
        vec![Action::Authorize(PendingLogin { id, login, keep: true })]
    }

    /// Handles the pool's verdict on the login from [`Action::Authorize`]. Sends the response, and asks
    /// for work after the first accepted login of a subscribed miner.
    pub fn handle_verdict(&mut self, pending: PendingLogin, verdict: Verdict, now: Instant) -> Vec<Action> {
        let PendingLogin { id, login, keep } = pending;
        let first = self.channel.report.account.is_none();
        let account = match verdict.map_err(Reject::User).and_then(|account| self.admit(&login.user, account, keep)) {
            Ok(account) => account,
            Err(reject) => return self.strike(&id, &reject, now),
        };
        if let Some(difficulty) = login.difficulty {
            self.channel.vardiff.suggest(difficulty);
        }
        let mut actions = vec![Action::Send(message::accepted(&id))];
        if first && self.subscribed {
            actions.push(Action::Fetch(account));
        }
        actions
    }

    /// Adds a user name of `account` to the connection, and returns the connection's account. Users beyond
    /// [`limits::WORKERS_MAX`] mine as well, but the session does not keep their names, and no name without `keep`.
    ///
    /// # Errors
    /// Returns [`Reject::OtherAccount`], and changes nothing.
    fn admit(&mut self, user: &str, account: Account, keep: bool) -> Result<Account, Reject> {
        if self.channel.report.account.as_ref().is_some_and(|present| *present != account) {
            return Err(Reject::OtherAccount);
        }
        let user = without_blanks(user);
        let workers = &self.channel.report.workers;
        if !workers.iter().any(|worker| **worker == *user) {
            let bytes: usize = workers.iter().map(|worker| worker.len()).sum();
            if !keep || workers.len() >= limits::WORKERS_MAX || bytes + user.len() > limits::WORKERS_BYTES_MAX {
                self.more_workers = true;
            } else {
                self.channel.report.workers = workers.iter().cloned().chain([Arc::from(user)]).collect();
            }
        }
        Ok(Arc::clone(self.channel.report.account.get_or_insert(account)))
    }
}

/// Returns a user name without blanks at its ends and around its first separator, as the pool reads it too. Control characters
/// are blanks: JSON would take six bytes for each.
pub(crate) fn without_blanks(user: &str) -> String {
    let user = user.replace(char::is_control, " ");
    let user = user.trim();
    let (account, rest) = user.split_at(user.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(user.len()));
    let rest = rest.trim_start();
    let separator = rest.chars().next().filter(|letter| !letter.is_alphanumeric());
    let worker = rest[separator.map_or(0, char::len_utf8)..].trim_start();
    match separator {
        Some(separator) => format!("{account}{separator}{worker}"),
        None if worker.is_empty() => account.to_owned(),
        None => format!("{account} {worker}"),
    }
}
