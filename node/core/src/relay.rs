//! Relay of the pool's Bitcoin blocks, without I/O, clock or threads.
//!
//! An announcement has the block's share and short ids of its transactions. The share proves the work of a Bitcoin
//! block, that the block is the pool's, and its coinbase; the exchange checks it first. Only the block itself proves
//! the short ids. So a node forwards at most two announcements of a block: the first, and the first true one.
//!
//! The block is built from the transactions of bitcoind's templates. Missing ones are requested from the peer that
//! announced the block, then from others. If no announcement helps, the block is fetched in pieces. In any case, it
//! counts only if its transactions have the header's merkle root and the coinbase's witness commitment. Wrong bytes say
//! nothing about the block: the next ones may be right.
//!
//! ```text
//! fetch.rs   one block being fetched
//! build.rs   builds a block from known transactions, off the consensus thread
//! whole.rs   complete blocks, and their validation
//! known.rs   transactions that this node knows
//! shelf.rs   blocks that peers may request
//! ask.rs     requests to peers, and their responses
//! ```

mod ask;
mod build;
mod fetch;
mod known;
mod shelf;
#[cfg(test)]
mod tests;
mod whole;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bitcoin::BlockHash;
use p2p_proto::message::Announcement;
use p2p_proto::rate::Rates;
use p2p_proto::sync::RequestId;
use p2p_proto::{Command, Gossip, Millis, Misbehaviour, PeerId, ReplyToken, Request, Response, Verdict, VerdictToken};

use crate::limits::{FETCHING_MAX, RELAYED_MAX, VARIANTS_PER_PEER_MAX};

use ask::Asked;
use build::{BuildResult, Material};
use fetch::{Stage, Tracked, is_true};
use shelf::Shelf;

pub use build::{BlockBuild, Built};
pub(crate) use fetch::Announced;
pub use known::Known;
pub(crate) use whole::Frame;
pub use whole::WholeBlock;

/// An action for the caller.
#[derive(Debug)]
pub(crate) enum RelayOutput {
    /// A command for the network.
    Network(Command),
    /// A block to build on any thread.
    Build(BlockBuild),
    /// A block for this node's bitcoind.
    Submit(Arc<WholeBlock>),
}

/// The pool's last Bitcoin blocks, complete or being fetched.
#[derive(Debug)]
pub(crate) struct Relay {
    blocks: BTreeMap<BlockHash, Tracked>,
    shelf: Shelf,
    connected: BTreeSet<PeerId>,
    rates: Rates,
    asked: BTreeMap<RequestId, Asked>,
    /// Number of the next attempt or request.
    next: u64,
    outputs: VecDeque<RelayOutput>,
}

impl Default for Relay {
    fn default() -> Self {
        Self {
            blocks: BTreeMap::new(),
            shelf: Shelf::default(),
            connected: BTreeSet::new(),
            rates: Rates::of_own_requests(),
            asked: BTreeMap::new(),
            next: 0,
            outputs: VecDeque::new(),
        }
    }
}

/// True if a proof's branch fits the number of transactions that an announcement names.
#[must_use]
pub(crate) fn has_depth(announcement: &Announcement) -> bool {
    whole::is_depth_of(announcement.proof.branch.len(), announcement.ids.len())
}

impl Relay {
    /// Returns the next action. Call it until it returns none, after every other call.
    pub(crate) fn poll_output(&mut self) -> Option<RelayOutput> {
        self.outputs.pop_front()
    }

    /// Records that a peer is connected, or no longer.
    pub(crate) fn note_peer(&mut self, peer: PeerId, is_connected: bool) {
        if is_connected {
            self.connected.insert(peer);
        } else {
            self.connected.remove(&peer);
        }
    }

    /// True if the block was announced, found here, or fetched.
    #[must_use]
    pub(crate) fn tracks(&self, hash: &BlockHash) -> bool {
        self.blocks.contains_key(hash)
    }

    /// Numbers of tracked blocks, of those being fetched, and of requests in flight.
    #[must_use]
    pub(crate) fn sizes(&self) -> [usize; 3] {
        let coming = self.blocks.values().filter(|tracked| !tracked.is_over()).count();
        [self.blocks.len(), coming, self.asked.len()]
    }

