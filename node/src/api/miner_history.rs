//! `/api/v1/miners/{address}/history`, `/shares`, `/payments`: what an address found and what it was paid, newest
//! first.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use sharechain::ShareId;
use sharechain::chain::Fate;
use utoipa::ToSchema;

use super::blocks::confirmations;
use super::context::Api;
use super::error::{ApiError, ErrorBody, Older};
use super::limits::MATURITY_BLOCKS;
use super::params::{Paging, Segment, Steps};
use super::pool_history::Points;
use super::pruned::paged;
use super::shares::main_link_of;
use crate::config::parse_address;
use crate::history::{Page, PaymentRow, ShareRow};
use crate::store::StoreError;

/// A page of an address's shares.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MinerShares {
    /// Shares in the order in which they reached this node, newest first.
    pub shares: Vec<MinerShare>,
    /// `from` of the next page; none on the last page.
    pub next_from: Option<u64>,
    /// Time since which this node has all shares of the address, seconds since 1970: it removed older ones, or joined
    /// the pool then. None if it has them all.
    pub since_unix_s: Option<u32>,
}

/// One share of an address.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MinerShare {
    /// Id of the share: the hash of its Bitcoin header.
    pub id: String,
    /// When its job was handed out, by the clock of the finder's node, seconds since 1970.
    pub time_unix_s: u32,
    /// Expected hashes to find such a share: an integer of up to 128 bits, so a string.
    pub work_hashes: String,
    /// True if it is a link.
    pub is_link: bool,
    /// True if it met Bitcoin's own target.
    pub is_bitcoin_block: bool,
    /// Id of the main chain's link that lists it, or its own id if it is such a link; none otherwise.
    pub listed_in: Option<String>,
    /// Height of that link.
    pub listed_height: Option<u32>,
}

/// A page of an address's payouts in Bitcoin blocks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Payments {
    /// Payouts, highest block first.
    pub payments: Vec<Payment>,
    /// Sum of this page's payouts that are in the chain with the most work, satoshi.
    pub page_total_sat: u64,
    /// `from` of the next page, a height; none on the last page.
    pub next_from: Option<u64>,
}

/// A payout: one output of one of the pool's blocks.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Payment {
    /// Hash of the block.
    pub block: String,
    /// Height of the block.
    pub height: u32,
    /// Time of the block's header, seconds since 1970.
    pub time_unix_s: u32,
    /// Amount, satoshi.
    pub value_sat: u64,
    /// Confirmations of the block; 0 while it is not in the chain with the most work.
    pub confirmations: u32,
    /// True if it can be spent, which takes 100 further blocks.
    pub mature: bool,
    /// True for a lottery payout, false for a proportional one; none in records of older versions.
    pub drawn: Option<bool>,
    /// True if the block's coinbase paid the finder alone, for example because the pool's history was too short. None in records
    /// of older versions.
    pub finder_alone: Option<bool>,
}

/// Returns what an address found, by time.
#[utoipa::path(
    get, path = "/api/v1/miners/{address}/history",
    params(("address" = String, Path, description = "A payout address"), Steps),
    responses(
        (status = 200, description = "Sums, newest first", body = Points),
        (status = 400, description = "The address or a parameter is invalid", body = ErrorBody),
    )
)]
pub(super) async fn history(
    State(api): State<Arc<Api>>,
    Segment(text): Segment,
    steps: Steps,
) -> Result<Response, ApiError> {
    let script = parse_address(&text, api.context.config.network)?.script_pubkey();
    let history = api.context.history.clone();
    let step_s = steps.step_s();
    let (page, since) = api
        .read(move |_| {
            let since = history.steps_since(Some(&script), step_s)?;
            Ok((history.payee_steps(&script, step_s, steps.from, steps.items())?, since))
        })
        .await?;
    let next_from = page.next_from;
    Ok(paged(
        Json(Points::new(step_s, page, since)),
        next_from,
        since.map(|since| Older::Found(since - since % step_s)),
    ))
}

