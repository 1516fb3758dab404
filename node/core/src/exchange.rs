//! The protocol between this node and its peers, without I/O, clock or threads: it feeds gossip and responses to the
//! chain and decides what to request from which peer. [`Exchange::handle`] takes an input; [`Exchange::poll_output`]
//! returns what to do.
//!
//! The node runs it on the consensus thread. The simulator runs it in its own loop.
//!
//! ```text
//! judge.rs      gossip: only fully judged messages are forwarded
//! changes.rs    changes of the chain: publishes this node's own shares
//! blocks.rs     Bitcoin blocks of the pool
//! take.rs       feeds responses of peers to the chain
//! headers.rs    header chains of peers, verified as they come
//! newcomer.rs   a node that starts over, from rows and lists
//! wants.rs      what the chain is missing, and where to get it
//! serve.rs      answers to peers' requests
//! sources.rs    numbers for peers, which identify senders to the chain
//! trust.rs      consequences of the sync state for miners and for peers
//! undecided.rs  gossip without a verdict, because the chain holds its proof
//! ```
//!
//! # How to drive it
//!
//! 1. Create it with [`Exchange::new`] once the engine is open. Perform its outputs, as after every input.
//! 2. Pass every [`Input`] to [`Exchange::handle`]. A large response then blocks the engine until all of it is
//!    processed. To let other calls reach the engine in between, call [`Exchange::begin`], and [`Exchange::go_on`]
//!    while [`Exchange::is_unfinished`]. The next [`Exchange::begin`] finishes the rest.
//! 3. After each of these calls, stop if [`Engine::failure`] has a reason: the journal lacks data that the outputs
//!    would announce. Otherwise perform [`Exchange::poll_output`] until it returns `None`, in order:
//!
//!    | output | what to do |
//!    |---|---|
//!    | [`Output::Network`] | hand the command to the network |
//!    | [`Output::LookUp`] | ask bitcoind, insert the header if it may count, then pass [`Input::LookedUp`] in any case |
//!    | [`Output::Build`] | call [`BlockBuild::run`] on any thread with the transactions of bitcoind's templates, then pass [`Input::Built`] |
//!    | [`Output::Submit`] | submit the block to bitcoind |
//!    | [`Output::Refused`] | nothing; an event log may note it |
//!    | [`Output::State`] | make no jobs while it names a problem |
//!
//! 4. Pass each [`ChainEvent::Changed`](crate::engine::ChainEvent::Changed) of [`Engine::take_events`] back as
//!    [`Input::Changed`], in order, also those that other callers of the engine caused: this is how this node's own shares
//!    reach peers. If some were lost, pass [`Input::Missed`].
//!
//! - Requests: [`Input::Network`] with [`Event::Request`] is answered in the call. To answer elsewhere, keep the event, and
//!   use [`serve::begin`] with any published chain.
//! - Time: [`Now`] has both clocks. Pass [`Input::Tick`] twice a second: it lets held proofs and late requests expire.

mod blocks;
mod changes;
mod headers;
mod judge;
mod newcomer;
pub mod serve;
mod sources;
mod take;
#[cfg(test)]
mod tests;
mod trust;
mod undecided;
mod wants;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bitcoin::BlockHash;
use p2p_proto::sync::{self, RequestId, Sync};
use p2p_proto::{Command, Event, Millis, Misbehaviour, PeerId, Request, TipInfo};
use sharechain::change_set::ChangeSet;
use sharechain::{Proof, RuleError, ShareId, Timestamp};
use tracing::{debug, info, warn};

use crate::engine::Engine;
use crate::journal::Journal;
use crate::limits::REQUESTS_MAX;
use crate::relay::{BlockBuild, Built, WholeBlock};

use blocks::Blocks;
use headers::HeaderChain;
use newcomer::Newcomer;
use sources::Sources;
use take::Taking;
use undecided::Undecided;

pub use p2p_proto::sync::{Phase, SyncState};

/// The current time, by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since the exchange started; a monotonic clock.
    pub millis: Millis,
    /// Wall-clock time, seconds since 1970.
    pub time: Timestamp,
}

/// An input of the exchange.
#[derive(Debug)]
pub enum Input {
    /// An event from the network.
    Network(Event),
    /// The chain changed; see [`Engine::take_events`].
    Changed(Arc<ChangeSet>),
    /// The caller missed changes of the chain.
    Missed,
    /// The result of an [`Output::LookUp`].
    LookedUp {
        /// Hash of the header.
        hash: BlockHash,
        /// The peer that sent the proof waiting for it; none if unknown.
        from: Option<PeerId>,
        /// True if the share-chain has the header now.
        found: bool,
    },
    /// A miner of this node found this Bitcoin block with this proof. Pass it after the share.
    Found {
        /// Proof of the share.
        proof: Box<Proof>,
        /// Random number for the short ids of its announcement.
        nonce: u64,
        /// The block.
        block: Arc<WholeBlock>,
    },
    /// The result of an [`Output::Build`].
    Built(Built),
    /// Time has passed. Send this about twice a second.
    Tick,
}

