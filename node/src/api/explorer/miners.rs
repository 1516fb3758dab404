//! `/api/v1/miners/{address}`, `/shares`, `/payments`: an address's weight in the window, its shares, and its payments.

use std::sync::Arc;

use archive::read::{Mean, Paid, Share};
use axum::Json;
use axum::extract::State;

use super::state::{Place, View, page};
use super::status::pending_of;
use crate::api::error::ApiError;
use crate::api::limits::MATURITY_BLOCKS;
use crate::api::miner_history::{MinerShare, MinerShares, Payment, Payments};
use crate::api::miners::{DAY, HOUR, Miner, MinerWindow};
use crate::api::params::{Most, Paging, Segment};
use crate::api::views::Payee;
use crate::clock::now;
use crate::history::observed_hashrate;

// The node's modules describe these routes.
pub(super) use crate::api::miner_history::{__path_payments, __path_shares};
pub(super) use crate::api::miners::__path_miner;

/// Start of a span that ends now, rounded down to a step.
fn begins(now: u32, (span_s, step_s): (u32, u32)) -> u32 {
    let start = now.saturating_sub(span_s);
    start - start % step_s
}

/// Returns an address's weight, pending shares, and average hashrates. An address that has never mined is not an error: its weight is
/// zero.
pub(super) async fn miner(
    State(view): State<Arc<View>>,
    Segment(text): Segment,
    // An explorer has no lists of workers, but the same parameters.
    _: Most,
) -> Result<Json<Miner>, ApiError> {
    let script = view.script(&text)?;
    let (newest, time) = (view.now()?, now().0);
    let (hour, day) = (begins(time, HOUR), begins(time, DAY));
    let Mean { late, early, first } = view.archive.mean(&script, hour, day).await?;
    let (pending_shares, pending_weight) = pending_of(&newest, &script);
    let hashrate = |hashes, since| observed_hashrate(hashes, since, first?, 0, time);
    let standing = &newest.standing;
    Ok(Json(Miner {
        payee: Payee::new(&script, view.network()),
        window: MinerWindow::new(standing.of(&script), standing.total),
        next_block: None,
        pending_shares,
        pending_weight: pending_weight.into(),
        workers: None,
        workers_total: None,
        devices: None,
        device_states: None,
        hashrate_hs: 0.0,
        last_submit_unix_s: None,
        hashrate_hour_hs: hashrate(late, hour),
        hashrate_day_hs: hashrate(early, day),
        pay: None,
    }))
}

fn share(row: &Share) -> MinerShare {
    MinerShare {
        id: row.id.to_string(),
        time_unix_s: row.time,
        work_hashes: row.hashes.to_string(),
        is_link: row.is_link,
        is_bitcoin_block: row.is_block,
        listed_in: row.listed_in.map(|(link, _)| link.to_string()),
        listed_height: row.listed_in.map(|(_, height)| height),
    }
}

/// Lists the shares of an address, newest first.
pub(super) async fn shares(
    State(view): State<Arc<View>>,
    Segment(text): Segment,
    paging: Paging,
) -> Result<Json<MinerShares>, ApiError> {
    let script = view.script(&text)?;
    let at = Place::of(paging.from);
    let depth = view.params.listing_depth;
    let rows = view.archive.shares_of(&script, (at.height, at.skip), paging.items() + 1, depth).await?;
    let (rows, next_from) = page(rows, paging.items(), at, |row| row.height);
    Ok(Json(MinerShares { shares: rows.iter().map(share).collect(), next_from, since_unix_s: None }))
}

/// Lists the payouts of an address in the pool's blocks, newest first.
pub(super) async fn payments(
    State(view): State<Arc<View>>,
    Segment(text): Segment,
    paging: Paging,
) -> Result<Json<Payments>, ApiError> {
    let script = view.script(&text)?;
    let (newest, at) = (view.now()?, Place::of(paging.from));
    let rows = view.archive.payments(&script, at.height, at.skip, paging.items() + 1).await?;
    let (rows, next_from) = page(rows, paging.items(), at, |row| row.height);
    let payment = |row: &Paid| {
        let confirmations = newest.bitcoin.confirmations(row.height, &row.block);
        Payment {
            block: row.block.to_string(),
            height: row.height,
            time_unix_s: row.time,
            value_sat: row.value_sat,
            confirmations,
            mature: confirmations > MATURITY_BLOCKS,
            drawn: Some(row.drawn),
            finder_alone: Some(row.finder_alone),
        }
    };
    let payments: Vec<Payment> = rows.iter().map(payment).collect();
    let in_chain = payments.iter().filter(|payment| payment.confirmations > 0);
    let page_total_sat = in_chain.map(|payment| payment.value_sat).sum();
    Ok(Json(Payments { payments, page_total_sat, next_from }))
}
