//! Bitcoin blocks of the pool: an announcement is judged like the share in it; [`Relay`] does the rest.

use std::collections::VecDeque;
use std::sync::Arc;

use bitcoin::{BlockHash, Target};
use p2p_proto::limits::PENDING_MAX;
use p2p_proto::message::Announcement;
use p2p_proto::sync::{self, RequestId};
use p2p_proto::{Command, Failure, Millis, Misbehaviour, PeerId, ReplyToken, Request, Response, Verdict};
use sharechain::chain::{Chain, Fate};
use sharechain::change_set::AcceptedProof;
use sharechain::{Height, Outcome, Proof, ShareId, Timestamp};
use tracing::debug;

use super::judge::Way;
use super::{Exchange, Now, Output, Turn};
use crate::engine::Engine;
use crate::journal::{Journal, RecordKind};
use crate::limits::{ANNOUNCEMENT_WAIT_MS, BLOCK_DEPTH_MAX, EXPECTED_MAX, FETCH_MS_MAX, HELD_ANNOUNCEMENTS_MAX};
use crate::pool_block::PoolBlock;
use crate::relay::{Announced, Built, Frame, Relay, RelayOutput, WholeBlock, has_depth};

/// Links below the tip that are searched for recent Bitcoin blocks when a node starts: an hour's.
const SEARCHED_LINKS: u32 = 360;

/// Blocks of the pool, and announcements and shares that wait.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    pub(super) relay: Relay,
    /// Announcements whose share the chain holds, oldest first.
    held: VecDeque<Announced>,
    /// Shares that are Bitcoin blocks and have not been announced, with the time since when, oldest first.
    expected: VecDeque<(ShareId, Millis)>,
}

/// True if a request is about a Bitcoin block of the pool.
#[must_use]
pub(super) fn is_for_block(request: &Request) -> bool {
    matches!(request, Request::Transactions { .. } | Request::BlockPiece { .. })
}

impl Blocks {
    /// The expected blocks of a node that has just started with this chain, since it may have stopped while it fetched
    /// one.
    pub(super) fn of(chain: &Chain) -> Self {
        let first = chain.height().0.saturating_sub(SEARCHED_LINKS);
        let recent = (first.max(1)..=chain.height().0).rev().filter_map(|height| chain.main_at(Height(height)));
        let listed = recent.filter_map(|id| Some((id, chain.link(&id)?))).flat_map(|(id, link)| {
            let list = link.complete().map(|complete| complete.list.to_vec()).unwrap_or_default();
            [id].into_iter().chain(list).map(|id| (id, link.bits))
        });
        let bits = chain.link(&chain.tip()).map(|tip| tip.bits);
        let pending =
            bits.into_iter().flat_map(|bits| chain.pending(PENDING_MAX).into_iter().map(move |id| (id, bits)));
        let blocks = pending.chain(listed).filter(|(id, bits)| Target::from_compact(*bits).is_met_by(id.block_hash()));
        let expected = blocks.take(EXPECTED_MAX).map(|(id, _)| id).map(|id| (id, Millis::default())).collect();
        Self { expected, ..Self::default() }
    }

    fn expect(&mut self, id: ShareId, now: Now) {
        if self.expected.len() >= EXPECTED_MAX {
            self.expected.pop_front();
        }
        self.expected.push_back((id, now.millis));
    }
}

/// Height of a block with this proof. None if its previous block is unknown or deep, an error if its header lacks the work
/// that Bitcoin expects.
fn height_of<J: Journal>(proof: &Proof, engine: &Engine<J>) -> Option<Result<u32, Misbehaviour>> {
    let header = &proof.header;
    let bitcoin = engine.chain().bitcoin();
    let height = bitcoin.get(&header.prev_blockhash)?.height.checked_add(1)?;
    if height.saturating_add(BLOCK_DEPTH_MAX) < engine.own_bitcoin_height() {
        return None;
    }
    let bits = bitcoin.next(&header.prev_blockhash)?.bits(Timestamp(header.time));
    let has_work = header.bits == bits && header.validate_pow(header.target()).is_ok();
    Some(if has_work { Ok(height) } else { Err(Misbehaviour::InvalidItem) })
}