    /// A block that a miner of this node found: it is announced to all peers.
    pub(crate) fn publish(&mut self, frame: Frame, nonce: u64, block: Arc<WholeBlock>, now: Millis) {
        let announcement = Announcement::new(frame.proof.clone(), nonce, block.wtxids());
        let mut tracked = Tracked::new(frame, now);
        tracked.told = true;
        // Another node's true announcement can only have come first if the miner is connected to both nodes.
        let waiting = self.blocks.insert(block.hash, tracked).map(|mut before| before.end(Some(&block)));
        self.give_verdicts(waiting.unwrap_or_default());
        if let Some(tracked) = self.blocks.get_mut(&block.hash) {
            tracked.stage = Stage::Over;
        }
        self.make_room(block.hash);
        let answers = self.shelf.put(block);
        self.reply(answers);
        self.command(Command::Publish(Gossip::BitcoinBlock(announcement)));
    }

    /// Fetches a block that is not tracked yet. Its frame comes from a valid share; its announcement, if any, is the
    /// first and may be forwarded.
    pub(crate) fn track(&mut self, frame: Frame, announced: Option<Announced>, now: Millis) {
        let hash = frame.hash;
        let mut tracked = Tracked::new(frame, now);
        if let Some(announced) = announced {
            tracked.hear(announced.peer);
            tracked.add(announced);
        }
        self.blocks.insert(hash, tracked);
        self.make_room(hash);
        self.go_on(hash, now);
    }

    /// A further announcement of a block that is tracked. Returns its verdict, or none while only the block can decide.
    pub(crate) fn hear_again(&mut self, announced: Announced, now: Millis) -> Option<Verdict> {
        let hash = announced.announcement.proof.header.block_hash();
        let Some(tracked) = self.blocks.get_mut(&hash) else { return Some(Verdict::Ignore) };
        let Announcement { proof, nonce, ids } = &announced.announcement;
        // A header commits to its proof.
        if **proof != tracked.frame.proof {
            return Some(Verdict::Reject(Misbehaviour::InvalidItem));
        }
        if tracked.hear(announced.peer) > VARIANTS_PER_PEER_MAX {
            return Some(Verdict::Reject(Misbehaviour::Unsolicited));
        }
        if tracked.is_over() {
            let block = self.shelf.get(&hash);
            let forward = !tracked.told && block.is_some_and(|block| is_true(&tracked.frame, *nonce, ids, block));
            tracked.told |= forward;
            return Some(if forward { Verdict::Accept } else { Verdict::Ignore });
        }
        let is_first = tracked.is_new();
        if !tracked.add(announced) {
            return Some(Verdict::Ignore);
        }
        if matches!(tracked.stage, Stage::Pieces { .. }) {
            self.go_on(hash, now);
        }
        is_first.then_some(Verdict::Accept)
    }

    /// The result of a [`BlockBuild`].
    pub(crate) fn take_built(&mut self, built: Built, now: Millis) {
        let Built { hash, attempt, result } = built;
        let Some(tracked) = self.blocks.get_mut(&hash) else { return };
        let Stage::Building { attempt: awaited, sender } = tracked.stage else { return };
        if awaited != attempt {
            return;
        }
        match result {
            BuildResult::Whole(block) => self.finish(block),
            // With so much missing, the announcement is forged, or this node lacks the transactions: either way, the
            // whole block costs no more.
            BuildResult::Missing(missing) if missing.len() > tracked.ids_count() / 2 + 1 => {
                tracked.pass();
                self.go_on(hash, now);
            }
            BuildResult::Missing(missing) => {
                tracked.stage = Stage::Transactions(missing);
                self.ask(hash, now);
            }
            BuildResult::Wrong => {
                if let Some(sender) = sender {
                    tracked.stage = Stage::Pieces { from: None, bytes: Vec::new() };
                    self.command(Command::Punish { peer: sender, misbehaviour: Misbehaviour::InvalidItem });
                    self.ask(hash, now);
                } else {
                    tracked.pass();
                    self.go_on(hash, now);
                }
            }
        }
    }

    /// A peer's request for a part of a block. Returns no response if it will be answered later.
    pub(crate) fn serve(&mut self, peer: PeerId, token: ReplyToken, request: Request, now: Millis) {
        let blocks = &self.blocks;
        let is_coming = |hash: &BlockHash| blocks.get(hash).is_some_and(|tracked| !tracked.is_over());
        if let Some(response) = self.shelf.serve((peer, token), request, is_coming, now) {
            self.command(Command::Reply { token, response });
        }
    }

