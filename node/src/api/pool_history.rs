//! `/api/v1/pool/history`: what the pool found, by time.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::context::Api;
use super::error::{ApiError, ErrorBody, Older};
use super::params::Steps;
use super::pruned::paged;
use super::views::Point;
use crate::history::{Page, PointRow};

/// Shares and links found, by time.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Points {
    /// Length of a step, seconds.
    pub step_s: u32,
    /// Steps, newest first. Steps without shares are left out.
    pub points: Vec<Point>,
    /// `from` of the next page, a time; none on the last page.
    pub next_from: Option<u64>,
    /// Time since which this node has all steps of this length, seconds since 1970: it removed older ones, or joined
    /// the pool then. None if it has them all.
    pub since_unix_s: Option<u32>,
}

/// Returns what the pool found, by time.
#[utoipa::path(
    get, path = "/api/v1/pool/history", params(Steps),
    responses(
        (status = 200, description = "Sums, newest first", body = Points),
        (status = 400, description = "A parameter is invalid", body = ErrorBody),
    )
)]
pub(super) async fn history(State(api): State<Arc<Api>>, steps: Steps) -> Result<Response, ApiError> {
    let history = api.context.history.clone();
    let step_s = steps.step_s();
    let (page, since) = api
        .read(move |_| Ok((history.pool_steps(step_s, steps.from, steps.items())?, history.steps_since(None, step_s)?)))
        .await?;
    let (next_from, older) = (page.next_from, since.map(|since| Older::Found(since - since % step_s)));
    Ok(paged(Json(Points::new(step_s, page, since)), next_from, older))
}

impl Points {
    pub(super) fn new(step_s: u32, page: Page<PointRow>, since: Option<u32>) -> Self {
        let points = page.items.iter().map(|point| Point::new(point, step_s)).collect();
        Self { step_s, points, next_from: page.next_from, since_unix_s: since }
    }
}
