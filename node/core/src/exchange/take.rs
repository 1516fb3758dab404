//! Feeds responses of peers to the chain.

use std::vec::IntoIter;

use bitcoin::BlockHash;
use bitcoin::block::Header;
use p2p_proto::sync::{self, Outcome as Taken, RequestId, Want};
use p2p_proto::{Failure, Item, Misbehaviour, PeerId, Request, Response};
use sharechain::chain::Fate;
use sharechain::{Outcome, ShareId};
use tracing::debug;

use super::headers::Verifying;
use super::judge::Way;
use super::{Exchange, Turn};
use crate::headers::is_settled;
use crate::journal::Journal;
use crate::limits::ITEMS_A_TURN;

/// A response that is partly processed.
#[derive(Debug)]
pub(super) struct Taking {
    peer: PeerId,
    id: RequestId,
    rest: Rest,
}

#[derive(Debug)]
enum Rest {
    LinkHeaders(Box<Verifying>),
    Proofs { left: IntoIter<Item>, asked: Vec<ShareId>, useful: u32 },
}

impl Exchange {
    /// Processes the result of a request. The chain gets the first [`ITEMS_A_TURN`] items of the response.
    pub(super) fn take_response<J: Journal>(
        &mut self,
        (peer, id): (PeerId, RequestId),
        request: Request,
        result: Result<Response, Failure>,
        turn: &mut Turn<'_, J>,
    ) {
        let outcome = match self.outcome_of((peer, id), request, result, turn) {
            Ok(outcome) => outcome,
            Err(rest) => {
                self.taking = Some(Taking { peer, id, rest });
                return self.take_some(turn);
            }
        };
        self.tell_outcome(id, outcome, turn);
    }

    /// The outcome of a response, or the unprocessed rest of it.
    fn outcome_of<J: Journal>(
        &mut self,
        (peer, id): (PeerId, RequestId),
        request: Request,
        result: Result<Response, Failure>,
        turn: &mut Turn<'_, J>,
    ) -> Result<Taken, Rest> {
        let received_bytes = result.as_ref().map_or(0, received_bytes);
        self.tell_sync(sync::Input::Received(received_bytes), turn.now);
        let is_late = !self.sync.awaits(id);
        Ok(match (result, request) {
            (Err(failure), _) => Taken::Failed(failure),
            (Ok(Response::Tip(tip)), _) => {
                if let Some(known) = self.tips.get_mut(&peer) {
                    *known = Some(tip.clone());
                }
                Taken::Tip(tip)
            }
            // Its chain is no longer followed.
            (Ok(Response::LinkHeaders { .. } | Response::Beginning { .. } | Response::Rows(_)), _) if is_late => {
                Taken::Items { useful: 1 }
            }
            (Ok(Response::LinkHeaders { proofs, more }), Request::LinkHeaders { limit, .. }) => {
                let verifying = self.begin_headers(peer, limit, proofs, more, turn.engine.chain());
                return verifying.map_or_else(Ok, |verifying| Err(Rest::LinkHeaders(Box::new(verifying))));
            }
            (Ok(Response::Beginning { first, bytes }), _) => {
                self.take_beginning(peer, first, &bytes, turn.engine.chain())
            }
            (Ok(Response::Rows(bytes)), _) => self.take_rows(peer, &bytes, turn),
            (Ok(Response::Proofs(items)), Request::Proofs { ids: asked }) => {
                return Err(Rest::Proofs { left: items.into_iter(), asked, useful: 0 });
            }
            (Ok(Response::Headers(headers)), Request::Headers { wanted, .. }) => {
                self.take_headers(&headers, &wanted, turn)
            }
            // Responses about blocks went to the relay, and the network handles those about nodes itself.
            (
                Ok(
                    Response::Proofs(_)
                    | Response::LinkHeaders { .. }
                    | Response::Headers(_)
                    | Response::Transactions(_)
                    | Response::BlockPiece { .. }
                    | Response::Records(_)
                    | Response::NewRecords,
                ),
                _,
            ) => Taken::Invalid(Misbehaviour::Unsolicited),
            (Ok(Response::Pending(mut ids)), _) => {
                ids.retain(|id| turn.engine.chain().fate(id) == Fate::Unknown);
                Taken::Pending(ids)
            }
        })
    }

