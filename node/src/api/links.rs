//! `/api/v1/links`: the main chain from the tip down. `/api/v1/links/{id}`: one link, on any branch.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bitcoin::Network;
use serde::Serialize;
use sharechain::chain::{self, Chain, Link};
use sharechain::{Height, Proof, ShareId, encode};
use utoipa::ToSchema;

use super::context::Api;
use super::error::{ApiError, ErrorBody};
use super::params::{Paging, Segment};
use super::pruned;
use super::views::{Earned, Payee, WeightView, hashes};
use crate::store::{RecordKind, Store, StoreError};

/// A page of the main chain, highest link first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LinkPage {
    /// Height of the tip.
    pub height: u32,
    /// The links of this page.
    pub links: Vec<LinkSummary>,
    /// `from` of the next page, a height; none once genesis, or the oldest link that this node keeps, is reached.
    pub next_from: Option<u64>,
    /// Height of the oldest link that this node keeps; 0 if it keeps all.
    pub oldest_height: u32,
}

/// State of a link's list on this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ListState {
    /// The list and those of all ancestors are known and valid. The link counts for fork choice.
    Complete,
    /// The list is known, but a share that it lists or the parent's list is not.
    Waiting,
    /// The list has not arrived yet.
    Missing,
    /// The list breaks a rule. The link earns as a share, and nothing builds on it.
    Invalid,
}

/// Summary of a link.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LinkSummary {
    /// Lookup key; not part of the answer.
    #[serde(skip)]
    pub(super) key: ShareId,
    /// Id of the link: the hash of its Bitcoin header. For genesis, the consensus id in the same notation.
    pub id: String,
    /// Height: links between this one and genesis.
    pub height: u32,
    /// Id of the link that it extends; genesis names itself.
    pub parent: String,
    /// When its job was handed out, by the clock of the finder's node, seconds since 1970.
    pub time_unix_s: u32,
    /// Height of the Bitcoin block that was mined for.
    pub bitcoin_height: u32,
    /// Hash of the Bitcoin block that it builds on.
    pub prev_hash: String,
    /// Expected hashes to find a link at its position: an integer of up to 256 bits, so a string.
    pub work_hashes: String,
    /// Payout script and address of the finder; none for genesis.
    pub finder: Option<Payee>,
    /// Number of shares that it lists.
    pub shares_count: u16,
    /// State of its list on this node.
    pub list_state: ListState,
    /// True if it is on the main chain.
    pub is_main: bool,
    /// True if it is settled: this node undoes it only for a branch that outgrows its own for about three hours.
    pub is_settled: bool,
}

/// A link with its list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct LinkDetail {
    /// Summary of the link.
    #[serde(flatten)]
    pub summary: LinkSummary,
    /// Id of the anchor that its children must name.
    pub children_anchor: String,
    /// Expected hashes to find a share that extends it.
    pub children_share_work_hashes: String,
    /// Expected hashes to find a link that extends it; none from an archive that has no such link yet.
    pub children_link_work_hashes: Option<String>,
    /// Shares listed from genesis up to and including this link, links included; none while its list is not complete.
    pub listed_total: Option<u64>,
    /// Ids of the shares that it lists, in order; empty while the list has not arrived.
    pub shares: Vec<String>,
    /// Weight that each script earned in it; empty while its list is not complete.
    pub earned: Vec<Earned>,
    /// Total weight that all scripts earned in it.
    pub earned_total: WeightView,
}

impl LinkSummary {
    pub(super) fn new(chain: &Chain, id: ShareId, link: &Link, network: Network) -> Self {
        let list_state = match &link.list {
            chain::ListState::Complete(_) => ListState::Complete,
            chain::ListState::Waiting(_) => ListState::Waiting,
            chain::ListState::Missing => ListState::Missing,
            chain::ListState::Invalid(_) => ListState::Invalid,
        };
        let is_main = chain.main_at(link.height) == Some(id);
        let finder = chain.credit(&id).and_then(|credit| chain.scripts().script(credit.script));
        Self {
            key: id,
            id: id.to_string(),
            height: link.height.0,
            parent: link.parent.to_string(),
            time_unix_s: link.time.0,
            bitcoin_height: link.bitcoin_height,
            prev_hash: link.previous_block.to_string(),
            work_hashes: hashes(link.target),
            finder: finder.map(|script| Payee::new(script, network)),
            shares_count: link.shares_count,
            list_state,
            is_main,
            is_settled: is_main && link.height <= chain.settled().height,
        }
    }

    /// Fills in the finder of a link so deep that only the store has it.
    fn complete(&mut self, store: &Store, network: Network) -> Result<(), StoreError> {
        if self.finder.is_none() && self.height > 0 {
            let bytes = store.get(RecordKind::Proof, &self.key.0)?;
            let proof = bytes.and_then(|bytes| Proof::decode(&bytes).ok());
            self.finder = proof.map(|proof| Payee::new(&proof.share.payout, network));
        }
        Ok(())
    }
}

