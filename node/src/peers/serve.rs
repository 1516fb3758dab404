//! Answers to peers' requests, from chain and store.

use bitcoin::BlockHash;
use bitcoin::block::Header;
use p2p::limits::{HEADERS_MAX, PENDING_MAX};
use p2p::{Item, LinkItem, Request, Response, TipInfo};
use sharechain::bitcoin_headers::BitcoinHeaders;
use sharechain::chain::Chain;
use sharechain::{Height, Proof, ShareId, encode};
use tracing::warn;

use super::Peers;
use crate::engine::EngineStopped;
use crate::store::{RecordKind, Store, StoreError};

/// How this program names itself to peers.
const USER_AGENT: &str = concat!("shoal/", env!("CARGO_PKG_VERSION"));

impl Peers {
    /// The answer to a request; none when the store cannot be read.
    pub(super) async fn serve(&self, request: Request) -> Result<Option<Response>, EngineStopped> {
        let engine = &self.links.engine;
        match request {
            Request::Tip => engine.call(|engine| Some(Response::Tip(tip_info(engine.chain())))).await,
            Request::Pending => engine.call(|engine| Some(Response::Pending(engine.chain().pending(PENDING_MAX)))).await,
            Request::Headers { wanted, locator } => {
                engine.call(move |engine| Some(headers(engine.chain().bitcoin(), &wanted, &locator))).await
            }
            Request::Links { locator, limit } => {
                let (ids, store) = engine
                    .call(move |engine| (links_after(engine.chain(), &locator, limit), engine.store().clone()))
                    .await?;
                // `Response::links` stops reading when its room is filled; a link that cannot be read ends the answer.
                let links = ids.into_iter().map_while(|id| readable(link_item(&store, &id)));
                Ok(Some(Response::links(links, limit)))
            }
            Request::Proofs { ids } => {
                let store = engine.call(|engine| engine.store().clone()).await?;
                let items = ids.into_iter().filter_map(|id| readable(item(&store, &id)));
                Ok(Some(Response::proofs(items)))
            }
        }
    }
}

fn tip_info(chain: &Chain) -> TipInfo {
    let tip = chain.tip();
    TipInfo {
        tip,
        height: chain.height(),
        work: chain.link(&tip).map(|link| link.chain_work).unwrap_or_default(),
        bitcoin_height: chain.bitcoin().best().height,
        user_agent: USER_AGENT.to_owned(),
    }
}

/// Ids of the main chain after the newest of `locator` that is on it, one more than `limit` so that the answer can tell
/// whether the branch goes on.
fn links_after(chain: &Chain, locator: &[ShareId], limit: u32) -> Vec<ShareId> {
    let on_main = |id: &&ShareId| chain.link(id).is_some_and(|link| chain.main_at(link.height) == Some(**id));
    let common = locator.iter().find(on_main).and_then(|id| chain.link(id)).map_or(Height(0), |link| link.height);
    let first = common.child().0;
    let last = first.saturating_add(limit).min(chain.height().0);
    (first..=last).filter_map(|height| chain.main_at(Height(height))).collect()
}

/// Bitcoin headers that lead to the wanted ones, from the newest known of `locator` on, at most [`HEADERS_MAX`].
fn headers(bitcoin: &BitcoinHeaders, wanted: &[BlockHash], locator: &[BlockHash]) -> Response {
    let mut all: Vec<Header> = Vec::new();
    for hash in wanted {
        let mut branch = Vec::new();
        let mut at = *hash;
        while let Some(known) = bitcoin.get(&at) {
            let sent = all.iter().any(|header| header.block_hash() == at);
            if sent || locator.contains(&at) || all.len() + branch.len() >= HEADERS_MAX {
                break;
            }
            branch.push(known.header);
            at = known.header.prev_blockhash;
        }
        branch.reverse();
        all.extend(branch);
    }
    Response::Headers(all)
}

/// A stored proof, and its list if it is a link whose list is known.
fn item(store: &Store, id: &ShareId) -> Result<Option<Item>, StoreError> {
    let Some(bytes) = store.get(RecordKind::Proof, &id.0)? else { return Ok(None) };
    let list = store.get(RecordKind::List, &id.0)?;
    // What is stored was encoded by this program; anything else fails its checksum before.
    let proof = Proof::decode(&bytes).ok();
    let list = list.and_then(|bytes| encode::decode_list(&bytes).ok());
    Ok(proof.map(|proof| Item { proof, list }))
}

fn link_item(store: &Store, id: &ShareId) -> Result<Option<LinkItem>, StoreError> {
    let item = item(store, id)?;
    Ok(item.and_then(|Item { proof, list }| Some(LinkItem { proof, list: list? })))
}

fn readable<T>(read: Result<Option<T>, StoreError>) -> Option<T> {
    read.unwrap_or_else(|error| {
        warn!(%error, "a peer's request cannot be answered");
        None
    })
}
