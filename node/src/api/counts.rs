//! `/api/v1/counts`: how many Bitcoin blocks the pool found, in a day, in a week, and ever.

use std::sync::{Arc, PoisonError};

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::block_counts::Count;
use super::context::Api;
use super::error::{ApiError, ErrorBody};
use crate::clock::now;

const DAY_S: u32 = 86_400;

/// Blocks that the pool found, as far as this node knows.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(super) struct Counts {
    /// In the last 24 hours.
    pub day: Count,
    /// In the last seven days.
    pub week: Count,
    /// Since the share-chain began.
    pub all: Count,
}

/// Returns the number of Bitcoin blocks that the pool found in a day, in a week, and in total.
#[utoipa::path(
    get, path = "/api/v1/counts",
    responses(
        (status = 200, description = "The counts", body = Counts),
        (status = 503, description = "The node is stopping", body = ErrorBody),
    )
)]
pub(super) async fn counts(State(api): State<Arc<Api>>) -> Result<Json<Counts>, ApiError> {
    let counted = Arc::clone(&api.counted);
    let counts = api.read(move |store| {
        let mut counted = counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.read(store)?;
        let now = now().0;
        let since = |age_s: u32| counted.since(now.saturating_sub(age_s));
        Ok(Counts { day: since(DAY_S), week: since(7 * DAY_S), all: counted.since(0) })
    });
    counts.await.map(Json)
}
