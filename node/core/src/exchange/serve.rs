//! Answers to peers' requests, from chain and store.

use std::collections::BTreeSet;
use std::sync::Arc;

use bitcoin::BlockHash;
use bitcoin::block::Header;
use p2p_proto::limits::{HEADERS_MAX, PENDING_MAX};
use p2p_proto::{Item, LinkItem, Request, Response, TipInfo};
use sharechain::bitcoin_headers::BitcoinHeaders;
use sharechain::chain::Chain;
use sharechain::{Height, Proof, ShareId, encode};
use tracing::warn;

use crate::engine::Engine;
use crate::journal::{Journal, RecordKind};

/// User agent that this program sends to peers.
const USER_AGENT: &str = concat!("shoal/", env!("CARGO_PKG_VERSION"));

/// An answer in progress: what the chain knows, and what must still be read from the store.
#[derive(Debug)]
pub struct Answer<J>(Parts<J>);

#[derive(Debug)]
enum Parts<J> {
    Whole(Response),
    Links { ids: Vec<ShareId>, limit: u32, store: Arc<J> },
    Proofs { ids: Vec<ShareId>, store: Arc<J> },
}

/// Answers a peer's request.
pub fn answer<J: Journal>(request: Request, engine: &Engine<J>) -> Response {
    begin(request, engine.chain(), engine.store()).finish()
}

/// Starts an answer with what the chain knows; [`Answer::finish`] reads the rest from the store.
pub fn begin<J: Journal>(request: Request, chain: &Chain, store: &Arc<J>) -> Answer<J> {
    Answer(match request {
        Request::Tip => Parts::Whole(Response::Tip(tip_info(chain))),
        Request::Pending => Parts::Whole(Response::Pending(chain.pending(PENDING_MAX))),
        Request::Headers { wanted, locator } => Parts::Whole(headers(chain.bitcoin(), &wanted, &locator)),
        Request::Links { locator, limit } => {
            Parts::Links { ids: links_after(chain, &locator, limit), limit, store: Arc::clone(store) }
        }
        Request::Proofs { ids } => Parts::Proofs { ids, store: Arc::clone(store) },
    })
}

impl<J: Journal> Answer<J> {
    /// Reads the rest from the store. This blocks on the disk.
    #[must_use]
    pub fn finish(self) -> Response {
        match self.0 {
            Parts::Whole(response) => response,
            // `Response::links` stops reading when it is full. A link that cannot be read ends the answer.
            Parts::Links { ids, limit, store } => {
                Response::links(ids.into_iter().map_while(|id| readable(link_item(&*store, &id))), limit)
            }
            Parts::Proofs { ids, store } => {
                Response::proofs(ids.into_iter().filter_map(|id| readable(item(&*store, &id))))
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

/// Ids of the main chain after the newest entry of `locator` that is on it: one more than `limit`, so that the answer
/// can say whether the branch continues.
fn links_after(chain: &Chain, locator: &[ShareId], limit: u32) -> Vec<ShareId> {
    let on_main = |id: &&ShareId| chain.link(id).is_some_and(|link| chain.main_at(link.height) == Some(**id));
    let common = locator.iter().find(on_main).and_then(|id| chain.link(id)).map_or(Height(0), |link| link.height);
    let first = common.child().0;
    let last = first.saturating_add(limit).min(chain.height().0);
    (first..=last).filter_map(|height| chain.main_at(Height(height))).collect()
}

/// Bitcoin headers from the newest known entry of `locator` up to the wanted ones, at most [`HEADERS_MAX`].
fn headers(bitcoin: &BitcoinHeaders, wanted: &[BlockHash], locator: &[BlockHash]) -> Response {
    let mut all: Vec<Header> = Vec::new();
    let mut ends: BTreeSet<BlockHash> = locator.iter().copied().collect();
    for hash in wanted {
        let mut branch = Vec::new();
        let mut at = *hash;
        while let Some(known) = bitcoin.get(&at) {
            if all.len() + branch.len() >= HEADERS_MAX || !ends.insert(at) {
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
fn item<J: Journal>(store: &J, id: &ShareId) -> Result<Option<Item>, J::Error> {
    let Some(bytes) = store.get(RecordKind::Proof, &id.0)? else { return Ok(None) };
    let list = store.get(RecordKind::List, &id.0)?;
    // This program encoded the stored bytes, and their checksum was verified.
    let proof = Proof::decode(&bytes).ok();
    let list = list.and_then(|bytes| encode::decode_list(&bytes).ok());
    Ok(proof.map(|proof| Item { proof, list }))
}

fn link_item<J: Journal>(store: &J, id: &ShareId) -> Result<Option<LinkItem>, J::Error> {
    let item = item(store, id)?;
    Ok(item.and_then(|Item { proof, list }| Some(LinkItem { proof, list: list? })))
}

fn readable<T, E: std::error::Error>(read: Result<Option<T>, E>) -> Option<T> {
    read.unwrap_or_else(|error| {
        warn!(%error, "a peer's request cannot be answered");
        None
    })
}
