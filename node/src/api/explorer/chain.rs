//! `/api/v1/links`, `/graph`, `/reorganisations`: the share-chain.

use std::sync::Arc;

use archive::read::{Link, PendingShare};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use sharechain::{ShareId, Weight};

use super::now::Now;
use super::state::{Place, View, page};
use crate::api::error::ApiError;
use crate::api::graph::{Graph, GraphShare};
use crate::api::guard::Deep;
use crate::api::limits::GRAPH_SHARES_MAX;
use crate::api::links::{LinkDetail, LinkPage, LinkSummary, ListState};
use crate::api::params::{Heights, Paging, Segment};
use crate::api::reorganisations::{Reorganisation, Reorganisations};
use crate::api::views::{Earned, Payee};

// The node's modules describe these routes.
pub(super) use crate::api::graph::__path_graph;
pub(super) use crate::api::links::{__path_link, __path_links};
pub(super) use crate::api::reorganisations::__path_reorganisations;

/// Links whose credited proofs are counted for an answer.
const COUNTED_LINKS: u32 = 5_000;

fn summary(link: &Link, newest: &Now, network: bitcoin::Network) -> LinkSummary {
    LinkSummary {
        key: link.id,
        id: link.id.to_string(),
        height: link.height,
        parent: link.parent.to_string(),
        time_unix_s: link.time,
        bitcoin_height: link.bitcoin_height,
        prev_hash: link.previous_block.to_string(),
        work_hashes: link.link_hashes.to_string(),
        finder: link.finder.as_ref().map(|script| Payee::new(script, network)),
        shares_count: link.listed.and_then(|listed| u16::try_from(listed).ok()).unwrap_or(0),
        list_state: if link.listed.is_some() { ListState::Complete } else { ListState::Missing },
        is_main: link.is_main,
        is_settled: link.is_main && link.height <= newest.settled_height,
    }
}

impl View {
    /// Genesis, as a node without other links shows it.
    fn genesis_detail(&self) -> Result<LinkDetail, ApiError> {
        let id = self.params.genesis_id();
        let chain = self.genesis.as_ref();
        let detail = chain.and_then(|chain| LinkDetail::new(chain, id, self.network()));
        let mut detail = detail.ok_or_else(|| ApiError::unknown("link", id))?;
        detail.summary.is_settled = true;
        Ok(detail)
    }

    /// The anchor of shares that extend the main chain's link at this height. None if the archive lacks it.
    pub(super) async fn anchor_of_children(&self, height: u32) -> Result<Option<ShareId>, ApiError> {
        match height.saturating_sub(self.params.anchor_depth) {
            0 => Ok(Some(self.params.genesis_id())),
            anchor => Ok(self.archive.link_at(anchor).await?.map(|link| link.id)),
        }
    }

    /// Number of proofs that a link and all below it credit. None unless the number is known of a link near it.
    async fn listed_total(&self, link: &Link, newest: &Now) -> Result<Option<u64>, ApiError> {
        // The parent of a link off the main chain is usually on it; for others, there is no number.
        let (top, own) = match link.listed {
            Some(_) if link.is_main => (link.height, 0),
            Some(listed) => {
                let below = link.height.saturating_sub(1);
                let parent = if below == 0 { None } else { self.archive.link_at(below).await? };
                if parent.is_none_or(|parent| parent.id != link.parent) {
                    return Ok(None);
                }
                (below, u64::from(listed) + 1)
            }
            None => return Ok(None),
        };
        Ok(self.listed_up_to(top, newest).await?.map(|total| total.saturating_add(own)))
    }

    /// Number of proofs that the main chain credits up to a height, counted from the nearer of two heights of which it is known.
    async fn listed_up_to(&self, top: u32, newest: &Now) -> Result<Option<u64>, ApiError> {
        let known = [newest.counted, (newest.tip.height, newest.standing.listed_total)];
        // None of the tip's was counted in an archive behind a node. Genesis credits none.
        let known = known.into_iter().filter(|(height, total)| *height == 0 || *total > 0);
        let is_near = |height: u32| newest.lowest == 1 && height.abs_diff(top) <= COUNTED_LINKS;
        let Some((height, total)) =
            known.min_by_key(|(height, _)| height.abs_diff(top)).filter(|(height, _)| is_near(*height))
        else {
            return Ok(None);
        };
        if height == top {
            return Ok(Some(total));
        }
        let between = self.archive.listed(height.min(top) + 1, height.max(top)).await?;
        Ok(between
            .and_then(|between| if top > height { total.checked_add(between) } else { total.checked_sub(between) }))
    }

    async fn detail(&self, link: &Link, newest: &Now) -> Result<LinkDetail, ApiError> {
        let network = self.network();
        let (list, credits) = (self.archive.list(&link.id).await?, self.archive.credits(&link.id).await?);
        let child = self.archive.child(link).await?;
        let total = credits.iter().fold(Weight::ZERO, |sum, (_, _, weight)| sum.plus(Weight(*weight)));
        let listed_total = self.listed_total(link, newest).await?;
        let row = |(script, shares, weight): &(bitcoin::ScriptBuf, u64, u128)| Earned {
            payee: Payee::new(script, network),
            weight: Weight(*weight).into(),
            shares: *shares,
        };
        let anchor = self.anchor_of_children(link.height).await?;
        Ok(LinkDetail {
            summary: summary(link, newest, network),
            children_anchor: anchor.map(|anchor| anchor.to_string()).unwrap_or_default(),
            children_share_work_hashes: link.share_hashes.to_string(),
            children_link_work_hashes: child.map(|child| child.link_hashes.to_string()),
            listed_total,
            shares: list.unwrap_or_default().iter().map(ToString::to_string).collect(),
            earned: credits.iter().map(row).collect(),
            earned_total: total.into(),
        })
    }
}