/// An action for the caller.
#[derive(Debug)]
pub enum Output {
    /// A command for the network.
    Network(Command),
    /// Ask this node's bitcoind for a header that the chain is missing. Always answer with [`Input::LookedUp`].
    LookUp {
        /// Hash of the header.
        hash: BlockHash,
        /// The peer that sent the proof waiting for it; none if unknown.
        from: Option<PeerId>,
    },
    /// A Bitcoin block of the pool to build, off the thread that owns the engine: see [`BlockBuild::run`]. Always answer
    /// with [`Input::Built`].
    Build(BlockBuild),
    /// A Bitcoin block that a peer's miner found, for this node's bitcoind.
    Submit(Arc<WholeBlock>),
    /// A proof broke a rule. This is for the event log; no action is needed.
    Refused(RefusedProof),
    /// The node's sync state changed.
    State {
        /// The state as reported by peers.
        state: SyncState,
        /// Why miners should not work, in one sentence; none if sync is no reason.
        trouble: Option<Arc<str>>,
    },
}

/// A proof that broke a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedProof {
    /// Id of the proof.
    pub id: ShareId,
    /// The rule that it broke.
    pub rule: RuleError,
    /// The peer that sent it; none for this node's own miners, or when the sender is no longer known.
    pub peer: Option<PeerId>,
}

/// The state machine of the protocol with peers.
#[derive(Debug)]
pub struct Exchange {
    sync: Sync,
    /// Outstanding requests to peers.
    requests: BTreeMap<RequestId, Request>,
    /// A response that is partly processed.
    taking: Option<Taking>,
    /// The verified parts of the chains that the sync machine follows.
    shown: BTreeMap<PeerId, HeaderChain>,
    /// The fetched part of the chain from which this node will start.
    newcomer: Option<Newcomer>,
    /// A link that this node's share-chain must contain.
    trusted: Option<trust::Trusted>,
    sources: Sources,
    undecided: Undecided,
    blocks: Blocks,
    /// Headers that bitcoind is being asked for.
    looked_up: BTreeSet<BlockHash>,
    /// Connected peers and their reported tips.
    tips: BTreeMap<PeerId, Option<TipInfo>>,
    /// Hand out work even if no peer was ever reached.
    new_pool: bool,
    was_synced: bool,
    /// Newest link of the branch last reported to the sync machine.
    told: ShareId,
    outputs: VecDeque<Output>,
}

/// Everything that processing one input needs.
struct Turn<'a, J: Journal> {
    engine: &'a mut Engine<J>,
    now: Now,
}

impl Exchange {
    /// An exchange without peers. With `new_pool`, miners may work before any peer is reached.
    #[must_use]
    pub fn new<J: Journal>(engine: &Engine<J>, new_pool: bool) -> Self {
        let mut exchange = Self {
            sync: Sync::new(wants::local(engine.chain())),
            requests: BTreeMap::new(),
            taking: None,
            shown: BTreeMap::new(),
            newcomer: None,
            trusted: None,
            sources: Sources::default(),
            undecided: Undecided::default(),
            blocks: Blocks::of(engine.chain()),
            looked_up: BTreeSet::new(),
            tips: BTreeMap::new(),
            new_pool,
            was_synced: false,
            told: wants::newest(engine.chain()),
            outputs: VecDeque::new(),
        };
        exchange.tell_state(SyncState::Alone);
        exchange
    }

    /// Processes an input completely. After the engine has failed ([`Engine::failure`]), no outputs follow.
    pub fn handle<J: Journal>(&mut self, input: Input, engine: &mut Engine<J>, now: Now) {
        self.begin(input, engine, now);
        while self.is_unfinished() {
            self.go_on(engine, now);
        }
    }

    /// Like [`Self::handle`], but leaves the rest of a large response to [`Self::go_on`], so that other callers get
    /// their turn at the engine.
    pub fn begin<J: Journal>(&mut self, input: Input, engine: &mut Engine<J>, now: Now) {
        // Responses are processed one after the other.
        while self.is_unfinished() {
            self.go_on(engine, now);
        }
        let mut turn = Turn { engine, now };
        match input {
            Input::Network(event) => self.on_event(event, &mut turn),
            Input::Changed(changes) => self.on_change(&changes, &mut turn),
            Input::Missed => self.tell_local(&turn),
            Input::LookedUp { hash, from, found } => self.on_looked_up(hash, from, found, now),
            Input::Found { proof, nonce, block } => self.on_found(&proof, nonce, block, &mut turn),
            Input::Built(built) => self.on_built(built, now),
            Input::Tick => self.on_tick(&mut turn),
        }
        self.act(engine);
    }

