//! What the server asks and tells a miner's program beyond jobs.

use serde_json::Value;

use super::action::{Action, CloseReason};
use super::state::{Session, close};
use crate::agents;
use crate::limits;
use crate::message;
use crate::pool::{Refusal, Work};

/// Id of the server's only request, `client.get_version`. Miners number their own requests from 0 or 1.
const VERSION_REQUEST: u32 = 0x7fff_fffe;

impl Session {
    /// Disconnects the miner because the pool has no work, and tells it why.
    pub fn handle_stop(&mut self, refusal: &Refusal) -> Vec<Action> {
        self.leave(CloseReason::NoWork(refusal.clone()))
    }

    /// Disconnects the miner because the server stops.
    pub fn handle_shutdown(&mut self) -> Vec<Action> {
        let mut actions = self.leave(CloseReason::Stopping);
        if self.agent.reads_messages {
            // It connects again at once, and turns to its next pool when that fails.
            actions.insert(1, Action::Send(message::reconnect()));
        }
        actions
    }

    /// Tells something to the owner of a program that shows messages.
    pub fn show(&self, words: &str) -> Option<Action> {
        self.agent.reads_messages.then(|| Action::Send(message::show_message(words)))
    }

    /// Closes the connection. A program that shows messages to its owner shows the reason.
    pub(super) fn leave(&mut self, reason: CloseReason) -> Vec<Action> {
        let told = self.show(&reason.to_string());
        told.into_iter().chain(close(reason)).collect()
    }

    /// Returns the longest coinbase that the device can hold, in bytes. `None` if no limit is known.
    pub(super) fn coinbase_bytes_max(&self) -> Option<usize> {
        [self.agent.coinbase_bytes_max, self.coinbase_bytes_learnt].into_iter().flatten().min()
    }

    /// Returns why the miner must leave if it cannot hold a coinbase of so many bytes. `None` if it can.
    pub(super) fn excess_coinbase(&self, bytes: usize) -> Option<CloseReason> {
        let max = self.coinbase_bytes_max().filter(|max| bytes > *max)?;
        Some(CloseReason::Coinbase { bytes, max })
    }

    /// Closes the connection if the miner cannot hold this coinbase. `None` if it can.
    pub(super) fn refuse_coinbase(&mut self, work: &Work) -> Option<Vec<Action>> {
        self.excess_coinbase(work.coinbase_bytes()).map(|reason| self.leave(reason))
    }

    /// Asks for the user agent of a miner that sent none.
    pub(super) fn ask_version(&self) -> Option<Action> {
        self.channel.report.agent.is_empty().then(|| Action::Send(message::get_version(VERSION_REQUEST)))
    }

    /// Takes the miner's response to [`Self::ask_version`].
    pub(super) fn take_response(&mut self, id: &Value, text: Option<String>) {
        if let (true, Some(agent)) = (*id == VERSION_REQUEST, text)
            && self.channel.report.agent.is_empty()
        {
            self.take_agent(&agent);
        }
    }

    /// Records the miner's user agent.
    pub(super) fn take_agent(&mut self, agent: &str) {
        let kept = agent.chars().filter(|letter| !letter.is_control()).take(limits::AGENT_CHARS_MAX);
        self.channel.report.agent = kept.collect::<String>().into();
        self.agent = agents::known(agent, &self.start.coinbase_limits);
        self.channel.vardiff.set_agent_floor(self.agent.difficulty_min);
    }
}
