//! `/api/v1/miners/{address}/history`, `/shares`, `/payments`: what an address found and was paid, newest first.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use sharechain::ShareId;
use sharechain::chain::Fate;
use utoipa::ToSchema;

use super::Api;
use super::blocks::confirmations;
use super::error::{ApiError, ErrorBody};
use super::limits::MATURITY_BLOCKS;
use super::params::{Paging, Segment, Steps};
use super::pool_history::Points;
use super::shares::deep_place;
use crate::config::parse_address;
use crate::history::{Page, PaymentRow, ShareRow};

/// Shares of an address.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MinerShares {
    /// In the order in which they reached this node, newest first.
    pub shares: Vec<MinerShare>,
    /// Where the next page starts; none on the last one.
    pub next_from: Option<u64>,
}

/// A share of an address.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct MinerShare {
    /// Its id.
    pub id: String,
    /// When its work was handed out, by its maker's clock.
    pub time_unix_s: u32,
    /// Expected hashes to find it: an integer of up to 128 bits, so a string.
    pub work_hashes: String,
    /// Whether it is a link.
    pub is_link: bool,
    /// Whether it met Bitcoin's own target.
    pub is_bitcoin_block: bool,
    /// The link of the main chain that lists it, or itself if it is one; none while there is none.
    pub listed_in: Option<String>,
    /// That link's height.
    pub listed_height: Option<u32>,
}

/// What an address was paid on chain.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Payments {
    /// Highest block first.
    pub payments: Vec<Payment>,
    /// What those of this page sum up to that stand in Bitcoin's chain, satoshi.
    pub page_total_sat: u64,
    /// Where the next page starts, a height; none on the last one.
    pub next_from: Option<u64>,
}

/// An output of a block of the pool.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Payment {
    /// The block.
    pub block: String,
    /// Its height.
    pub height: u32,
    /// Time in its header.
    pub time_unix_s: u32,
    /// How much, satoshi.
    pub value_sat: u64,
    /// Bitcoin blocks from it up to the tip, itself included; 0 while it is not in the chain with the most work.
    pub confirmations: u32,
    /// Whether it can be spent: a coinbase can after 100 further blocks.
    pub mature: bool,
    /// Whether it was drawn for the tail; none where that was not noted.
    pub drawn: Option<bool>,
}

/// What an address found, by time.
#[utoipa::path(
    get, path = "/api/v1/miners/{address}/history",
    params(("address" = String, Path, description = "A payout address"), Steps),
    responses(
        (status = 200, description = "Sums, newest first", body = Points),
        (status = 400, description = "The address or a parameter is wrong", body = ErrorBody),
    )
)]
pub(super) async fn history(
    State(api): State<Arc<Api>>,
    Segment(text): Segment,
    steps: Steps,
) -> Result<Json<Points>, ApiError> {
    let script = parse_address(&text, api.context.config.network)?.script_pubkey();
    let history = api.context.history.clone();
    let page = api.read(move |_| history.payee_steps(&script, steps.step_s(), steps.from, steps.items())).await?;
    Ok(Json(Points::new(steps.step_s(), page)))
}

/// Shares of an address, newest first.
#[utoipa::path(
    get, path = "/api/v1/miners/{address}/shares",
    params(("address" = String, Path, description = "A payout address"), Paging),
    responses(
        (status = 200, description = "Shares, newest first", body = MinerShares),
        (status = 400, description = "The address or a parameter is wrong", body = ErrorBody),
    )
)]
pub(super) async fn shares(
    State(api): State<Arc<Api>>,
    Segment(text): Segment,
    paging: Paging,
) -> Result<Json<MinerShares>, ApiError> {
    let script = parse_address(&text, api.context.config.network)?.script_pubkey();
    let history = api.context.history.clone();
    let Page { items: rows, next_from } =
        api.read(move |_| history.shares_of(&script, paging.from, paging.items())).await?;
    let ids: Vec<ShareId> = rows.iter().map(|row| row.id).collect();
    let places = api.places(ids).await?;
    let shares = rows.iter().map(|row| MinerShare::new(row, places.get(&row.id).copied())).collect();
    Ok(Json(MinerShares { shares, next_from }))
}

impl Api {
    /// Where shares count: the link and its height. From memory; from the lists that name it for what is no longer there.
    async fn places(&self, ids: Vec<ShareId>) -> Result<BTreeMap<ShareId, (ShareId, u32)>, ApiError> {
        let chain = self.chain();
        let mut places = BTreeMap::new();
        let mut deep = Vec::new();
        for id in ids {
            let place = match chain.fate(&id) {
                Fate::MainLink(height) => (id, height.0),
                Fate::Listed { link, height } => (link, height.0),
                Fate::Unknown => {
                    deep.push(id);
                    continue;
                }
                _ => continue,
            };
            places.insert(id, place);
        }
        if deep.is_empty() {
            return Ok(places);
        }
        let history = self.context.history.clone();
        let look_up = move |id: ShareId| history.listed_in(&id).map(|listed| (id, listed));
        let listed = self.read(move |_| deep.into_iter().map(look_up).collect::<Result<Vec<_>, _>>()).await?;
        places.extend(listed.iter().filter_map(|(id, listed)| {
            let (link, height) = deep_place(&chain, *id, listed)?;
            Some((*id, (link, height.0)))
        }));
        Ok(places)
    }
}

impl MinerShare {
    fn new(row: &ShareRow, place: Option<(ShareId, u32)>) -> Self {
        Self {
            id: row.id.to_string(),
            time_unix_s: row.time,
            work_hashes: row.hashes.to_string(),
            is_link: row.is_link,
            is_bitcoin_block: row.is_block,
            listed_in: place.map(|(link, _)| link.to_string()),
            listed_height: place.map(|(_, height)| height),
        }
    }
}

/// What an address was paid by blocks of the pool, newest first.
#[utoipa::path(
    get, path = "/api/v1/miners/{address}/payments",
    params(("address" = String, Path, description = "A payout address"), Paging),
    responses(
        (status = 200, description = "Payments, newest first", body = Payments),
        (status = 400, description = "The address or a parameter is wrong", body = ErrorBody),
    )
)]
pub(super) async fn payments(
    State(api): State<Arc<Api>>,
    Segment(text): Segment,
    paging: Paging,
) -> Result<Json<Payments>, ApiError> {
    let script = parse_address(&text, api.context.config.network)?.script_pubkey();
    let history = api.context.history.clone();
    let page = api.read(move |_| history.payments_to(&script, paging.from, paging.items())).await?;
    let rows = page.items;
    let chain = api.chain();
    let confirmed = |row: &PaymentRow| confirmations(&chain, row.height, row.block.block_hash());
    let payments: Vec<_> = rows.iter().map(|row| Payment::new(row, confirmed(row))).collect();
    let in_chain = payments.iter().filter(|payment| payment.confirmations > 0);
    let page_total_sat = in_chain.map(|payment| payment.value_sat).sum();
    Ok(Json(Payments { payments, page_total_sat, next_from: page.next_from }))
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
        }
    }
}
