//! Changes of the chain: publishes this node's own shares, and gives waiting gossip its verdict.

use p2p_proto::sync::{self, Want};
use p2p_proto::{Command, Gossip, Misbehaviour, Verdict};
use sharechain::ShareId;
use sharechain::change_set::{AcceptedProof, ChangeSet, Refusal, Source};

use super::{Exchange, Output, RefusedProof, Turn};
use crate::journal::Journal;

impl Exchange {
    pub(super) fn on_change<J: Journal>(&mut self, changes: &ChangeSet, turn: &mut Turn<'_, J>) {
        for accepted in &changes.accepted {
            self.tell_sync(sync::Input::Got(Want::Proof(accepted.id)), turn.now);
            self.decide(accepted.id, if accepted.forward { Verdict::Accept } else { Verdict::Ignore });
            if accepted.forward && accepted.source == Source::default() {
                self.publish_own(accepted, &changes.lists);
            }
            self.note_share(accepted, turn);
        }
        for (id, _) in &changes.lists {
            self.tell_sync(sync::Input::Got(Want::List(*id)), turn.now);
        }
        let is_unsure = self.is_unsure(turn.engine.chain());
        for Refusal { id, rule, source } in &changes.refused {
            self.decide(*id, Verdict::Ignore);
            self.drop_held(*id);
            let peer = self.sources.peer(*source);
            self.outputs.push_back(Output::Refused(RefusedProof { id: *id, rule: *rule, peer }));
            if let Some(peer) = peer.filter(|_| !is_unsure) {
                self.punish(peer, Misbehaviour::InvalidItem);
            }
        }
        self.tell_local_if_new(turn);
    }

    /// Publishes a proof found by this node's miners, now that it is stored.
    fn publish_own(&mut self, accepted: &AcceptedProof, lists: &[(ShareId, Vec<ShareId>)]) {
        let proof = Box::new(accepted.proof.clone());
        let list = lists.iter().find(|(id, _)| *id == accepted.id).map(|(_, list)| list.clone());
        let message = match list {
            Some(list) if accepted.is_link => Gossip::Link { proof, list },
            _ => Gossip::Share(proof),
        };
        self.command(Command::Publish(message));
    }

    /// Gives the network the verdict on gossip that was undecided.
    pub(super) fn decide(&mut self, id: ShareId, verdict: Verdict) {
        for token in self.undecided.take(id) {
            self.command(Command::Verdict { token, verdict });
        }
    }
}