/// Lists the main chain from a height down; from the tip by default.
pub(super) async fn links(State(view): State<Arc<View>>, paging: Paging) -> Result<Json<LinkPage>, ApiError> {
    let newest = view.now()?;
    let from = paging.from.map_or(u32::MAX, |from| u32::try_from(from).unwrap_or(u32::MAX));
    let count = paging.items();
    let found = view.archive.links_down(from, count).await?;
    let mut links: Vec<LinkSummary> = found.iter().map(|link| summary(link, &newest, view.network())).collect();
    let oldest_height = if newest.lowest == 1 { 0 } else { newest.lowest };
    let mut next =
        links.last().map_or(from, |lowest| lowest.height).checked_sub(1).filter(|next| *next >= oldest_height);
    // The database has no row for genesis.
    if oldest_height == 0 && links.len() < count && (next == Some(0) || from == 0) {
        links.push(view.genesis_detail()?.summary);
        next = None;
    }
    Ok(Json(LinkPage { height: newest.tip.height, links, next_from: next.map(u64::from), oldest_height }))
}

/// Returns one link, on the main chain or on another branch.
pub(super) async fn link(State(view): State<Arc<View>>, Segment(text): Segment) -> Result<Response, ApiError> {
    let newest = view.now()?;
    let wanted = "the id of a link, with 64 hexadecimal digits, or its height";
    let found = match (text.parse::<ShareId>(), text.parse::<u32>()) {
        (Ok(id), _) if id == view.params.genesis_id() => return Ok(Json(view.genesis_detail()?).into_response()),
        (_, Ok(0)) => return Ok(Json(view.genesis_detail()?).into_response()),
        (Ok(id), _) => view.archive.link(&id).await?.ok_or_else(|| ApiError::unknown("link", id))?,
        (_, Ok(height)) => {
            let link = view.archive.link_at(height).await?;
            link.ok_or_else(|| ApiError::unknown("link at height", height))?
        }
        _ => return Err(ApiError::parameter("the link in the path", wanted, &text)),
    };
    let detail = view.detail(&found, &newest).await?;
    let is_deep = detail.summary.is_settled;
    Ok((is_deep.then_some(Extension(Deep)), Json(detail)).into_response())
}

/// Returns links of all branches, with the shares between them.
pub(super) async fn graph(State(view): State<Arc<View>>, heights: Heights) -> Result<Response, ApiError> {
    let (newest, network) = (view.now()?, view.network());
    let oldest_height = if newest.lowest == 1 { 0 } else { newest.lowest };
    let to = heights.to.unwrap_or(u32::MAX).min(newest.tip.height);
    let from_height = to.saturating_sub(heights.links().saturating_sub(1)).max(oldest_height);
    let found = view.archive.branches(from_height, to).await?;
    let listed = view.archive.listed_shares((from_height, to), GRAPH_SHARES_MAX + 1).await?;
    let genesis = view.params.genesis_id();
    let mut links: Vec<LinkSummary> = found.iter().map(|link| summary(link, &newest, network)).collect();
    if from_height == 0 {
        links.insert(0, view.genesis_detail()?.summary);
    }
    let waits = |share: &&PendingShare| to == newest.tip.height && found.iter().all(|link| link.id != share.id);
    let pending = newest.pending.iter().filter(waits).map(|share| (share, None));
    let listed_in = listed.iter().map(|(share, link)| (share, Some(link)));
    let shares = listed_in.chain(pending).map(|(share, link)| GraphShare {
        id: share.id.to_string(),
        parent: share.parent.unwrap_or(genesis).to_string(),
        time_unix_s: share.time,
        finder: Payee::new(&share.script, network),
        listed_in: link.map(|link| link.to_string()),
        validated_unix_s: share.time,
    });
    let mut shares: Vec<GraphShare> = shares.collect();
    let shares_cut = shares.len() > GRAPH_SHARES_MAX;
    shares.truncate(GRAPH_SHARES_MAX);
    let next_from = from_height.checked_sub(1).filter(|next| *next >= oldest_height);
    let answer = Json(Graph { to, from_height, links, shares, shares_cut, next_from, oldest_height });
    let is_deep = to <= newest.settled_height;
    Ok((is_deep.then_some(Extension(Deep)), answer).into_response())
}

/// Lists the reorganizations that the nodes and recordings of the archive reported, newest first.
pub(super) async fn reorganisations(
    State(view): State<Arc<View>>,
    paging: Paging,
) -> Result<Json<Reorganisations>, ApiError> {
    // Sorted by time, unlike other lists.
    let at = Place::of(paging.from);
    let rows = view.archive.reorganizations((at.height, at.skip), paging.items() + 1).await?;
    let (rows, next_from) = page(rows, paging.items(), at, |row| row.time);
    let reorganisations = rows.iter().map(|row| Reorganisation {
        time_unix_s: row.time,
        old_tip: row.old.to_string(),
        new_tip: row.new.to_string(),
        fork_height: row.fork_height,
        depth: row.left,
        connected: row.entered,
        left: None,
    });
    Ok(Json(Reorganisations { reorganisations: reorganisations.collect(), next_from }))
}
