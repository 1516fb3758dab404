//! Whether the node is alive, and whether it hands out work, for supervisors, containers and load balancers.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::context::Api;
use super::error::ErrorBody;

/// The node is alive.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// Always true: a node that is not alive does not answer.
    pub alive: bool,
}

/// The node hands out work.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ready {
    /// Always true: a node that is not ready answers with an error.
    pub ready: bool,
}

/// Answers as long as the process serves requests.
#[utoipa::path(
    get, path = "/health",
    responses(
        (status = 200, description = "The node is alive", body = Health),
        (status = 503, description = "The node is stopping", body = ErrorBody),
    )
)]
pub(super) async fn health() -> Json<Health> {
    Json(Health { alive: true })
}

/// Says whether miners get work that can count.
///
/// They get none while bitcoind is down or would reject their blocks, while the node
/// reads its share-chain, while it is cut off, or while its clock is proven so wrong that nodes drop each other's shares. A clock
/// that is slightly wrong, and what peers claim, change nothing here: `/api/v1/status` has such states.
#[utoipa::path(
    get, path = "/ready",
    responses(
        (status = 200, description = "Miners get work", body = Ready),
        (status = 503, description = "Miners get no work, for the reason in the body", body = ErrorBody),
    )
)]
pub(super) async fn ready(State(api): State<Arc<Api>>) -> Result<Json<Ready>, (StatusCode, Json<ErrorBody>)> {
    match api.context.node.borrow().no_work_because.clone() {
        None => Ok(Json(Ready { ready: true })),
        Some(error) => Err((StatusCode::SERVICE_UNAVAILABLE, Json(ErrorBody { error }))),
    }
}