impl LinkDetail {
    pub(super) fn new(chain: &Chain, id: ShareId, network: Network) -> Option<Self> {
        let link = chain.link(&id)?;
        let complete = link.complete();
        let shares = match &link.list {
            chain::ListState::Complete(complete) => complete.list.as_slice(),
            chain::ListState::Waiting(list) => list.as_slice(),
            chain::ListState::Missing | chain::ListState::Invalid(_) => &[],
        };
        let rows = complete.into_iter().flat_map(|complete| complete.rows.iter());
        let earned = rows.filter_map(|row| {
            let payee = Payee::new(chain.scripts().script(row.script)?, network);
            Some(Earned { payee, weight: row.weight.into(), shares: u64::from(row.shares) })
        });
        Some(Self {
            summary: LinkSummary::new(chain, id, link, network),
            children_anchor: link.position.anchor.to_string(),
            children_share_work_hashes: hashes(link.position.share_target),
            children_link_work_hashes: Some(hashes(link.position.link_target)),
            listed_total: complete.map(|complete| complete.listed_total),
            shares: shares.iter().map(ToString::to_string).collect(),
            earned: earned.collect(),
            earned_total: complete.map(|complete| complete.rows.weight()).unwrap_or_default().into(),
        })
    }

    /// Fills in from the store what the chain in memory has dropped: finders and lists of deep links.
    fn complete(&mut self, store: &Store, network: Network) -> Result<(), StoreError> {
        self.summary.complete(store, network)?;
        if self.shares.is_empty() && self.summary.shares_count > 0 {
            let bytes = store.get(RecordKind::List, &self.summary.key.0)?;
            let list = bytes.and_then(|bytes| encode::decode_list(&bytes).ok()).unwrap_or_default();
            self.shares = list.iter().map(ToString::to_string).collect();
        }
        Ok(())
    }
}

/// Lists the main chain from a height down; from the tip by default.
#[utoipa::path(
    get, path = "/api/v1/links", params(Paging),
    responses(
        (status = 200, description = "Links, highest first", body = LinkPage),
        (status = 400, description = "A parameter is invalid", body = ErrorBody),
        (status = 410, description = "This node no longer keeps links of that height", body = ErrorBody),
    )
)]
pub(super) async fn links(State(api): State<Arc<Api>>, paging: Paging) -> Result<Json<LinkPage>, ApiError> {
    let network = api.network();
    let chain = api.chain();
    let (height, oldest_height) = (chain.height().0, chain.bottom().0);
    if let Some(from) = paging.from {
        pruned::check(&chain, u32::try_from(from).unwrap_or(u32::MAX))?;
    }
    let mut links = main_links(&chain, &paging, network);
    let links = api
        .read(move |store| {
            links.iter_mut().try_for_each(|link| link.complete(store, network))?;
            Ok(links)
        })
        .await?;
    let next = links.last().and_then(|lowest| lowest.height.checked_sub(1));
    // Below that, the list continues from the archive.
    let has_more = |next: &u32| *next >= oldest_height || api.context.config.archive.is_some();
    let next_from = next.filter(has_more).map(u64::from);
    Ok(Json(LinkPage { height, links, next_from, oldest_height }))
}

fn main_links(chain: &Chain, paging: &Paging, network: Network) -> Vec<LinkSummary> {
    let tip = chain.height().0;
    let from = paging.from.map_or(tip, |from| u32::try_from(from).unwrap_or(u32::MAX).min(tip));
    let heights = (pruned::from_oldest(chain, 0)..=from).rev().take(paging.items()).map(Height);
    let links = heights.filter_map(|height| main_link(chain, height));
    links.map(|(id, link)| LinkSummary::new(chain, id, link, network)).collect()
}

/// The main chain's link at a height.
pub(super) fn main_link(chain: &Chain, height: Height) -> Option<(ShareId, &Link)> {
    let id = chain.main_at(height)?;
    Some((id, chain.link(&id)?))
}

/// The link with an id, or the one of the main chain at a height.
fn id_of(chain: &Chain, text: &str) -> Result<ShareId, ApiError> {
    if let Ok(id) = text.parse::<ShareId>() {
        return Ok(id);
    }
    let wanted = "the id of a link, with 64 hexadecimal digits, or its height";
    let height = text.parse().map_err(|_| ApiError::parameter("the link in the path", wanted, text))?;
    pruned::check(chain, height)?;
    chain.main_at(Height(height)).ok_or_else(|| ApiError::unknown("link at height", height))
}

/// Returns one link, on the main chain or on another branch.
#[utoipa::path(
    get, path = "/api/v1/links/{id}",
    params((
        "id" = String, Path, pattern = "^([0-9a-fA-F]{64}|[0-9]{1,10})$",
        description = "The link's id, or the height of a link of the main chain",
    )),
    responses(
        (status = 200, description = "The link", body = LinkDetail),
        (status = 400, description = "The id is invalid", body = ErrorBody),
        (status = 404, description = "This node does not know this link", body = ErrorBody),
        (status = 410, description = "This node no longer keeps this link", body = ErrorBody),
    )
)]
pub(super) async fn link(State(api): State<Arc<Api>>, Segment(text): Segment) -> Result<Json<LinkDetail>, ApiError> {
    let network = api.network();
    let chain = api.chain();
    let id = id_of(&chain, &text)?;
    let Some(mut detail) = LinkDetail::new(&chain, id, network) else {
        return Err(api.read(move |store| pruned::no_link(&chain, id, store)).await?);
    };
    let detail = api
        .read(move |store| {
            detail.complete(store, network)?;
            Ok(detail)
        })
        .await?;
    Ok(Json(detail))
}
