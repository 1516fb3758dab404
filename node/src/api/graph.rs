//! `/api/v1/graph`: links of all branches with the shares between them, for the chain chart.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bitcoin::ScriptBuf;
use serde::Serialize;
use sharechain::chain::{Chain, Fate, Link};
use sharechain::{Height, ShareId};
use utoipa::ToSchema;

use super::context::Api;
use super::error::{ApiError, ErrorBody};
use super::limits::{GRAPH_SHARES_MAX, PENDING_COUNTED_MAX};
use super::links::{LinkSummary, main_link};
use super::params::Heights;
use super::pruned;
use super::views::Payee;

/// A part of the share-chain with all its branches.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Graph {
    /// Height of the highest link of this answer.
    pub to: u32,
    /// Height of the lowest link of this answer.
    pub from_height: u32,
    /// Links, those of side branches included, lowest first.
    pub links: Vec<LinkSummary>,
    /// Shares that these links list, or that were found on them, pending ones included.
    pub shares: Vec<GraphShare>,
    /// True if there were more shares than one answer holds; the newest are left out.
    pub shares_cut: bool,
    /// `to` of the next page; none once genesis, or the oldest link that this node keeps, is reached.
    pub next_from: Option<u32>,
    /// Height of the oldest link that this node keeps; 0 if it keeps all.
    pub oldest_height: u32,
}

/// A share of the chain chart.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct GraphShare {
    /// Id of the share: the hash of its Bitcoin header.
    pub id: String,
    /// Id of the link that it extends.
    pub parent: String,
    /// When its job was handed out, by the clock of the finder's node, seconds since 1970.
    pub time_unix_s: u32,
    /// Payout script and address of the finder.
    pub finder: Payee,
    /// Id of the main chain's link that lists it; none while it is pending.
    pub listed_in: Option<String>,
    /// When this node accepted it, seconds since 1970.
    pub validated_unix_s: u32,
}

/// A share as the chain has it, before formatting.
struct Raw {
    id: ShareId,
    parent: ShareId,
    time: u32,
    script: ScriptBuf,
    listed_in: Option<ShareId>,
    validated: u32,
}

struct Part {
    heights: (u32, u32),
    links: Vec<LinkSummary>,
    shares: Vec<Raw>,
    cut: bool,
}

/// Returns links of all branches, with the shares between them.
#[utoipa::path(
    get, path = "/api/v1/graph", params(Heights),
    responses(
        (status = 200, description = "A part of the share-chain", body = Graph),
        (status = 400, description = "A parameter is invalid", body = ErrorBody),
        (status = 410, description = "This node no longer keeps links of that height", body = ErrorBody),
    )
)]
pub(super) async fn graph(State(api): State<Arc<Api>>, heights: Heights) -> Result<Json<Graph>, ApiError> {
    let (network, chain) = (api.network(), api.chain());
    if let Some(to) = heights.to {
        pruned::check(&chain, to)?;
    }
    let oldest_height = chain.bottom().0;
    let Part { heights: (from_height, to), links, shares, cut } = part(&chain, &heights, network);
    let shares = shares.into_iter().map(|raw| GraphShare {
        id: raw.id.to_string(),
        parent: raw.parent.to_string(),
        time_unix_s: raw.time,
        finder: Payee::new(&raw.script, network),
        listed_in: raw.listed_in.map(|link| link.to_string()),
        validated_unix_s: raw.validated,
    });
    let next_from =
        from_height.checked_sub(1).filter(|next| *next >= oldest_height || api.context.config.archive.is_some());
    Ok(Json(Graph { to, from_height, links, shares: shares.collect(), shares_cut: cut, next_from, oldest_height }))
}

fn part(chain: &Chain, heights: &Heights, network: bitcoin::Network) -> Part {
    let to = heights.to.unwrap_or(u32::MAX).min(chain.height().0);
    let from = pruned::from_oldest(chain, to.saturating_sub(heights.links().saturating_sub(1)));
    let mut links = BTreeMap::new();
    let mut shares = Vec::new();
    let mut side = Vec::new();
    for height in (from..=to).map(Height) {
        let Some((id, link)) = main_link(chain, height) else { continue };
        links.insert((height, id), LinkSummary::new(chain, id, link, network));
        side.extend(link.complete().map(|complete| complete.list.as_slice()).unwrap_or_default());
    }
    // Pending shares belong at the top of the chart.
    if to == chain.height().0 {
        side.extend(chain.pending(PENDING_COUNTED_MAX));
    }
    // Shares found on the highest links, and whole other branches, are often listed by links above the chart.
    let is_here = |link: &Link| (from..=to).contains(&link.height.0);
    let end = chain.height().0.min(to.saturating_add(chain.params().listing_depth));
    for height in (to.saturating_add(1)..=end).map(Height) {
        let lists = main_link(chain, height).and_then(|(_, link)| link.complete());
        for id in lists.iter().flat_map(|complete| complete.list.iter()) {
            let parent = || chain.credit(id).and_then(|credit| chain.link(&credit.parent));
            side.extend(chain.link(id).or_else(parent).filter(|link| is_here(link)).map(|_| *id));
        }
    }
    let mut cut = false;
    for id in side {
        match chain.link(&id) {
            // A link off the main chain is listed there as a share, or is pending.
            Some(link) => {
                links.insert((link.height, id), LinkSummary::new(chain, id, link, network));
            }
            None if shares.len() < GRAPH_SHARES_MAX => shares.extend(raw(chain, id)),
            None => cut = true,
        }
    }
    Part { heights: (from, to), links: links.into_values().collect(), shares, cut }
}

fn raw(chain: &Chain, id: ShareId) -> Option<Raw> {
    let credit = chain.credit(&id)?;
    let listed_in = match chain.fate(&id) {
        Fate::Listed { link, .. } => Some(link),
        _ => None,
    };
    Some(Raw {
        id,
        parent: credit.parent,
        time: credit.time.0,
        script: chain.scripts().script(credit.script)?.to_owned(),
        listed_in,
        validated: credit.validated_at.0,
    })
}