/// Lists the shares of an address, newest first.
#[utoipa::path(
    get, path = "/api/v1/miners/{address}/shares",
    params(("address" = String, Path, description = "A payout address"), Paging),
    responses(
        (status = 200, description = "Shares, newest first", body = MinerShares),
        (status = 400, description = "The address or a parameter is invalid", body = ErrorBody),
    )
)]
pub(super) async fn shares(
    State(api): State<Arc<Api>>,
    Segment(text): Segment,
    paging: Paging,
) -> Result<Response, ApiError> {
    let script = parse_address(&text, api.context.config.network)?.script_pubkey();
    let history = api.context.history.clone();
    let (Page { items: rows, next_from }, since_unix_s) = api
        .read(move |_| Ok((history.shares_of(&script, paging.from, paging.items())?, history.shares_since(&script)?)))
        .await?;
    let ids: Vec<ShareId> = rows.iter().map(|row| row.id).collect();
    let links = api.links(ids).await?;
    let shares = rows.iter().map(|row| MinerShare::new(row, links.get(&row.id).copied())).collect();
    Ok(paged(Json(MinerShares { shares, next_from, since_unix_s }), next_from, since_unix_s.map(Older::Found)))
}

impl Api {
    /// Finds the link that credits each share, with its height: in memory, or for deep shares in the stored lists that
    /// name them.
    async fn links(&self, ids: Vec<ShareId>) -> Result<BTreeMap<ShareId, (ShareId, u32)>, ApiError> {
        let chain = self.chain();
        let mut links = BTreeMap::new();
        let mut deep = Vec::new();
        for id in ids {
            let listed = match chain.fate(&id) {
                Fate::MainLink(height) => (id, height.0),
                Fate::Listed { link, height } => (link, height.0),
                Fate::Unknown => {
                    deep.push(id);
                    continue;
                }
                _ => continue,
            };
            links.insert(id, listed);
        }
        if deep.is_empty() {
            return Ok(links);
        }
        let history = self.context.history.clone();
        let look_up = move |id: ShareId| history.listed_in(&id).map(|listed| (id, listed));
        let listed = self.read(move |_| deep.into_iter().map(look_up).collect::<Result<Vec<_>, _>>()).await?;
        links.extend(listed.iter().filter_map(|(id, listed)| {
            let (link, height) = main_link_of(&chain, *id, listed)?;
            Some((*id, (link, height.0)))
        }));
        Ok(links)
    }
}

impl MinerShare {
    fn new(row: &ShareRow, listed: Option<(ShareId, u32)>) -> Self {
        Self {
            id: row.id.to_string(),
            time_unix_s: row.time,
            work_hashes: row.hashes.to_string(),
            is_link: row.is_link,
            is_bitcoin_block: row.is_block,
            listed_in: listed.map(|(link, _)| link.to_string()),
            listed_height: listed.map(|(_, height)| height),
        }
    }
}

/// Lists the payouts of an address in the pool's blocks, newest first.
#[utoipa::path(
    get, path = "/api/v1/miners/{address}/payments",
    params(("address" = String, Path, description = "A payout address"), Paging),
    responses(
        (status = 200, description = "Payouts, newest first", body = Payments),
        (status = 400, description = "The address or a parameter is invalid", body = ErrorBody),
    )
)]
pub(super) async fn payments(
    State(api): State<Arc<Api>>,
    Segment(text): Segment,
    paging: Paging,
) -> Result<Response, ApiError> {
    let script = parse_address(&text, api.context.config.network)?.script_pubkey();
    let history = api.context.history.clone();
    let (rows, next_from, begins) = api
        .read(move |_| {
            let Page { items, next_from } = history.payments_to(&script, paging.from, paging.items())?;
            let noted = |row: PaymentRow| Ok((row, history.in_chain(row.height, &row.block)?));
            let items = items.into_iter().map(noted).collect::<Result<Vec<_>, StoreError>>()?;
            Ok((items, next_from, history.begins()?))
        })
        .await?;
    let chain = api.chain();
    let payment = |(row, noted): &(PaymentRow, Option<bool>)| {
        Payment::new(row, confirmations(&chain, row.height, row.block.block_hash(), *noted))
    };
    let payments: Vec<_> = rows.iter().map(payment).collect();
    let in_chain = payments.iter().filter(|payment| payment.confirmations > 0);
    let page_total_sat = in_chain.map(|payment| payment.value_sat).sum();
    let start = paging.from.map_or(u32::MAX, |from| u32::try_from(from).unwrap_or(u32::MAX));
    let below = payments.last().map_or(start, |last| last.height.saturating_sub(1));
    Ok(paged(Json(Payments { payments, page_total_sat, next_from }), next_from, begins.map(|_| Older::Paid(below))))
}

impl Payment {
    fn new(row: &PaymentRow, confirmations: u32) -> Self {
        Self {
            block: row.block.to_string(),
            height: row.height,
            time_unix_s: row.time,
            value_sat: row.value_sat,
            confirmations,
            mature: confirmations > MATURITY_BLOCKS,
            drawn: row.drawn,
            finder_alone: row.finder_alone,
        }
    }
}