    /// Processes the next items of the current response, and reports the outcome to the sync machine after the last
    /// one.
    pub(super) fn take_some<J: Journal>(&mut self, turn: &mut Turn<'_, J>) {
        let Some(Taking { peer, id, mut rest }) = self.taking.take() else { return };
        let step = match &mut rest {
            Rest::LinkHeaders(verifying) => Ok(self.verify_some(peer, verifying, turn)),
            Rest::Proofs { left, asked, useful } => self
                .take_proofs(peer, left, asked, useful, turn)
                .map(|()| left.as_slice().is_empty().then_some(Taken::Items { useful: *useful })),
        };
        let outcome = match step {
            Ok(None) => {
                self.taking = Some(Taking { peer, id, rest });
                return;
            }
            Ok(Some(outcome)) => {
                self.want_missing(turn);
                outcome
            }
            Err(misbehaviour) => Taken::Invalid(misbehaviour),
        };
        self.tell_outcome(id, outcome, turn);
    }

    /// Reports the outcome of a response, after its changes to the chain.
    fn tell_outcome<J: Journal>(&mut self, id: RequestId, outcome: Taken, turn: &mut Turn<'_, J>) {
        self.start_if_whole(turn);
        self.tell_local_if_new(turn);
        self.tell_sync(sync::Input::Response { id, outcome }, turn.now);
        self.want_next_links(turn);
    }

    fn take_proofs<J: Journal>(
        &mut self,
        peer: PeerId,
        items: &mut IntoIter<Item>,
        asked: &[ShareId],
        useful: &mut u32,
        turn: &mut Turn<'_, J>,
    ) -> Result<(), Misbehaviour> {
        for Item { proof, list } in items.take(ITEMS_A_TURN) {
            let id = proof.id();
            if !asked.contains(&id) {
                return Err(Misbehaviour::Unsolicited);
            }
            let has_list = list.is_some();
            if let Some(list) = &list
                && self.take_base_list(id, list, turn)
            {
                *useful += 1;
                self.tell_sync(sync::Input::Got(Want::List(id)), turn.now);
                continue;
            }
            match self.insert((peer, Way::Response), proof, list, turn) {
                Outcome::Accepted(changes) => {
                    *useful += 1;
                    self.want_listed(&changes, peer, turn);
                }
                Outcome::Known(changes) => {
                    *useful += u32::from(!changes.is_empty());
                    self.want_listed(&changes, peer, turn);
                }
                Outcome::Held(missing) => {
                    *useful += 1;
                    self.want_for_held(missing, peer, turn);
                }
                Outcome::Unlistable => {}
                Outcome::Invalid(rule) => {
                    debug!(%peer, %id, %rule, "a peer answered with an invalid proof");
                    return Err(Misbehaviour::InvalidItem);
                }
            }
            self.tell_sync(sync::Input::Got(Want::Proof(id)), turn.now);
            if has_list {
                self.tell_sync(sync::Input::Got(Want::List(id)), turn.now);
            }
        }
        Ok(())
    }

    /// Inserts headers that are not on bitcoind's active chain but are deep enough to count on headers alone; see
    /// [`is_settled`]. A peer that sent wanted headers did its part, even if bitcoind must judge them first.
    fn take_headers<J: Journal>(&mut self, headers: &[Header], wanted: &[BlockHash], turn: &mut Turn<'_, J>) -> Taken {
        let own = turn.engine.own_bitcoin_height();
        let mut useful = 0;
        for header in headers {
            useful += u32::from(wanted.contains(&header.block_hash()));
            let Some(previous) = turn.engine.chain().bitcoin().get(&header.prev_blockhash) else { continue };
            if is_settled(previous.height.saturating_add(1), own) {
                turn.engine.insert_bitcoin_headers(std::slice::from_ref(header), turn.now.time);
                self.tell_sync(sync::Input::Got(Want::Header(header.block_hash())), turn.now);
            }
        }
        Taken::Items { useful }
    }
}

/// Bytes of the headers, rows or proofs of a response.
fn received_bytes(response: &Response) -> u64 {
    let bytes = match response {
        Response::LinkHeaders { proofs, .. } => proofs.iter().map(|proof| proof.encode().len()).sum(),
        Response::Proofs(items) => items.iter().map(Item::encoded_bytes).sum(),
        Response::Rows(bytes) => bytes.len(),
        Response::Tip(_)
        | Response::Headers(_)
        | Response::Pending(_)
        | Response::Beginning { .. }
        | Response::Transactions(_)
        | Response::BlockPiece { .. }
        | Response::Records(_)
        | Response::NewRecords => 0,
    };
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
