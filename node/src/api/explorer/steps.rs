//! `/api/v1/pool/history` and `/api/v1/miners/{address}/history`: sums by time.

use std::sync::Arc;

use archive::read::Step as Sums;
use axum::Json;
use axum::extract::State;

use super::state::View;
use super::sums::{SPAN_S, row};
use crate::api::error::ApiError;
use crate::api::params::{Segment, Steps as Asked};
use crate::api::pool_history::Points;
use crate::clock::now;
use crate::history::{Page, PointRow};

// The node's modules describe these routes.
pub(super) use crate::api::miner_history::__path_history as __path_miner_history;
pub(super) use crate::api::pool_history::__path_history;

/// Minimum time that a page covers, seconds. Steps without shares are left out, so a page may have few.
const SPAN_S_MIN: u32 = 6 * 3_600;

/// Maximum time that a page of an address's history covers, seconds: one range scan of an index.
const OF_ADDRESS_S: u32 = 31 * 86_400;

/// The page of steps from a query for the time from `from` on. The archive begins at `first`.
fn of_statement(steps: &[Sums], limit: usize, from: u32, first: u32) -> Page<PointRow> {
    let items: Vec<PointRow> = steps.iter().take(limit).map(row).collect();
    let next = match steps.get(limit) {
        Some(more) => Some(more.start),
        None if from > first => from.checked_sub(1),
        None => None,
    };
    Page { items, next_from: next.map(u64::from) }
}

impl View {
    /// Latest time that the request asks for.
    fn newest(asked: &Asked) -> u32 {
        // Clocks of other nodes may be ahead.
        let latest = now().0.saturating_add(60);
        asked.from.map_or(latest, |from| u32::try_from(from).unwrap_or(u32::MAX).min(latest))
    }

    /// The time that a query covers, at most `span_s` seconds, in whole steps.
    fn span(asked: &Asked, span_s: u32) -> (u32, u32) {
        let (step_s, newest) = (asked.step_s(), Self::newest(asked));
        let until = (newest - newest % step_s).saturating_add(step_s);
        let wanted = u32::try_from(asked.items()).unwrap_or(u32::MAX).saturating_mul(step_s).max(SPAN_S_MIN);
        (until.saturating_sub(wanted.min(span_s.max(step_s) / step_s * step_s)), until)
    }
}

/// Returns what the pool found, by time.
pub(super) async fn history(State(view): State<Arc<View>>, asked: Asked) -> Result<Json<Points>, ApiError> {
    view.now()?;
    let step_s = asked.step_s();
    if let Some(page) = view.steps.page(step_s, View::newest(&asked), asked.items()) {
        return Ok(Json(Points::new(step_s, page, None)));
    }
    let (from, until) = View::span(&asked, SPAN_S);
    let first = view.archive.lowest_time().await?.unwrap_or(0);
    let steps = view.archive.steps_asked(step_s.cast_signed(), from, until).await?;
    Ok(Json(Points::new(step_s, of_statement(&steps, asked.items(), from, first), None)))
}

/// Returns what an address found, by time.
pub(super) async fn miner_history(
    State(view): State<Arc<View>>,
    Segment(text): Segment,
    asked: Asked,
) -> Result<Json<Points>, ApiError> {
    let script = view.script(&text)?;
    let step_s = asked.step_s();
    let (from, until) = View::span(&asked, OF_ADDRESS_S);
    let first = view.archive.lowest_time().await?.unwrap_or(0);
    let steps = view.archive.steps_of(&script, step_s.cast_signed(), from, until).await?;
    Ok(Json(Points::new(step_s, of_statement(&steps, asked.items(), from, first), None)))
}
