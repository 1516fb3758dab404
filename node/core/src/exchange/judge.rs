//! Judges gossip. Only fully judged messages are forwarded.

use p2p_proto::{Gossip, Misbehaviour, PeerId, Verdict, VerdictToken, sync};
use sharechain::change_set::ChangeSet;
use sharechain::check::binding::BoundProof;
use sharechain::{Outcome, Proof, ShareId};
use tracing::debug;

use super::{Exchange, Output, RefusedProof, Turn};
use crate::journal::Journal;
use crate::relay::Announced;

/// Origin of a proof from a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The peer announced it.
    Gossip,
    /// This node asked for it.
    Response,
}

/// Verdict on a valid proof: it is forwarded if it may still matter to the main chain.
fn forwarded(changes: &ChangeSet, id: &ShareId) -> Verdict {
    let forward = changes.accepted.iter().any(|accepted| accepted.id == *id && accepted.forward);
    if forward { Verdict::Accept } else { Verdict::Ignore }
}

impl Exchange {
    /// Judges a gossip message. Returns no verdict while the chain holds the proof; the message may be forwarded once the
    /// proof is valid.
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
            Gossip::BitcoinBlock(announcement) => {
                return self.judge_block(Announced { token, peer, announcement }, turn);
            }
        };
        if self.is_far_behind() {
            return Some(Verdict::Ignore);
        }
        let id = proof.id();
        match self.insert((peer, Way::Gossip), proof, list, turn) {
            Outcome::Accepted(changes) => Some(forwarded(&changes, &id)),
            // Its proof came with the announcement of a Bitcoin block, without the list.
            Outcome::Known(changes) if changes.lists.iter().any(|(listed, _)| *listed == id) => Some(Verdict::Accept),
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

    /// Binds a proof that a peer sent, and inserts it into the chain.
    pub(super) fn insert<J: Journal>(
        &mut self,
        (peer, way): (PeerId, Way),
        proof: Proof,
        list: Option<Vec<ShareId>>,
        turn: &mut Turn<'_, J>,
    ) -> Outcome {
        let source = self.sources.of(peer);
        let chain = turn.engine.chain();
        let floor = chain.params().easiest_share_target;
        let id = proof.id();
        let work = id.as_number();
        // Plausibility depends on this node's own tip. After a long partition an honest peer's share may be
        // implausible, so it costs the peer nothing. Only a share that no tip of this network could accept is invalid.
        if work <= floor && work > chain.easiest_plausible_target(turn.now.time) {
            return Outcome::Unlistable;
        }
        let outcome = match BoundProof::bind(proof, floor, chain.consensus_id()) {
            Ok(bound) if way == Way::Response => turn.engine.insert_requested(bound, list, source, turn.now.time),
            Ok(bound) => turn.engine.insert(bound, list, source, turn.now.time),
            Err(rule) => Outcome::Invalid(rule),
        };
        match outcome {
            Outcome::Invalid(_) if self.is_unsure(turn.engine.chain()) => Outcome::Unlistable,
            Outcome::Invalid(rule) => {
                self.outputs.push_back(Output::Refused(RefusedProof { id, rule, peer: Some(peer) }));
                outcome
            }
            outcome => outcome,
        }
    }
}
