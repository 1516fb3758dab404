//! Feeds responses of peers to the chain.

use std::vec::IntoIter;

use bitcoin::block::Header;
use p2p_proto::sync::{self, Outcome as Taken, RequestId, Want};
use p2p_proto::{Failure, Item, LinkItem, Misbehaviour, PeerId, Request, Response};
use sharechain::chain::Fate;
use sharechain::{Outcome, ShareId};
use tracing::debug;

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
    Links { left: IntoIter<LinkItem>, last: Option<ShareId>, new: u32, more: bool },
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
        let outcome = match (result, request) {
            (Err(failure), _) => Taken::Failed(failure),
            (Ok(Response::Tip(tip)), _) => {
                if let Some(known) = self.tips.get_mut(&peer) {
                    *known = Some(tip.clone());
                }
                Taken::Tip(tip)
            }
            (Ok(Response::Links { links, more }), _) => {
                let last = links.last().map(|link| link.proof.id());
                let rest = Rest::Links { left: links.into_iter(), last, new: 0, more };
                self.taking = Some(Taking { peer, id, rest });
                return self.take_some(turn);
            }
            (Ok(Response::Proofs(items)), Request::Proofs { ids: asked }) => {
                let rest = Rest::Proofs { left: items.into_iter(), asked, useful: 0 };
                self.taking = Some(Taking { peer, id, rest });
                return self.take_some(turn);
            }
            (Ok(Response::Proofs(_)), _) => Taken::Invalid(Misbehaviour::Unsolicited),
            (Ok(Response::Headers(headers)), _) => self.take_headers(&headers, turn),
            (Ok(Response::Pending(mut ids)), _) => {
                ids.retain(|id| turn.engine.chain().fate(id) == Fate::Unknown);
                Taken::Pending(ids)
            }
        };
        self.tell_sync(sync::Input::Response { id, outcome }, turn.now);
    }

    /// Processes the next items of the current response, and reports the outcome to the sync machine after the last
    /// one.
    pub(super) fn take_some<J: Journal>(&mut self, turn: &mut Turn<'_, J>) {
        let Some(Taking { peer, id, mut rest }) = self.taking.take() else { return };
        let step = match &mut rest {
            Rest::Links { left, last, new, more } => self
                .take_links(peer, left, new, turn)
                .map(|()| left.as_slice().is_empty().then_some(Taken::Links { last: *last, new: *new, more: *more })),
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
        self.tell_sync(sync::Input::Response { id, outcome }, turn.now);
    }

    fn take_links<J: Journal>(
        &mut self,
        peer: PeerId,
        links: &mut IntoIter<LinkItem>,
        new: &mut u32,
        turn: &mut Turn<'_, J>,
    ) -> Result<(), Misbehaviour> {
        for LinkItem { proof, list } in links.take(ITEMS_A_TURN) {
            match self.insert((peer, Way::Response), proof, Some(list), turn) {
                Outcome::Accepted(changes) => {
                    *new += 1;
                    self.want_listed(&changes, peer, turn);
                }
                Outcome::Held(missing) => {
                    *new += 1;
                    self.want_for_held(missing, peer, turn);
                }
                Outcome::Known(changes) => self.want_listed(&changes, peer, turn),
                Outcome::Unlistable => {}
                Outcome::Invalid(rule) => {
                    debug!(%peer, %rule, "a peer answered with an invalid link");
                    return Err(Misbehaviour::InvalidItem);
                }
            }
        }
        Ok(())
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
    /// [`is_settled`].
    fn take_headers<J: Journal>(&mut self, headers: &[Header], turn: &mut Turn<'_, J>) -> Taken {
        let own = turn.engine.own_bitcoin_height();
        let mut useful = 0;
        for header in headers {
            let Some(previous) = turn.engine.chain().bitcoin().get(&header.prev_blockhash) else { continue };
            if is_settled(previous.height.saturating_add(1), own) {
                turn.engine.insert_bitcoin_headers(std::slice::from_ref(header), turn.now.time);
                self.tell_sync(sync::Input::Got(Want::Header(header.block_hash())), turn.now);
                useful += 1;
            }
        }
        Taken::Items { useful }
    }
}
