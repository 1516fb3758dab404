//! What this node and its peers tell each other, decided without I/O, clock and threads: gossip into the chain, responses
//! into it, and what to ask whom. [`Exchange::handle`] takes what happened, [`Exchange::poll_output`] gives what to do.
//!
//! The node runs it on the engine's thread, see [`crate::peers`]; a simulator runs it where it likes.
//!
//! ```text
//! judge.rs      gossip: nothing is forwarded that was not fully judged
//! take.rs       responses of peers, into the chain
//! wants.rs      what the chain waits for, and where it comes from
//! serve.rs      answers to peers' requests
//! sources.rs    numbers for peers, by which the chain knows who brought what
//! undecided.rs  gossip that the chain holds
//! ```

mod judge;
pub mod serve;
mod sources;
mod take;
#[cfg(test)]
mod tests;
mod undecided;
mod wants;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bitcoin::BlockHash;
use p2p_proto::sync::{self, RequestId, Sync, Want};
use p2p_proto::{Command, Event, Gossip, Millis, Misbehaviour, PeerId, Request, TipInfo, Verdict};
use sharechain::change_set::{AcceptedProof, ChangeSet, Refusal, Source};
use sharechain::{RuleError, ShareId, Timestamp};
use tracing::{debug, info, warn};

use crate::engine::Engine;
use crate::journal::Journal;
use crate::limits::{REQUESTS_MAX, SYNC_GAP_LINKS};

use sources::Sources;
use take::Taking;
use undecided::Undecided;

pub use judge::PeerBlock;
pub use p2p_proto::sync::SyncState;

/// The present, by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds since the exchange began: a clock that never goes back.
    pub millis: Millis,
    /// The time of day.
    pub time: Timestamp,
}

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// The network says something.
    Network(Event),
    /// The chain changed; see [`Engine::take_events`].
    Changed(Arc<ChangeSet>),
    /// Changes of the chain were missed.
    Missed,
    /// The end of an [`Output::LookUp`].
    LookedUp {
        /// Which header.
        hash: BlockHash,
        /// Who sent what waits for it.
        from: Option<PeerId>,
        /// Whether the share-chain has it now.
        found: bool,
    },
    /// Time has passed: twice a second, say.
    Tick,
}

/// What to do.
#[derive(Debug)]
pub enum Output {
    /// The network has to do something.
    Network(Command),
    /// The own bitcoind is to be asked for a header that the chain waits for; [`Input::LookedUp`] follows in any case.
    LookUp {
        /// Which header.
        hash: BlockHash,
        /// Who sent what waits for it.
        from: Option<PeerId>,
    },
    /// A peer's Bitcoin block: see [`PeerBlock::verdict`].
    Block(PeerBlock),
    /// A proof broke a rule. For whoever keeps a event_log: nothing needs to be done.
    Refused(RefusedProof),
    /// How far the node is.
    State {
        /// As its peers let it know.
        state: SyncState,
        /// Why miners should not work, as far as peers are concerned.
        trouble: Option<Arc<str>>,
    },
}

/// A proof that broke a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedProof {
    /// Its id.
    pub id: ShareId,
    /// The rule.
    pub rule: RuleError,
    /// Who brought it; none for this node's own miners, or when that is not known any more.
    pub peer: Option<PeerId>,
}

/// The state machine.
#[derive(Debug)]
pub struct Exchange {
    sync: Sync,
    /// Requests to peers whose answers are awaited.
    requests: BTreeMap<RequestId, Request>,
    /// A response of which a part is taken in.
    taking: Option<Taking>,
    sources: Sources,
    undecided: Undecided,
    /// Headers that the own bitcoind is asked for.
    looked_up: BTreeSet<BlockHash>,
    /// Connected peers, and what they told of their tips.
    tips: BTreeMap<PeerId, Option<TipInfo>>,
    /// Hand out work though no peer was reached.
    new_pool: bool,
    was_synced: bool,
    outputs: VecDeque<Output>,
}

/// What an input is taken in with.
struct Turn<'a, J: Journal> {
    engine: &'a mut Engine<J>,
    now: Now,
}

impl Exchange {
    /// A node without peers. With `new_pool` miners may work though no peer was reached.
    #[must_use]
    pub fn new<J: Journal>(engine: &Engine<J>, new_pool: bool) -> Self {
        let mut exchange = Self {
            sync: Sync::new(wants::local(engine.chain())),
            requests: BTreeMap::new(),
            taking: None,
            sources: Sources::default(),
            undecided: Undecided::default(),
            looked_up: BTreeSet::new(),
            tips: BTreeMap::new(),
            new_pool,
            was_synced: false,
            outputs: VecDeque::new(),
        };
        exchange.tell_state(SyncState::Alone);
        exchange
    }

    /// Takes in what happened. Nothing is to be done any more once [`Engine::failure`] says why.
    pub fn handle<J: Journal>(&mut self, input: Input, engine: &mut Engine<J>, now: Now) {
        self.begin(input, engine, now);
        while self.is_unfinished() {
            self.go_on(engine, now);
        }
    }

