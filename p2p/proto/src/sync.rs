//! Sync: decides what to request from which peer, so that this node has what its peers have.
//!
//! It is a state machine without I/O, clock or randomness. [`Sync::handle`] takes an event and the time.
//! [`Sync::poll_output`] returns actions until there are none. Three flows run in parallel:
//!
//! - It requests every peer's tip and unlisted shares periodically, so that partitions heal automatically.
//! - It fetches links in batches from one peer that claims more work. Each batch waits for the shares of the previous
//!   batch.
//! - It fetches everything that the chain is missing: first from peers that should have it, then from others, with
//!   growing pauses.
//!
//! # How to drive it
//!
//! 1. Create it with [`Sync::new`], from what [`Local`] says of this node.
//! 2. Pass every event to [`Sync::handle`]:
//!
//!    | when | input |
//!    |---|---|
//!    | a peer of this network connects, or disconnects | [`Input::Connected`], [`Input::Disconnected`] |
//!    | this node's tip changes | [`Input::Local`] |
//!    | the chain waits for something | [`Input::Want`], with the peer that sent what needs it |
//!    | something arrives, whether it was wanted or not | [`Input::Got`] |
//!    | gossip shows that a peer is ahead | [`Input::Hint`] |
//!    | a request ends | [`Input::Response`] |
//!    | every second, or more often | [`Input::Tick`] |
//!
//! 3. When all events at hand are in, call [`Sync::poll_output`] until it returns `None`. Perform each [`Output`].
//!
//! - Order: first give the items of a response to the chain. Then pass each [`Input::Got`] and [`Input::Want`] that follows
//!   from them, then [`Input::Response`]. A changed [`Input::Local`] belongs before it, too: a catch-up that ends on an old
//!   one pauses its peer.
//! - Batches: ids that become wanted between two rounds of [`Sync::poll_output`] go into one request.
//! - Responses: each [`Output::Request`] ends in one [`Input::Response`]. Without one, it counts as failed after
//!   [`REQUEST_TIMEOUT_MS`](crate::limits::REQUEST_TIMEOUT_MS), and a late response is ignored.
//! - Time: `now` is milliseconds of a clock that never goes back. Timeouts and pauses end in the next call of
//!   [`Sync::handle`].

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

/// Identifies a request until its response. Unique within one [`Sync`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// An item that the chain is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Want {
    /// Proof of a share or link.
    Proof(ShareId),
    /// List of a link.
    List(ShareId),
    /// Bitcoin header.
    Header(BlockHash),
}

/// Status of this node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Height of the tip.
    pub height: Height,
    /// Cumulative link work of the main chain.
    pub work: Work,
    /// Locator of the main chain, newest first: 10 consecutive ids, then ids at doubling distances.
    pub locator: Vec<ShareId>,
    /// Locator of the Bitcoin headers, in the same form.
    pub bitcoin_locator: Vec<BlockHash>,
}

/// Result of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Status of the peer.
    Tip(TipInfo),
    /// Links, already inserted into the chain.
    Links {
        /// Last link, if there were any.
        last: Option<ShareId>,
        /// Number of links that were new to the chain.
        new: u32,
        /// True if the peer's branch continues.
        more: bool,
    },
    /// Proofs or headers, already inserted into the chain. An [`Input::Got`] preceded for each wanted one.
    Items {
        /// Number of wanted items among them.
        useful: u32,
    },
    /// Ids of the peer's unlisted shares that this node does not know.
    Pending(Vec<ShareId>),
    /// An item in the response breaks a rule. The items before it were inserted into the chain.
    Invalid(Misbehaviour),
    /// The request has no response.
    Failed(Failure),
}

/// An event for [`Sync`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A peer of this network connected.
    Connected(PeerId),
    /// A peer disconnected.
    Disconnected(PeerId),
    /// This node's status changed.
    Local(Local),
    /// The chain is missing an item.
    Want {
        /// Missing item.
        want: Want,
        /// Peer that should have the item because it sent a proof that depends on it.
        from: Option<PeerId>,
    },
    /// An item arrived, wanted or not, from any source.
    Got(Want),
    /// A message of this peer shows that it is ahead.
    Hint(PeerId),
    /// A request ended.
    Response {
        /// Id of the request.
        id: RequestId,
        /// Result of the request.
        outcome: Outcome,
    },
    /// Time passed. Send it at least once per second.
    Tick,
}

/// Sync state of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncState {
    /// No peer has sent its status yet.
    Alone,
    /// A credible peer claims to be ahead.
    Syncing {
        /// Height of this node's tip.
        done: Height,
        /// Greatest height that a credible peer with more work claims.
        target: Height,
    },
    /// This node is level with the best credible peer, except for links in flight.
    Synced,
}

/// An action for the owner of [`Sync`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a request.
    Request {
        /// Peer to ask.
        peer: PeerId,
        /// Id for its [`Input::Response`].
        id: RequestId,
        /// Request to send.
        request: Request,
    },
    /// Punish a peer for misbehavior.
    Punish {
        /// Peer that misbehaved.
        peer: PeerId,
        /// Kind of misbehavior.
        misbehaviour: Misbehaviour,
    },
    /// The sync state changed.
    State(SyncState),
}

/// State machine of sync. The module documentation describes how to drive it.
#[derive(Clone, Debug)]
pub struct Sync {
    now: Millis,
    local: Local,
    peers: SyncPeers,
    flights: Flights,
    /// Rate limits of this node's own requests.
    asked: Rates,
    wants: Wants,
    catch_up: Option<CatchUp>,
    state: SyncState,
    outputs: VecDeque<Output>,
    /// True if an event arrived since requests were last scheduled.
    must_schedule: bool,
}

/// Pause that doubles with each failure, milliseconds.
fn backoff_ms(first_ms: u64, failures: u32) -> u64 {
    first_ms.checked_shl(failures.min(32)).unwrap_or(u64::MAX).min(BACKOFF_MS_MAX)
}

impl Sync {
    /// Creates the state of a node without peers.
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
            must_schedule: false,
        }
    }

    /// Current sync state.
    #[must_use]
    pub const fn state(&self) -> SyncState {
        self.state
    }

    /// Number of wanted ids, for metrics.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.wants.len()
    }

    /// Processes an event at time `now`. A time before the last one counts as the last one.
    pub fn handle(&mut self, input: Input, now: Millis) {
        self.now = self.now.max(now);
        self.must_schedule = true;
        match input {
            Input::Connected(peer) => self.peers.connect(peer, self.now),
            Input::Disconnected(peer) => self.on_disconnected(peer),
            Input::Local(local) => self.local = local,
            Input::Want { want, from } => {
                // Only a connected peer can be asked.
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

    /// Returns the next action, if any.
    pub fn poll_output(&mut self) -> Option<Output> {
        // Schedule only after all events are processed, so that ids wanted together go into one request.
        if self.outputs.is_empty() && core::mem::take(&mut self.must_schedule) {
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
        // Ignore late and unknown responses: the network has already matched responses to requests.
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
                // A peer that sent a dependent proof, or that claimed to have the item, must have it.
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
