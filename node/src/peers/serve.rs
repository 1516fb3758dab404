//! Answers to peers' requests, from chain and store.

use std::collections::BTreeSet;

use bitcoin::BlockHash;
use bitcoin::block::Header;
use p2p::limits::{HEADERS_MAX, PENDING_MAX};
use p2p::{Command, Handle, Item, LinkItem, ReplyToken, Request, Response, TipInfo};
use sharechain::bitcoin_headers::BitcoinHeaders;
use sharechain::chain::Chain;
use sharechain::{Height, Proof, ShareId, encode};
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::Peers;
use crate::engine::{EngineHandle, EngineStopped};
use crate::limits::SERVE_QUEUE;
use crate::store::{RecordKind, Store, StoreError};

/// How this program names itself to peers.
const USER_AGENT: &str = concat!("shoal/", env!("CARGO_PKG_VERSION"));

/// A peer's request.
pub(super) type Asked = (ReplyToken, Request);

/// Answers requests one after the other.
#[derive(Debug)]
pub(super) struct Server {
    engine: EngineHandle,
    network: Handle,
}

impl Peers {
    /// Hands a request to the server; one that finds no room is refused by not being answered.
    pub(super) fn on_request(&self, token: ReplyToken, request: Request) {
        if self.server.try_send((token, request)).is_err() {
            debug!("too many requests of peers wait: one is refused");
        }
    }
}

impl Server {
    /// Starts the task; it ends when the returned sender is dropped.
    pub(super) fn start(engine: EngineHandle, network: Handle) -> mpsc::Sender<Asked> {
        let (queue, mut asked) = mpsc::channel::<Asked>(SERVE_QUEUE);
        let server = Self { engine, network };
        tokio::spawn(async move {
            while let Some((token, request)) = asked.recv().await {
                let Ok(response) = server.answer(request).await else { return };
                if server.network.send(Command::Reply { token, response }).await.is_err() {
                    return;
                }
            }
        });
        queue
    }

    async fn answer(&self, request: Request) -> Result<Response, EngineStopped> {
        let engine = &self.engine;
        match request {
            Request::Tip => engine.call(|engine| Response::Tip(tip_info(engine.chain()))).await,
            Request::Pending => engine.call(|engine| Response::Pending(engine.chain().pending(PENDING_MAX))).await,
            Request::Headers { wanted, locator } => {
                engine.call(move |engine| headers(engine.chain().bitcoin(), &wanted, &locator)).await
            }
            Request::Links { locator, limit } => {
                let (ids, store) = engine
                    .call(move |engine| (links_after(engine.chain(), &locator, limit), engine.store().clone()))
                    .await?;
                // `Response::links` stops reading when its room is filled; a link that cannot be read ends the answer.
                Ok(read(move || {
                    Response::links(ids.into_iter().map_while(|id| readable(link_item(&store, &id))), limit)
                })
                .await)
            }
            Request::Proofs { ids } => {
                let store = engine.call(|engine| engine.store().clone()).await?;
                Ok(read(move || Response::proofs(ids.into_iter().filter_map(|id| readable(item(&store, &id))))).await)
            }
        }
    }
}

/// Reads the store where waiting for the disk keeps nobody up.
async fn read(work: impl FnOnce() -> Response + Send + 'static) -> Response {
    tokio::task::spawn_blocking(work).await.expect("reading the store does not panic")
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
