//! Decides what to ask whom, so that this node has what its peers have.
//!
//! A state machine without I/O, clock and randomness: [`Sync::handle`] takes what happened and the time,
//! [`Sync::poll_output`] gives what to do until it has nothing more. Three flows run side by side:
//!
//! - every peer is asked for its tip now and then, and for its unlisted shares, so that a partition heals by itself;
//! - links are fetched in batches from one peer that claims more work, each batch waiting for the shares behind the last;
//! - whatever the chain waits for is fetched from peers who know it, then from others, with growing pauses.

mod catch_up;
mod flight;
mod peers;
mod schedule;
mod wants;

use std::collections::VecDeque;

use bitcoin::BlockHash;
use sharechain::{Height, ShareId, Work};

use crate::limits::BACKOFF_MS_MAX;
use crate::message::{Failure, Request, TipInfo};
use crate::rate::Rates;
use crate::score::Misbehaviour;
use crate::{Millis, PeerId};

use catch_up::CatchUp;
use flight::{Flight, Flights, Purpose};
use peers::{Claim, SyncPeers};
use wants::{Origin, Wants};

/// Names a request until its response; unique in the life of one [`Sync`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What the chain waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// A share or link.
    Proof(ShareId),
    /// The list of a link.
    List(ShareId),
    /// A Bitcoin header.
    Header(BlockHash),
}

/// Where this node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Height of the best link.
    pub height: Height,
    /// Cumulative work of its branch.
    pub work: Work,
    /// Ids on that branch, newest first: 10 in a row, then at doubling distances.
    pub locator: Vec<ShareId>,
    /// Hashes of Bitcoin headers, in the same way.
    pub bitcoin_locator: Vec<BlockHash>,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The peer's tip.
    Tip(TipInfo),
    /// Links were handed to the chain.
    Links {
        /// The last one, if there were any.
        last: Option<ShareId>,
        /// How many the chain had never seen.
        new: u32,
        /// What the peer said: its branch goes on.
        more: bool,
    },
    /// Proofs or headers were handed to the chain; [`Input::Got`] came before for each that was wanted.
    Items {
        /// How many of them were wanted.
        useful: u32,
    },
    /// Ids of the peer's unlisted shares that this node does not know.
    Pending(Vec<ShareId>),
    /// Something in the response breaks a rule; what it held before that was handed to the chain.
    Invalid(Misbehaviour),
    /// There is no response.
    Failed(Failure),
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A peer of this network is there.
    Connected(PeerId),
    /// It is gone.
    Disconnected(PeerId),
    /// This node's tip changed; also the first input.
    Local(Local),
    /// The chain waits for this; `from` knows it, having sent what depends on it.
    Want {
        /// What.
        want: Want,
        /// Who should have it.
        from: Option<PeerId>,
    },
    /// Something wanted, or not, arrived by whatever way.
    Got(Want),
    /// A peer's message shows that it is ahead.
    Hint(PeerId),
    /// A request came to its end.
    Response {
        /// Which.
        id: RequestId,
        /// How.
        outcome: Outcome,
    },
    /// Time passed; at least once a second.
    Tick,
}

/// How far the node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncState {
    /// No peer has told its tip.
    Alone,
    /// A peer claims to be further.
    Syncing {
        /// Height of this node's tip.
        done: Height,
        /// Height of the best credible peer's.
        target: Height,
    },
    /// As far as the best credible peer, give or take what is under way.
    Synced,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a request.
    Request {
        /// To whom.
        peer: PeerId,
        /// What [`Input::Response`] will name it by.
        id: RequestId,
        /// What to ask.
        request: Request,
    },
    /// Tell the network of a misbehaviour.
    Punish {
        /// Whose.
        peer: PeerId,
        /// What.
        misbehaviour: Misbehaviour,
    },
    /// The state changed.
    State(SyncState),
}

/// The state machine.
#[derive(Clone, Debug)]
pub struct Sync {
    now: Millis,
    local: Local,
    peers: SyncPeers,
    flights: Flights,
    /// What peers were asked lately.
    asked: Rates,
    wants: Wants,
    catch_up: Option<CatchUp>,
    state: SyncState,
    outputs: VecDeque<Output>,
    /// Something happened since requests were last considered.
    stirred: bool,
}

