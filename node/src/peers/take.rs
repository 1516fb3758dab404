//! Responses of peers, into the chain.

use bitcoin::block::Header;
use p2p::sync::{Input, Outcome as Taken, Want};
use p2p::{Failure, Item, LinkItem, Misbehaviour, PeerId, Request, Response};
use sharechain::chain::Fate;
use sharechain::{Outcome, ShareId};
use tracing::debug;

use super::Peers;
use crate::clock::now;
use crate::engine::EngineStopped;
use crate::limits::STALE_HEADER_DEPTH;

impl Peers {
    /// Takes the end of a request and says what it was good for.
    pub(super) async fn take_response(
        &mut self,
        peer: PeerId,
        request: &Request,
        result: Result<Response, Failure>,
    ) -> Result<Taken, EngineStopped> {
        match result {
            Err(failure) => Ok(Taken::Failed(failure)),
            Ok(Response::Tip(tip)) => {
                self.tips.insert(peer, tip.clone());
                Ok(Taken::Tip(tip))
            }
            Ok(Response::Links { links, more }) => self.take_links(peer, links, more).await,
            Ok(Response::Proofs(items)) => match request {
                Request::Proofs { ids } => self.take_proofs(peer, ids, items).await,
                _ => Ok(Taken::Invalid(Misbehaviour::Unsolicited)),
            },
            Ok(Response::Headers(headers)) => self.take_headers(headers).await,
            Ok(Response::Pending(ids)) => self.unknown(ids).await.map(Taken::Pending),
        }
    }

    async fn take_links(&mut self, peer: PeerId, links: Vec<LinkItem>, more: bool) -> Result<Taken, EngineStopped> {
        let last = links.last().map(|link| link.proof.id());
        let mut new = 0;
        for LinkItem { proof, list } in links {
            match self.insert(peer, proof, Some(list)).await? {
                Outcome::Accepted(_) => new += 1,
                Outcome::Held(missing) => {
                    new += 1;
                    self.want(missing, Some(peer));
                }
                Outcome::Known(_) | Outcome::Unlistable => {}
                Outcome::Invalid(rule) => {
                    debug!(%peer, %rule, "a peer answered with an invalid link");
                    return Ok(Taken::Invalid(Misbehaviour::InvalidItem));
                }
            }
        }
        self.want_missing(Some(peer)).await?;
        Ok(Taken::Links { last, new, more })
    }

    async fn take_proofs(&mut self, peer: PeerId, asked: &[ShareId], items: Vec<Item>) -> Result<Taken, EngineStopped> {
        let mut useful = 0;
        for Item { proof, list } in items {
            let id = proof.id();
            if !asked.contains(&id) {
                return Ok(Taken::Invalid(Misbehaviour::Unsolicited));
            }
            let has_list = list.is_some();
            match self.insert(peer, proof, list).await? {
                Outcome::Accepted(_) => useful += 1,
                Outcome::Known(changes) => useful += u32::from(!changes.is_empty()),
                Outcome::Held(missing) => {
                    useful += 1;
                    self.want(missing, Some(peer));
                }
                Outcome::Unlistable => {}
                Outcome::Invalid(rule) => {
                    debug!(%peer, %id, %rule, "a peer answered with an invalid proof");
                    return Ok(Taken::Invalid(Misbehaviour::InvalidItem));
                }
            }
            self.tell_sync(Input::Got(Want::Proof(id)));
            if has_list {
                self.tell_sync(Input::Got(Want::Body(id)));
            }
        }
        self.want_missing(Some(peer)).await?;
        Ok(Taken::Items { useful })
    }

    /// Headers that bitcoind does not have on its active chain count only when its tip is two blocks above them: then
    /// headers alone decide.
    async fn take_headers(&mut self, headers: Vec<Header>) -> Result<Taken, EngineStopped> {
        let taken = self
            .links
            .engine
            .call(move |engine| {
                let own = engine.own_bitcoin_height();
                let mut taken = Vec::new();
                for header in headers {
                    let Some(previous) = engine.chain().bitcoin().get(&header.prev_blockhash) else { continue };
                    if previous.height.saturating_add(1 + STALE_HEADER_DEPTH) <= own {
                        engine.insert_bitcoin_headers(&[header], now());
                        taken.push(header.block_hash());
                    }
                }
                taken
            })
            .await?;
        for hash in &taken {
            self.tell_sync(Input::Got(Want::Header(*hash)));
        }
        Ok(Taken::Items { useful: u32::try_from(taken.len()).unwrap_or(u32::MAX) })
    }

    /// Those of the ids that this node knows nothing of.
    async fn unknown(&self, ids: Vec<ShareId>) -> Result<Vec<ShareId>, EngineStopped> {
        self.links
            .engine
            .call(|engine| ids.into_iter().filter(|id| engine.chain().fate(id) == Fate::Unknown).collect())
            .await
    }
}