impl Exchange {
    /// Judges the announcement of a Bitcoin block, cheap checks first. It is forwarded before the block arrives, so it
    /// must have what cannot be forged: the work of a recent Bitcoin block whose coinbase commits to a valid share.
    pub(super) fn judge_block<J: Journal>(&mut self, announced: Announced, turn: &mut Turn<'_, J>) -> Option<Verdict> {
        let Announcement { proof, .. } = &announced.announcement;
        if self.is_far_behind() {
            return Some(Verdict::Ignore);
        }
        match height_of(proof, turn.engine) {
            None => return Some(Verdict::Ignore),
            Some(Err(misbehaviour)) => return Some(Verdict::Reject(misbehaviour)),
            Some(Ok(_)) if !has_depth(&announced.announcement) => {
                return Some(Verdict::Reject(Misbehaviour::InvalidItem));
            }
            Some(Ok(_)) => {}
        }
        if self.blocks.relay.tracks(&proof.header.block_hash()) {
            let verdict = self.blocks.relay.hear_again(announced, turn.now.millis);
            self.act_on_blocks();
            return verdict;
        }
        match self.insert((announced.peer, Way::Gossip), (**proof).clone(), None, turn) {
            Outcome::Accepted(_) | Outcome::Known(_) => Some(self.follow_block(announced, turn)),
            Outcome::Held(missing) => {
                self.want_for_held(missing, announced.peer, turn);
                self.tell_sync(sync::Input::Hint(announced.peer), turn.now);
                self.hold(announced);
                None
            }
            Outcome::Unlistable => Some(Verdict::Ignore),
            Outcome::Invalid(_) => Some(Verdict::Reject(Misbehaviour::InvalidItem)),
        }
    }

    /// Fetches an announced block whose share is valid.
    fn follow_block<J: Journal>(&mut self, announced: Announced, turn: &mut Turn<'_, J>) -> Verdict {
        let proof = &announced.announcement.proof;
        let Some(frame) = Frame::of(proof, turn.engine.chain_mut()) else { return Verdict::Ignore };
        debug!(hash = %frame.hash, height = frame.height, peer = %announced.peer, "a peer announced a Bitcoin block");
        self.blocks.relay.track(frame, Some(announced), turn.now.millis);
        self.act_on_blocks();
        Verdict::Accept
    }

    /// Keeps an announcement until its share is judged, one per share.
    fn hold(&mut self, announced: Announced) {
        let held = &mut self.blocks.held;
        let id = announced.announcement.proof.id();
        if held.iter().any(|held| held.announcement.proof.id() == id) {
            return;
        }
        if held.len() >= HELD_ANNOUNCEMENTS_MAX {
            held.pop_front();
        }
        held.push_back(announced);
    }

    fn take_held(&mut self, id: ShareId) -> Option<Announced> {
        let position = self.blocks.held.iter().position(|held| held.announcement.proof.id() == id)?;
        self.blocks.held.remove(position)
    }

    /// Drops the announcement of a share that is invalid.
    pub(super) fn drop_held(&mut self, id: ShareId) {
        if let Some(Announced { token, .. }) = self.take_held(id) {
            self.command(Command::Verdict { token, verdict: Verdict::Ignore });
        }
    }

    /// Records a valid share that may be a Bitcoin block.
    pub(super) fn note_share<J: Journal>(&mut self, accepted: &AcceptedProof, turn: &mut Turn<'_, J>) {
        let AcceptedProof { id, proof, .. } = accepted;
        if !PoolBlock::is_block(proof, id) || self.blocks.relay.tracks(&id.block_hash()) {
            return;
        }
        if let Some(announced) = self.take_held(*id) {
            let token = announced.token;
            let verdict = self.follow_block(announced, turn);
            self.command(Command::Verdict { token, verdict });
        } else {
            self.blocks.expect(*id, turn.now);
        }
    }

