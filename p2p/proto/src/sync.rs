//! Sync: decides what to request from which peer, so that this node has what its peers have.
//!
//! It is a state machine without I/O, clock or randomness. [`Sync::handle`] takes an event and the time.
//! [`Sync::poll_output`] returns actions until there are none. These flows run in parallel:
//!
//! - It requests every peer's tip and unlisted shares periodically, so that partitions heal automatically.
//! - It follows the header chains of up to four peers that claim more work. Headers prove their work themselves, so
//!   claims decide nothing. The heaviest chain that begins on this node's own chain is the [leader](Sync::leader).
//! - A node that is too far behind starts over: it chooses among complete header chains, and requests the rows of the
//!   one with the most work.
//! - It fetches everything that the chain is missing: first from peers that should have it, then from others, with
//!   growing pauses.
//!
//! ```text
//! follow.rs    follows header chains
//! shown.rs     the verified part of a peer's chain
//! newcomer.rs  a newcomer's choice of a chain, and its rows
//! state.rs     the sync state
//! schedule.rs  requests for tips, wanted items and unlisted shares
//! wants.rs     wanted items: which peers have them, and when to retry
//! peers.rs     state of each peer
//! flight.rs    requests in flight
//! ```
//!
//! # How to drive it
//!
//! 1. Create it with [`Sync::new`], from this node's [`Local`] status.
//! 2. Pass every event to [`Sync::handle`]:
//!
//!    | when | input |
//!    |---|---|
//!    | a peer of this network connects, or disconnects | [`Input::Connected`], [`Input::Disconnected`] |
//!    | this node's tip changes | [`Input::Local`] |
//!    | the chain waits for something | [`Input::Want`], with the peer that sent the dependent item |
//!    | something arrives, whether it was wanted or not | [`Input::Got`] |
//!    | lists of a peer's header chain arrive | [`Input::Advanced`] |
//!    | the node starts from fetched rows | [`Input::Based`] |
//!    | gossip shows that a peer is ahead | [`Input::Hint`] |
//!    | a request ends | [`Input::Response`] |
//!    | every second, or more often | [`Input::Tick`] |
//!
//! 3. After all available events, call [`Sync::poll_output`] until it returns `None`. Perform each [`Output`].
//! 4. Send an [`Input::Want`] for the next links of the [leader](Sync::leader)'s header chain. Drop the header chains
//!    that it no longer [follows](Sync::follows).
//!
//! - Order: first give the items of a response to the chain. Then pass each [`Input::Got`] and [`Input::Want`] that follows
//!   from them, and a changed [`Input::Local`], and then [`Input::Response`].
//! - Batches: ids that become wanted between two rounds of [`Sync::poll_output`] go into one request.
//! - Responses: each [`Output::Request`] ends in one [`Input::Response`]. Without one, it counts as failed after
//!   [`REQUEST_TIMEOUT_MS`](crate::limits::REQUEST_TIMEOUT_MS), and a late response is ignored.
//! - Time: `now` is milliseconds of a clock that never goes back. Timeouts and pauses end in the next call of
//!   [`Sync::handle`].

mod flight;
mod follow;
mod newcomer;
mod peers;
mod schedule;
mod shown;
mod state;
mod wants;

use std::collections::VecDeque;

use bitcoin::BlockHash;
use sharechain::{Height, ShareId, Work};

use crate::limits::BACKOFF_MS_MAX;
use crate::message::{Failure, Request, TipInfo};
use crate::rate::Rates;
use crate::score::Misbehaviour;
use crate::{Millis, PeerId};

use flight::{Flight, Flights, Purpose};
use newcomer::Newcomer;
use peers::{Claim, SyncPeers};
use wants::{Origin, Wants};

pub use follow::Headers;
pub use shown::{Begins, Shown};
pub use state::{Phase, SyncState};

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
    /// Link headers or a beginning, already verified as far as possible.
    Headers(Headers),
    /// Rows, already verified.
    Rows {
        /// Height of the next link whose rows are not verified.
        next: Height,
        /// True if no more rows are needed.
        done: bool,
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
    /// Lists of links of this peer's header chain arrived, or other items needed to follow it.
    Advanced(PeerId),
    /// The node started over from the rows that it fetched.
    Based,
    /// Items that this peer's header chain needs are unavailable, or contradict it.
    Failed(PeerId),
    /// This many bytes of headers, rows, or proofs arrived.
    Received(u64),
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
    newcomer: Newcomer,
    /// True once the node has been in sync. From then on, claims decide nothing.
    was_synced: bool,
    /// When the node last made progress: first claim, more verified work, rows, lists, or a higher tip.
    advanced_at: Millis,
    /// Most work of a header chain so far that begins on this node's own chain.
    best_shown: Work,
    /// Most work of a header chain so far that a newcomer might choose.
    best_candidate: Work,
    received_bytes: u64,
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
            newcomer: Newcomer::default(),
            was_synced: false,
            advanced_at: Millis(0),
            best_shown: Work::default(),
            best_candidate: Work::default(),
            received_bytes: 0,
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

    /// True if a response to this request is awaited.
    #[must_use]
    pub fn awaits(&self, id: RequestId) -> bool {
        self.flights.has(id)
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
            Input::Local(local) => {
                if local.work > self.local.work {
                    self.advanced_at = self.now;
                }
                self.local = local;
            }
            Input::Want { want, from } => {
                // Only a connected peer can be asked.
                let from = from.filter(|peer| self.peers.get(*peer).is_some());
                self.wants.add(want, from, Origin::Chain, self.now);
            }
            Input::Got(want) => self.wants.got(want, self.now),
            Input::Hint(peer) => self.peers.hint(peer, self.now),
            Input::Advanced(peer) => self.on_advanced(peer),
            Input::Based => self.on_based(),
            Input::Failed(peer) => self.leave(peer),
            Input::Received(bytes) => self.received_bytes = self.received_bytes.saturating_add(bytes),
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
                if !self.peers.any_claim() {
                    self.advanced_at = self.now;
                }
                self.peers.set_claim(peer, Claim { height: tip.height, work: tip.work });
            }
            Outcome::Pending(ids) => {
                for id in ids {
                    self.wants.add(Want::Proof(id), Some(peer), Origin::Claim, self.now);
                }
            }
            Outcome::Headers(headers) => self.on_headers(peer, headers),
            Outcome::Rows { next, done } => self.on_rows(peer, next, done),
            Outcome::Items { useful } => {
                // A peer that sent a dependent proof, or that claimed to have the item, must have it.
                if useful == 0 && self.wants.any_held_by(&flight.wants, peer) {
                    self.punish(peer, Misbehaviour::Useless);
                    return self.on_useless(&flight);
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
        if matches!(flight.purpose, Purpose::Headers | Purpose::Rows) {
            self.leave(flight.peer);
        }
    }

    /// A peer lacks items that it should have: others are asked first, and its header chain gives way to the next one.
    fn on_useless(&mut self, flight: &Flight) {
        self.wants.put_back(&flight.wants, flight.peer, self.now);
        self.peers.failed(flight.peer, self.now);
        if self.follows(flight.peer) {
            self.leave(flight.peer);
        }
    }

    fn punish(&mut self, peer: PeerId, misbehaviour: Misbehaviour) {
        self.outputs.push_back(Output::Punish { peer, misbehaviour });
    }
}

#[cfg(test)]
mod tests;
