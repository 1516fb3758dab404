//! Gossip: nothing is forwarded that was not fully judged.

use bitcoin::block::Header;
use bitcoin::consensus::encode::{deserialize, deserialize_partial};
use bitcoin::{Block, BlockHash};
use p2p_proto::{Gossip, Misbehaviour, PeerId, Verdict, VerdictToken, sync};
use sharechain::check::binding::BoundProof;
use sharechain::{Outcome, Proof, ShareId};
use tracing::debug;

use super::{Exchange, Output, RefusedProof, Turn};
use crate::journal::Journal;
use crate::limits::BLOCK_DEPTH_MAX;

/// A Bitcoin block that a peer found, as far as its header tells: the work is real.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerBlock {
    /// Names the message until its verdict.
    pub token: VerdictToken,
    /// Its hash.
    pub hash: BlockHash,
    /// Its height.
    pub height: u32,
    /// The serialized block.
    pub bytes: Vec<u8>,
}

impl PeerBlock {
    /// What to tell the network of it; an accepted block is to be submitted to bitcoind as well. Reads all of up to 4 MB,
    /// so it is called where that keeps nobody up.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let whole = deserialize::<Block>(&self.bytes).is_ok_and(|block| block.check_merkle_root());
        if whole { Verdict::Accept } else { Verdict::Reject(Misbehaviour::InvalidItem) }
    }
}

impl Exchange {
    /// Judges a message for everybody. No verdict yet while the chain holds it: it is forwarded as soon as it is valid.
    pub(super) fn judge_gossip<J: Journal>(
        &mut self,
        token: VerdictToken,
        peer: PeerId,
        message: Gossip,
        turn: &mut Turn<'_, J>,
    ) -> Option<Verdict> {
        let (proof, list) = match message {
            Gossip::Share(proof) => (*proof, None),
            Gossip::Link { proof, list } => (*proof, Some(list)),
            Gossip::BitcoinBlock(bytes) => return self.judge_block(token, bytes, turn),
        };
        let id = proof.id();
        match self.insert(peer, proof, list, turn) {
            Outcome::Accepted(_) => Some(Verdict::Accept),
            Outcome::Known(_) | Outcome::Unlistable => Some(Verdict::Ignore),
            Outcome::Held(missing) => {
                self.want_for_held(missing, peer, turn);
                self.tell_sync(sync::Input::Hint(peer), turn.now);
                self.undecided.note(id, token);
                None
            }
            Outcome::Invalid(rule) => {
                debug!(%peer, %id, %rule, "a peer forwarded an invalid proof");
                Some(Verdict::Reject(Misbehaviour::InvalidItem))
            }
        }
    }

    /// Binds a proof and gives it to the chain.
    pub(super) fn insert<J: Journal>(
        &mut self,
        peer: PeerId,
        proof: Proof,
        list: Option<Vec<ShareId>>,
        turn: &mut Turn<'_, J>,
    ) -> Outcome {
        let source = self.sources.of(peer);
        let chain = turn.engine.chain();
        let floor = chain.params().easiest_share_target;
        let id = proof.id();
        let work = id.as_number();
        // What is plausible follows from this node's own tip: after a long partition an honest peer's share may lie
        // outside, and costs nobody. Only what no tip of this network could admit is invalid.
        if work <= floor && work > chain.easiest_plausible_target(turn.now.time) {
            return Outcome::Unlistable;
        }
        let outcome = match BoundProof::bind(proof, floor, chain.consensus_id()) {
            Ok(bound) => turn.engine.insert(bound, list, source, turn.now.time),
            Err(rule) => Outcome::Invalid(rule),
        };
        match outcome {
            // By rules that are not the pool's any more nobody is punished.
            Outcome::Invalid(_) if turn.engine.chain().too_old().is_some() => Outcome::Unlistable,
            Outcome::Invalid(rule) => {
                self.outputs.push_back(Output::Refused(RefusedProof { id, rule, peer: Some(peer) }));
                outcome
            }
            outcome => outcome,
        }
    }

    /// A Bitcoin block: submitted and forwarded when its header has Bitcoin's work on a block that is known here and not
    /// long past. The header is judged first, since it is the part that cost something; the rest is judged elsewhere.
    fn judge_block<J: Journal>(&mut self, token: VerdictToken, bytes: Vec<u8>, turn: &Turn<'_, J>) -> Option<Verdict> {
        let Ok((header, _)) = deserialize_partial::<Header>(&bytes) else {
            return Some(Verdict::Reject(Misbehaviour::Garbage));
        };
        let bitcoin = turn.engine.chain().bitcoin();
        let place = bitcoin.get(&header.prev_blockhash).and_then(|previous| {
            let height = previous.height.checked_add(1)?;
            let recent = height.saturating_add(BLOCK_DEPTH_MAX) >= turn.engine.own_bitcoin_height();
            recent.then_some((height, bitcoin.next_bits(&header.prev_blockhash)?))
        });
        let Some((height, bits)) = place else { return Some(Verdict::Ignore) };
        if header.bits != bits || header.validate_pow(header.target()).is_err() {
            return Some(Verdict::Reject(Misbehaviour::InvalidItem));
        }
        let hash = header.block_hash();
        debug!(%hash, height, "a peer found a Bitcoin block");
        self.outputs.push_back(Output::Block(PeerBlock { token, hash, height, bytes }));
        None
    }
}
