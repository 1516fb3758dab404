//! One miner's connection as a state machine: lines, work and time in, actions out.
//!
//! A [`Session`] has no socket, no clock and no pool. Its caller supplies all three; in this crate
//! that is the private `connection` module. [`server`](crate::server) runs one per socket.
//!
//! # Driving a session
//!
//! Create it with [`Session::new`] when a connection opens. Then pass it every event:
//!
//! | event | call |
//! |---|---|
//! | a line arrives | [`Session::handle_line`], without the line ending |
//! | the pool's work changes | [`Pool::work`](crate::Pool::work) for [`Session::account`], then [`Session::handle_work`], or [`Session::handle_no_work`] without work |
//! | [`Pool::rest`](crate::Pool::rest) has a reason for each of [`Session::workers`] | [`Session::handle_rest`], instead of work |
//! | [`Pool::readiness`](crate::Pool::readiness) says that the pool stops | [`Session::handle_stop`] |
//! | [`limits::TICK`](crate::limits::TICK) passes | [`Session::tick`] |
//!
//! Each call returns [`Action`]s. Perform them in order:
//!
//! | action | what to do |
//! |---|---|
//! | [`Action::Send`], [`Action::SendJob`] | append the line to the output |
//! | [`Action::Subscribe`] | [`Pool::readiness`](crate::Pool::readiness), then [`Session::handle_subscription`] |
//! | [`Action::Authorize`] | [`Pool::authorize`](crate::Pool::authorize), then [`Session::handle_verdict`] |
//! | [`Action::Fetch`] | [`Pool::work`](crate::Pool::work), then [`Session::handle_work`] if there is work |
//! | [`Action::Found`] | [`Pool::submit`](crate::Pool::submit) |
//! | [`Action::Close`] | write the output, close the connection, drop the session |
//!
//! - Order: `handle_subscription`, `handle_verdict` and `handle_work` return actions too. Perform these before the remaining
//!   actions of the first call, and all of them before the next event. Otherwise a miner can read a
//!   job before the response to its login. If new work and a line are both ready, pass the work first.
//! - Output: one call can return several lines. Write them together.
//! - Time: `now` is the time of the event. Use one monotonic clock for all calls. The session only
//!   compares these values, so tests can use any. Deadlines fire in `tick`, at most one tick late.
//! - Beyond the session: its caller enforces the length and encoding of a line,
//!   [`Timeouts::partial_line`] and [`Timeouts::write`]. For these, send [`CloseReason::line`] and
//!   close.
//!
//! `examples/drive_session.rs` does all this by hand and prints the lines:
//! `cargo run --release -p stratum --example drive_session`.
//!
//! # Files
//!
//! | file | content |
//! |---|---|
//! | `start.rs` | parameters of a new session |
//! | `action.rs` | what a session asks its caller to do |
//! | `state.rs` | the state, and helpers that all inputs share |
//! | `notify.rs` | sends jobs |
//! | `handshake.rs` | configure, subscribe and authorize |
//! | `talk.rs` | what the server asks and tells a program beyond jobs |
//! | `submit.rs` | validates submissions |
//! | `session.rs` | dispatches lines, and checks deadlines |

use std::time::Instant;

use crate::message::{self, Call, ParamError, Reject, Request};

mod action;
mod handshake;
mod notify;
mod start;
mod state;
mod submit;
mod talk;
#[cfg(test)]
pub(crate) mod tests;

pub use action::{Action, CloseReason, Offer, PendingLogin, PendingSubscription, Verdict};
pub(crate) use handshake::without_blanks;
pub use start::{Resumed, Start, Timeouts, Welcome};
pub use state::Session;

use state::{close, send_reject};

impl Session {
    /// Handles a line from the miner, without its line ending.
    pub fn handle_line(&mut self, line: &str, now: Instant) -> Vec<Action> {
        self.heard = now;
        self.spent += 1;
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
        // A request without an id expects no response. bfgminer would take one for the response to its subscription.
        let is_notice = id.is_null();
        let accepted = |id| vec![Action::Send(message::accepted(id))];
        match call {
            Ok(Call::SuggestDifficulty(difficulty)) if is_notice => {
                self.channel.vardiff.suggest(difficulty);
                Vec::new()
            }
            Ok(Call::Unknown(_) | Call::GetTransactions) | Err(ParamError::Suggestion) if is_notice => Vec::new(),
            Ok(Call::Configure(configure)) => self.configure(&id, &configure),
            Ok(Call::Subscribe { agent, session_id }) => self.subscribe(id, agent.as_deref(), session_id),
            Ok(Call::Authorize(login)) => self.authorize(id, login, now),
            Ok(Call::Submit(submission)) => self.submit(&id, &submission, now),
            Ok(Call::SuggestDifficulty(difficulty)) => {
                self.channel.vardiff.suggest(difficulty);
                accepted(&id)
            }
            Ok(Call::ExtranonceSubscribe | Call::Ping) => accepted(&id),
            Ok(Call::Response(text)) => {
                self.take_response(&id, text);
                Vec::new()
            }
            // Not an invalid request: programs ask what a server offers, some with each job.
            Ok(Call::GetTransactions) => send_reject(&id, &Reject::NoTransactions),
            Ok(Call::Unknown(_)) => send_reject(&id, &Reject::UnknownMethod),
            // Nothing depends on a suggestion.
            Err(error @ ParamError::Suggestion) => send_reject(&id, &Reject::Params(error)),
            Err(error) => {
                let reject = Reject::Params(error);
                self.channel.count_rejected(&reject);
                self.strike(&id, &reject, now)
            }
        }
    }

    /// Checks the clock: deadlines, keepalive and vardiff. Call it every
    /// [`limits::TICK`](crate::limits::TICK).
    pub fn tick(&mut self, now: Instant) -> Vec<Action> {
        let since = |then| now.saturating_duration_since(then);
        let Timeouts { handshake, idle, keepalive, .. } = self.start.timeouts;
        if self.account().is_none() && since(self.channel.report.opened) >= handshake {
            return close(CloseReason::Handshake(handshake.as_secs()));
        }
        if since(self.heard) >= idle {
            return close(CloseReason::Idle(idle.as_secs()));
        }
        if let Some(reason) = self.channel.rests_from(now) {
            return self.leave(CloseReason::NoWork(reason.clone()));
        }
        if self.channel.withdrawn {
            return Vec::new();
        }
        if self.channel.notified.is_some_and(|then| since(then) >= keepalive) {
            return self.notify(false, now);
        }
        self.follow_vardiff(now)
    }
}