    /// True if part of a response is left for [`Self::go_on`].
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.taking.is_some()
    }

    /// Processes the next part of a large response.
    pub fn go_on<J: Journal>(&mut self, engine: &mut Engine<J>, now: Now) {
        self.take_some(&mut Turn { engine, now });
        self.act(engine);
    }

    /// Returns the next action. Call it until it returns none, after [`Self::new`] and after every input.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Sizes of the queues: ids wanted from peers, messages waiting for a held proof, and headers being looked up.
    #[must_use]
    pub fn sizes(&self) -> [usize; 3] {
        [self.sync.wanted(), self.undecided.len(), self.looked_up.len()]
    }

    /// Connected peers, each with its reported tip, if it has sent one.
    #[must_use]
    pub fn tips(&self) -> &BTreeMap<PeerId, Option<TipInfo>> {
        &self.tips
    }

    fn command(&mut self, command: Command) {
        self.outputs.push_back(Output::Network(command));
    }

    fn punish(&mut self, peer: PeerId, misbehaviour: Misbehaviour) {
        self.command(Command::Punish { peer, misbehaviour });
    }

    fn tell_sync(&mut self, input: sync::Input, now: Now) {
        self.sync.handle(input, now.millis);
    }

    fn on_event<J: Journal>(&mut self, event: Event, turn: &mut Turn<'_, J>) {
        match event {
            Event::Listening(address) => info!(address, "peers can connect"),
            Event::PeerConnected { peer, addr, inbound } => {
                debug!(%peer, addr, inbound, "peer connected");
                self.tips.entry(peer).or_default();
                self.blocks.relay.note_peer(peer, true);
                self.tell_sync(sync::Input::Connected(peer), turn.now);
            }
            Event::PeerDisconnected { peer } => {
                debug!(%peer, "peer disconnected");
                self.tips.remove(&peer);
                self.blocks.relay.note_peer(peer, false);
                self.tell_sync(sync::Input::Disconnected(peer), turn.now);
            }
            Event::OtherPool { peer, addr } => warn!(
                %peer,
                addr,
                "this node belongs to another pool; it needs the same version, `network`, `pool` and `outputs`"
            ),
            Event::OwnKeyElsewhere { addr } => warn!(
                addr,
                "a node with this node's key answers there; if that is another machine, move `identity.key` on one of the two \
                 away, since two nodes with one key drive each other out"
            ),
            Event::Gossip { token, peer, message } => {
                if let Some(verdict) = self.judge_gossip(token, peer, message, turn) {
                    self.command(Command::Verdict { token, verdict });
                }
            }
            Event::Request { token, peer, request } if blocks::is_for_block(&request) => {
                self.serve_block(peer, token, request, turn.now);
            }
            Event::Request { token, peer: _, request } => {
                let response = serve::answer(request, turn.engine);
                self.command(Command::Reply { token, response });
            }
            Event::PeerBanned { peer } => warn!(%peer, "a peer misbehaved and is banned for a while"),
            Event::Response { peer, id, result } => {
                let Some(result) = self.take_block_response(id, result, turn.now) else { return };
                if let Some(request) = self.requests.remove(&id) {
                    self.take_response((peer, id), request, result, turn);
                }
            }
        }
    }

    fn tell_local_if_new<J: Journal>(&mut self, turn: &Turn<'_, J>) {
        if wants::newest(turn.engine.chain()) != self.told {
            self.tell_local(turn);
        }
        if self.note_lists(turn.engine.chain(), turn.now) {
            self.want_next_links(turn);
        }
    }

    fn tell_local<J: Journal>(&mut self, turn: &Turn<'_, J>) {
        self.told = wants::newest(turn.engine.chain());
        let local = wants::local(turn.engine.chain());
        self.tell_sync(sync::Input::Local(local), turn.now);
    }

    fn on_tick<J: Journal>(&mut self, turn: &mut Turn<'_, J>) {
        turn.engine.tick(turn.now.time);
        self.want_missing(turn);
        self.want_base_lists(turn);
        self.start_if_whole(turn);
        self.note_trusted(turn);
        self.tell_local_if_new(turn);
        self.want_next_links(turn);
        self.tell_sync(sync::Input::Tick, turn.now);
        self.want_blocks(turn);
    }

    /// Executes the sync machine's decisions once an input is fully processed, so that wants are requested in batches.
    fn act<J: Journal>(&mut self, engine: &Engine<J>) {
        if engine.failure().is_some() {
            self.taking = None;
            self.outputs.clear();
            return;
        }
        if self.is_unfinished() {
            return;
        }
        while let Some(output) = self.sync.poll_output() {
            match output {
                sync::Output::Request { peer, id, request } => {
                    self.requests.insert(id, request.clone());
                    if self.requests.len() > REQUESTS_MAX {
                        self.requests.pop_first();
                    }
                    self.command(Command::Request { peer, id, request });
                }
                sync::Output::Punish { peer, misbehaviour } => self.punish(peer, misbehaviour),
                sync::Output::State(state) => self.tell_state(state),
            }
        }
    }
}
