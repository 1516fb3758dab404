//! Responses of peers, into the chain.

use bitcoin::block::Header;
use p2p::sync::{self, Outcome as Taken, Want};
use p2p::{Failure, Item, LinkItem, Misbehaviour, PeerId, Request, Response};
use sharechain::chain::Fate;
use sharechain::{Outcome, ShareId};
use tracing::debug;

use super::{Exchange, Turn};
use crate::headers::is_settled;
use crate::store::Journal;

impl Exchange {
    /// Takes the end of a request and says what it was good for.
    pub(super) fn take_response<J: Journal>(
        &mut self,
        peer: PeerId,
        request: &Request,
        result: Result<Response, Failure>,
        turn: &mut Turn<'_, J>,
    ) -> Taken {
        match result {
            Err(failure) => Taken::Failed(failure),
            Ok(Response::Tip(tip)) => {
                if let Some(known) = self.tips.get_mut(&peer) {
                    *known = Some(tip.clone());
                }
                Taken::Tip(tip)
            }
            Ok(Response::Links { links, more }) => self.take_links(peer, links, more, turn),
            Ok(Response::Proofs(items)) => match request {
                Request::Proofs { ids } => self.take_proofs(peer, ids, items, turn),
                _ => Taken::Invalid(Misbehaviour::Unsolicited),
            },
            Ok(Response::Headers(headers)) => self.take_headers(&headers, turn),
            Ok(Response::Pending(mut ids)) => {
                ids.retain(|id| turn.engine.chain().fate(id) == Fate::Unknown);
                Taken::Pending(ids)
            }
        }
    }

    fn take_links<J: Journal>(
        &mut self,
        peer: PeerId,
        links: Vec<LinkItem>,
        more: bool,
        turn: &mut Turn<'_, J>,
    ) -> Taken {
        let last = links.last().map(|link| link.proof.id());
        let mut new = 0;
        for LinkItem { proof, list } in links {
            match self.insert(peer, proof, Some(list), turn) {
                Outcome::Accepted(_) => new += 1,
                Outcome::Held(missing) => {
                    new += 1;
                    self.want(missing, Some(peer), turn.now);
                }
                Outcome::Known(_) | Outcome::Unlistable => {}
                Outcome::Invalid(rule) => {
                    debug!(%peer, %rule, "a peer answered with an invalid link");
                    return Taken::Invalid(Misbehaviour::InvalidItem);
                }
            }
        }
        self.want_missing(Some(peer), turn);
        Taken::Links { last, new, more }
    }

    fn take_proofs<J: Journal>(
        &mut self,
        peer: PeerId,
        asked: &[ShareId],
        items: Vec<Item>,
        turn: &mut Turn<'_, J>,
    ) -> Taken {
        let mut useful = 0;
        for Item { proof, list } in items {
            let id = proof.id();
            if !asked.contains(&id) {
                return Taken::Invalid(Misbehaviour::Unsolicited);
            }
            let has_list = list.is_some();
            match self.insert(peer, proof, list, turn) {
                Outcome::Accepted(_) => useful += 1,
                Outcome::Known(changes) => useful += u32::from(!changes.is_empty()),
                Outcome::Held(missing) => {
                    useful += 1;
                    self.want(missing, Some(peer), turn.now);
                }
                Outcome::Unlistable => {}
                Outcome::Invalid(rule) => {
                    debug!(%peer, %id, %rule, "a peer answered with an invalid proof");
                    return Taken::Invalid(Misbehaviour::InvalidItem);
                }
            }
            self.tell_sync(sync::Input::Got(Want::Proof(id)), turn.now);
            if has_list {
                self.tell_sync(sync::Input::Got(Want::Body(id)), turn.now);
            }
        }
        self.want_missing(Some(peer), turn);
        Taken::Items { useful }
    }

    /// Takes headers that bitcoind does not have on its active chain, where headers alone decide.
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