    /// Announces a block that a miner of this node found, if its share is valid here.
    pub(super) fn on_found<J: Journal>(
        &mut self,
        proof: &Proof,
        nonce: u64,
        block: Arc<WholeBlock>,
        turn: &mut Turn<'_, J>,
    ) {
        let is_valid = matches!(
            turn.engine.chain().fate(&proof.id()),
            Fate::MainLink(_) | Fate::Listed { .. } | Fate::Pending | Fate::Expired
        );
        let Some(frame) = is_valid.then(|| Frame::of(proof, turn.engine.chain_mut())).flatten() else {
            debug!(hash = %block.hash, "a block is not announced, since its share is not valid");
            return;
        };
        self.blocks.relay.publish(frame, nonce, block, turn.now.millis);
        self.act_on_blocks();
    }

    /// Handles a built block, or the transactions that it lacks.
    pub(super) fn on_built(&mut self, built: Built, now: Now) {
        self.blocks.relay.take_built(built, now.millis);
        self.act_on_blocks();
    }

    /// Answers a peer's request for a part of a block.
    pub(super) fn serve_block(&mut self, peer: PeerId, token: ReplyToken, request: Request, now: Now) {
        self.blocks.relay.serve(peer, token, request, now.millis);
        self.act_on_blocks();
    }

    /// Handles a response for the relay. Returns all others.
    pub(super) fn take_block_response(
        &mut self,
        id: RequestId,
        result: Result<Response, Failure>,
        now: Now,
    ) -> Option<Result<Response, Failure>> {
        let result = self.blocks.relay.take_response(id, result, now.millis);
        self.act_on_blocks();
        result
    }

    /// Requests late items, and blocks that were never announced.
    pub(super) fn want_blocks<J: Journal>(&mut self, turn: &mut Turn<'_, J>) {
        let lowest = turn.engine.own_bitcoin_height().saturating_sub(BLOCK_DEPTH_MAX);
        let bitcoin = turn.engine.chain().bitcoin();
        let is_known = |hash: &BlockHash| bitcoin.get(hash).is_some();
        self.blocks.relay.tick(lowest, is_known, turn.now.millis);
        let due = |since: Millis| turn.now.millis.since(since) >= ANNOUNCEMENT_WAIT_MS;
        if turn.engine.own_bitcoin_height() > 0
            && !self.tips.is_empty()
            && let Some((id, since)) = self.blocks.expected.pop_front_if(|(_, since)| due(*since))
        {
            self.want_expected(id, since, turn);
        }
        self.act_on_blocks();
    }

    /// Fetches a block that no peer announced, unless this node's bitcoind has it.
    fn want_expected<J: Journal>(&mut self, id: ShareId, since: Millis, turn: &mut Turn<'_, J>) {
        let hash = id.block_hash();
        let is_here = self.blocks.relay.tracks(&hash) || turn.engine.chain().bitcoin().get(&hash).is_some();
        if is_here || turn.now.millis.since(since) >= FETCH_MS_MAX {
            return;
        }
        let stored = turn.engine.store().get(RecordKind::Proof, &id.0).ok().flatten();
        let Some(proof) = stored.and_then(|bytes| Proof::decode(&bytes).ok()) else { return };
        if let Some(Ok(height)) = height_of(&proof, turn.engine)
            && let Some(frame) = Frame::of(&proof, turn.engine.chain_mut())
        {
            debug!(%hash, height, "a Bitcoin block of the pool was not announced; asking peers for it");
            self.blocks.relay.track(frame, None, turn.now.millis);
        }
    }

    fn act_on_blocks(&mut self) {
        while let Some(output) = self.blocks.relay.poll_output() {
            self.outputs.push_back(match output {
                RelayOutput::Network(command) => Output::Network(command),
                RelayOutput::Build(build) => Output::Build(build),
                RelayOutput::Submit(block) => Output::Submit(block),
            });
        }
    }
}