    /// Lets late requests expire and asks other peers. `is_known` tells whether Bitcoin has a block already, and blocks
    /// below `lowest` are forgotten.
    pub(crate) fn tick(&mut self, lowest: u32, is_known: impl Fn(&BlockHash) -> bool, now: Millis) {
        let late = self.shelf.late(now);
        self.reply(late);
        let (connected, rates) = (&self.connected, &mut self.rates);
        rates.forget(now, |peer| connected.contains(peer));
        let old: Vec<_> = self.blocks.values().filter(|tracked| tracked.frame.height < lowest).collect();
        let old: Vec<_> = old.into_iter().map(|tracked| tracked.frame.hash).collect();
        for hash in old {
            self.give_up(hash);
            self.blocks.remove(&hash);
        }
        let coming: Vec<_> = self.blocks.values().filter(|tracked| !tracked.is_over()).collect();
        let coming: Vec<_> = coming.into_iter().map(|tracked| tracked.frame.hash).collect();
        for hash in coming {
            if self.is_hopeless(&hash, &is_known, now) {
                self.give_up(hash);
            } else {
                self.ask_if_late(hash, now);
            }
        }
    }

    /// Builds the block from the next announcement, or fetches it in pieces if there is none left.
    fn go_on(&mut self, hash: BlockHash, now: Millis) {
        let Some(tracked) = self.blocks.get_mut(&hash) else { return };
        match tracked.material() {
            Some(material) => self.build(hash, material, None),
            None => {
                tracked.stage = Stage::Pieces { from: None, bytes: Vec::new() };
                self.ask(hash, now);
            }
        }
    }

    fn build(&mut self, hash: BlockHash, material: Material, sender: Option<PeerId>) {
        let attempt = self.number();
        let Some(tracked) = self.blocks.get_mut(&hash) else { return };
        tracked.stage = Stage::Building { attempt, sender };
        let frame = Arc::clone(&tracked.frame);
        self.outputs.push_back(RelayOutput::Build(BlockBuild { frame, material, attempt }));
    }

    fn finish(&mut self, block: Arc<WholeBlock>) {
        if let Some(tracked) = self.blocks.get_mut(&block.hash) {
            let verdicts = tracked.end(Some(&block));
            self.give_verdicts(verdicts);
        }
        let answers = self.shelf.put(Arc::clone(&block));
        self.reply(answers);
        self.outputs.push_back(RelayOutput::Submit(block));
    }

    fn give_up(&mut self, hash: BlockHash) {
        if let Some(tracked) = self.blocks.get_mut(&hash).filter(|tracked| !tracked.is_over()) {
            let verdicts = tracked.end(None);
            self.give_verdicts(verdicts);
            let answers = self.shelf.release(hash);
            self.reply(answers);
        }
    }

    /// Bounds the numbers of blocks, except this one. The lowest ones are dropped first.
    fn make_room(&mut self, newest: BlockHash) {
        let lowest = |relay: &Self, is_coming: bool| {
            let others = relay.blocks.values().filter(|tracked| tracked.frame.hash != newest);
            let others = others.filter(|tracked| !is_coming || !tracked.is_over());
            others.min_by_key(|tracked| (tracked.frame.height, tracked.since)).map(|tracked| tracked.frame.hash)
        };
        if self.sizes()[1] > FETCHING_MAX
            && let Some(hash) = lowest(self, true)
        {
            self.give_up(hash);
        }
        if self.blocks.len() > RELAYED_MAX
            && let Some(hash) = lowest(self, false)
        {
            self.give_up(hash);
            self.blocks.remove(&hash);
        }
    }

    fn give_verdicts(&mut self, verdicts: Vec<(VerdictToken, bool)>) {
        for (token, forward) in verdicts {
            let verdict = if forward { Verdict::Accept } else { Verdict::Ignore };
            self.command(Command::Verdict { token, verdict });
        }
    }

    fn reply(&mut self, answers: Vec<(ReplyToken, Response)>) {
        for (token, response) in answers {
            self.command(Command::Reply { token, response });
        }
    }

    fn command(&mut self, command: Command) {
        self.outputs.push_back(RelayOutput::Network(command));
    }

    fn number(&mut self) -> u64 {
        self.next = self.next.wrapping_add(1);
        self.next
    }
}