/// A pause that doubles with each failure.
fn backoff_ms(first_ms: u64, failures: u32) -> u64 {
    first_ms.checked_shl(failures.min(32)).unwrap_or(u64::MAX).min(BACKOFF_MS_MAX)
}

impl Sync {
    /// A node without peers.
    #[must_use]
    pub fn new(local: Local) -> Self {
        Self {
            now: Millis(0),
            local,
            peers: SyncPeers::default(),
            flights: Flights::default(),
            asked: Rates::of_own_requests(),
            wants: Wants::default(),
            catch_up: None,
            state: SyncState::Alone,
            outputs: VecDeque::new(),
            stirred: false,
        }
    }

    /// How far the node is.
    #[must_use]
    pub const fn state(&self) -> SyncState {
        self.state
    }

    /// Ids that are wanted now, for metrics.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.wants.len()
    }

    /// Takes in what happened. Times that run backwards count as standing still.
    pub fn handle(&mut self, input: Input, now: Millis) {
        self.now = self.now.max(now);
        self.stirred = true;
        match input {
            Input::Connected(peer) => self.peers.connect(peer, self.now),
            Input::Disconnected(peer) => self.on_disconnected(peer),
            Input::Local(local) => self.local = local,
            Input::Want { want, from } => {
                // Only who is there can be asked.
                let from = from.filter(|peer| self.peers.get(*peer).is_some());
                self.wants.add(want, from, Origin::Chain, self.now);
            }
            Input::Got(want) => self.wants.got(want, self.now),
            Input::Hint(peer) => self.peers.hint(peer, self.now),
            Input::Response { id, outcome } => self.on_response(id, outcome),
            Input::Tick => {}
        }
        for flight in self.flights.take_late(self.now) {
            self.on_failure(&flight, Failure::Timeout);
        }
        self.update_state();
    }

    /// The next thing to do, if any.
    pub fn poll_output(&mut self) -> Option<Output> {
        // Only when all that happened was handled: ids that became wanted together are asked for together.
        if self.outputs.is_empty() && core::mem::take(&mut self.stirred) {
            self.schedule();
        }
        self.outputs.pop_front()
    }

    fn on_disconnected(&mut self, peer: PeerId) {
        self.peers.disconnect(peer);
        self.asked.forget(self.now, |other| self.peers.get(*other).is_some());
        for flight in self.flights.take_of(peer) {
            self.wants.put_back(&flight.wants, peer, self.now);
        }
        self.wants.forget_holder(peer);
        if self.catch_up.as_ref().is_some_and(|catch_up| catch_up.peer == peer) {
            self.catch_up = None;
        }
    }

    fn on_response(&mut self, id: RequestId, outcome: Outcome) {
        // Late and unknown responses are nobody's fault here: the network matched them to their request already.
        let Some(flight) = self.flights.take(id) else { return };
        let peer = flight.peer;
        match outcome {
            Outcome::Failed(failure) => return self.on_failure(&flight, failure),
            Outcome::Invalid(misbehaviour) => {
                self.punish(peer, misbehaviour);
                return self.on_failure(&flight, Failure::Garbage);
            }
            Outcome::Tip(tip) => {
                self.peers.set_claim(peer, Claim { height: tip.height, work: tip.work });
            }
            Outcome::Pending(ids) => {
                for id in ids {
                    self.wants.add(Want::Proof(id), Some(peer), Origin::Claim, self.now);
                }
            }
            Outcome::Links { last, new, more } => self.on_links(peer, last, new, more),
            Outcome::Items { useful } => {
                // Whoever sent what depends on an item, or claimed to have it, has it to give.
                if useful == 0 && self.wants.any_held_by(&flight.wants, peer) {
                    self.punish(peer, Misbehaviour::Useless);
                }
            }
        }
        self.wants.put_back(&flight.wants, peer, self.now);
        self.peers.succeeded(peer);
    }

    fn on_failure(&mut self, flight: &Flight, failure: Failure) {
        if failure == Failure::Timeout {
            self.punish(flight.peer, Misbehaviour::Timeout);
        }
        self.wants.put_back(&flight.wants, flight.peer, self.now);
        self.peers.failed(flight.peer, self.now);
        if flight.purpose == Purpose::Links {
            self.catch_up = None;
        }
    }

    fn punish(&mut self, peer: PeerId, misbehaviour: Misbehaviour) {
        self.outputs.push_back(Output::Punish { peer, misbehaviour });
    }
}

#[cfg(test)]
mod tests;
