//! Answers to peers' requests, from chain and store.

use std::collections::BTreeSet;
use std::sync::Arc;

use bitcoin::BlockHash;
use bitcoin::block::Header;
use p2p_proto::limits::{HEADERS_MAX, PENDING_MAX, ROWS_BYTES_MAX, ROWS_MAX};
use p2p_proto::{Item, Request, Response, TipInfo};
use sharechain::bitcoin_headers::BitcoinHeaders;
use sharechain::chain::Chain;
use sharechain::{Height, Proof, ShareId, encode};
use tracing::warn;

use crate::engine::Engine;
use crate::journal::{Journal, RecordKind};

/// User agent that this program sends to peers.
const USER_AGENT: &str = concat!("shoal/", env!("CARGO_PKG_VERSION"));

/// An answer in progress: data from the chain, and data still to be read from the store.
#[derive(Debug)]
pub struct Answer<J>(Parts<J>);

#[derive(Debug)]
enum Parts<J> {
    Whole(Response),
    LinkHeaders { ids: Vec<ShareId>, limit: u32, store: Arc<J> },
    Rows { chain: Box<Chain>, first: Height, limit: u32 },
    Proofs { ids: Vec<ShareId>, store: Arc<J> },
}

/// Answers a peer's request.
pub fn answer<J: Journal>(request: Request, engine: &Engine<J>) -> Response {
    begin(request, engine.chain(), engine.store()).finish()
}

/// Starts an answer with the chain's data; [`Answer::finish`] reads the rest from the store.
pub fn begin<J: Journal>(request: Request, chain: &Chain, store: &Arc<J>) -> Answer<J> {
    Answer(match request {
        Request::Tip => Parts::Whole(Response::Tip(tip_info(chain))),
        Request::Pending => Parts::Whole(Response::Pending(chain.pending(PENDING_MAX))),
        Request::Headers { wanted, locator } => Parts::Whole(headers(chain.bitcoin(), &wanted, &locator)),
        Request::LinkHeaders { locator, limit } => match links_after(chain, &locator, limit) {
            Some(ids) => Parts::LinkHeaders { ids, limit, store: Arc::clone(store) },
            None => Parts::Whole(Response::LinkHeaders { proofs: Vec::new(), more: true }),
        },
        Request::Beginning => {
            let first = chain.lowest_shown();
            let bytes = chain.beginning_at(first).map(|beginning| beginning.encode()).unwrap_or_default();
            Parts::Whole(Response::Beginning { first, bytes })
        }
        // Encoding takes milliseconds, so it is left for `finish`.
        Request::Rows { first, limit } => Parts::Rows { chain: Box::new(chain.clone()), first, limit },
        // The relay answers these.
        Request::Transactions { .. } => Parts::Whole(Response::Transactions(Vec::new())),
        Request::BlockPiece { .. } => Parts::Whole(Response::BlockPiece { size: 0, bytes: Vec::new() }),
        // The network answers these itself.
        Request::Records => Parts::Whole(Response::Records(Vec::new())),
        Request::NewRecords(_) => Parts::Whole(Response::NewRecords),
        Request::Proofs { ids } => Parts::Proofs { ids, store: Arc::clone(store) },
    })
}

impl<J: Journal> Answer<J> {
    /// Reads the rest from the store. This blocks on the disk.
    #[must_use]
    pub fn finish(self) -> Response {
        match self.0 {
            Parts::Whole(response) => response,
            // `Response::link_headers` stops reading when it is full. A link that cannot be read ends the answer.
            Parts::LinkHeaders { ids, limit, store } => {
                let proof = |id: ShareId| Some(readable(item(&*store, &id))?.proof);
                Response::link_headers(ids.into_iter().map_while(proof), limit)
            }
            Parts::Rows { chain, first, limit } => Response::Rows(rows(&chain, first, limit)),
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
        lowest_shown: chain.lowest_shown(),
        bitcoin_height: chain.bitcoin().best().height,
        user_agent: USER_AGENT.to_owned(),
    }
}

/// Ids of the main chain after the newest entry of `locator` that is on it: one more than `limit`, so that the answer
/// can say whether the branch continues. `None` if this node no longer has all of them.
fn links_after(chain: &Chain, locator: &[ShareId], limit: u32) -> Option<Vec<ShareId>> {
    let on_main = |id: &&ShareId| chain.link(id).is_some_and(|link| chain.main_at(link.height) == Some(**id));
    let common = locator.iter().find(on_main).and_then(|id| chain.link(id)).map_or(Height(0), |link| link.height);
    let first = common.child().0;
    if first < chain.lowest_shown().0 {
        return None;
    }
    let last = first.saturating_add(limit).min(chain.height().0);
    Some((first..=last).filter_map(|height| chain.main_at(Height(height))).collect())
}

/// Encoded links with rows, as many as fit into a response. Empty if this node does not show the first.
fn rows(chain: &Chain, first: Height, limit: u32) -> Vec<u8> {
    let mut count = limit.min(u32::try_from(ROWS_MAX).unwrap_or(u32::MAX));
    while count > 0 && first >= chain.lowest_shown() {
        let last = Height(first.0.saturating_add(count - 1).min(chain.height().0));
        match chain.chunk_of(first, last).map(|chunk| chunk.encode()) {
            Some(bytes) if bytes.len() <= ROWS_BYTES_MAX => return bytes,
            Some(_) => count /= 2,
            None => break,
        }
    }
    Vec::new()
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

fn readable<T, E: std::error::Error>(read: Result<Option<T>, E>) -> Option<T> {
    read.unwrap_or_else(|error| {
        warn!(%error, "a peer's request cannot be answered");
        None
    })
}