    /// Like [`Self::handle`], but leaves the rest of a large response to [`Self::go_on`], so that others reach the engine
    /// meanwhile.
    pub fn begin<J: Journal>(&mut self, input: Input, engine: &mut Engine<J>, now: Now) {
        // Responses are taken in one after the other.
        while self.is_unfinished() {
            self.go_on(engine, now);
        }
        let mut turn = Turn { engine, now };
        match input {
            Input::Network(event) => self.on_event(event, &mut turn),
            Input::Changed(changes) => self.on_change(&changes, &turn),
            Input::Missed => self.tell_local(&turn),
            Input::LookedUp { hash, from, found } => self.on_looked_up(hash, from, found, now),
            Input::Tick => self.on_tick(&mut turn),
        }
        self.act(engine);
    }

    /// Whether a response is left for [`Self::go_on`].
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.taking.is_some()
    }

    /// Takes in some more of a large response.
    pub fn go_on<J: Journal>(&mut self, engine: &mut Engine<J>, now: Now) {
        self.take_some(&mut Turn { engine, now });
        self.act(engine);
    }

    /// What is to be done next. Ask until there is nothing more, after [`Self::new`] and after every input.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// How many ids are wanted from peers, how many messages wait for a proof that is held, and how many headers are looked
    /// up.
    #[must_use]
    pub fn sizes(&self) -> [usize; 3] {
        [self.sync.wanted(), self.undecided.len(), self.looked_up.len()]
    }

    /// Connected peers, and what each told of its tip.
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
                self.tell_sync(sync::Input::Connected(peer), turn.now);
            }
            Event::PeerDisconnected { peer } => {
                debug!(%peer, "peer disconnected");
                self.tips.remove(&peer);
                self.tell_sync(sync::Input::Disconnected(peer), turn.now);
            }
            Event::Gossip { token, peer, message } => {
                if let Some(verdict) = self.judge_gossip(token, peer, message, turn) {
                    self.command(Command::Verdict { token, verdict });
                }
            }
            Event::Request { token, peer: _, request } => {
                let response = serve::answer(request, turn.engine);
                self.command(Command::Reply { token, response });
            }
            Event::PeerBanned { peer } => warn!(%peer, "a peer misbehaved and is banned for a while"),
            Event::Response { peer, id, result } => {
                if let Some(request) = self.requests.remove(&id) {
                    self.take_response((peer, id), request, result, turn);
                }
            }
        }
    }

    fn on_change<J: Journal>(&mut self, changes: &ChangeSet, turn: &Turn<'_, J>) {
        for accepted in &changes.accepted {
            self.tell_sync(sync::Input::Got(Want::Proof(accepted.id)), turn.now);
            self.decide(accepted.id, Verdict::Accept);
            if accepted.source == Source::default() {
                self.publish_own(accepted, &changes.lists);
            }
        }
        for (id, _) in &changes.lists {
            self.tell_sync(sync::Input::Got(Want::List(*id)), turn.now);
        }
        // By rules that are not the pool's any more nobody is punished.
        let too_old = turn.engine.chain().too_old().is_some();
        for Refusal { id, rule, source } in &changes.refused {
            self.decide(*id, Verdict::Ignore);
            let peer = self.sources.peer(*source);
            self.outputs.push_back(Output::Refused(RefusedProof { id: *id, rule: *rule, peer }));
            if let Some(peer) = peer.filter(|_| !too_old) {
                self.punish(peer, Misbehaviour::InvalidItem);
            }
        }
        if !changes.tips.is_empty() {
            self.tell_local(turn);
        }
    }

    /// Sends what this node's miners found to everybody, now that it is stored.
    fn publish_own(&mut self, accepted: &AcceptedProof, lists: &[(ShareId, Vec<ShareId>)]) {
        let proof = Box::new(accepted.proof.clone());
        let list = lists.iter().find(|(id, _)| *id == accepted.id).map(|(_, list)| list.clone());
        let message = match list {
            Some(list) if accepted.is_link => Gossip::Link { proof, list },
            _ => Gossip::Share(proof),
        };
        self.command(Command::Publish(message));
    }

    /// Tells the network what became of gossip that was left undecided.
    fn decide(&mut self, id: ShareId, verdict: Verdict) {
        for token in self.undecided.take(id) {
            self.command(Command::Verdict { token, verdict });
        }
    }

    fn tell_local<J: Journal>(&mut self, turn: &Turn<'_, J>) {
        let local = wants::local(turn.engine.chain());
        self.tell_sync(sync::Input::Local(local), turn.now);
    }

    fn on_tick<J: Journal>(&mut self, turn: &mut Turn<'_, J>) {
        turn.engine.tick(turn.now.time);
        self.want_missing(turn);
        self.tell_sync(sync::Input::Tick, turn.now);
    }

    /// Does what the sync machine decided, once all that happened was taken in: what became wanted together is asked for
    /// together.
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

    fn tell_state(&mut self, state: SyncState) {
        self.was_synced |= state == SyncState::Synced;
        let trouble = match state {
            SyncState::Synced => None,
            SyncState::Alone if self.was_synced || self.new_pool => None,
            SyncState::Alone => Some(Arc::from(
                "no peer was reached yet; name one in `p2p.peers`, or set `new_pool` if this node starts a new pool",
            )),
            SyncState::Syncing { done, target } if self.was_synced && target.above(done) <= SYNC_GAP_LINKS => None,
            SyncState::Syncing { done, target } => {
                Some(Arc::from(format!("the share-chain is being fetched: link {done} of {target}")))
            }
        };
        self.outputs.push_back(Output::State { state, trouble });
    }
}
