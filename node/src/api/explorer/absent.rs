//! Health and metrics of an explorer, and errors for routes that only a node has.

use std::fmt::Write;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::IntoResponse;

use super::state::View;
use crate::api::error::{ApiError, ErrorBody};
use crate::api::health::{Health, Ready};

/// Routes that only a node has: the first part of the path, and the name in the error.
const NODES: [(&str, &str); 7] = [
    ("peers", "peers"),
    ("bans", "peers"),
    ("job", "job"),
    ("mining", "miners"),
    ("devices", "miners"),
    ("power", "miners"),
    ("pair", "owner"),
];

/// Answers all other paths: routes of a node with an error that says so, unknown paths as a node does.
pub(super) async fn elsewhere(uri: Uri) -> ApiError {
    let first = uri.path().trim_start_matches("/api/v1/").split('/').next().unwrap_or_default();
    let known = NODES.iter().find(|(name, _)| *name == first);
    known.map_or(ApiError::Path, |(_, what)| ApiError::NoNode { what })
}

/// Answers that an explorer has no event log.
#[utoipa::path(
    get, path = "/api/v1/log",
    responses((status = 404, description = "An explorer has no event log", body = ErrorBody))
)]
pub(super) async fn log() -> ApiError {
    ApiError::NoNode { what: "event log" }
}

/// Returns the explorer's metrics for Prometheus.
#[utoipa::path(
    get, path = "/api/v1/metrics",
    responses((status = 200, description = "Metrics in Prometheus's text format", content_type = "text/plain", body = String))
)]
pub(super) async fn metrics(State(view): State<Arc<View>>) -> impl IntoResponse {
    let newest = view.now.borrow().clone();
    let figures = [
        ("shoal_explorer_archive_up", "1 while the archive's database answers", u64::from(view.archive.is_there())),
        (
            "shoal_explorer_height",
            "Height of the archive's newest link",
            newest.as_ref().map_or(0, |newest| u64::from(newest.tip.height)),
        ),
        (
            "shoal_explorer_tip_time_seconds",
            "Time of the archive's newest link, seconds since 1970",
            newest.as_ref().map_or(0, |newest| u64::from(newest.tip.time)),
        ),
    ];
    let mut text = String::new();
    for (name, help, value) in figures {
        // Writing to a string does not fail.
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

/// Answers as long as the process serves requests.
#[utoipa::path(get, path = "/health", responses((status = 200, description = "The explorer is alive", body = Health)))]
pub(super) async fn health() -> Json<Health> {
    Json(Health { alive: true })
}

/// Says whether the archive can be read.
#[utoipa::path(
    get, path = "/ready",
    responses(
        (status = 200, description = "The archive can be read", body = Ready),
        (status = 503, description = "The archive cannot be read", body = ErrorBody),
    )
)]
pub(super) async fn ready(State(view): State<Arc<View>>) -> Result<Json<Ready>, ApiError> {
    view.now()?;
    view.archive.lowest().await?;
    Ok(Json(Ready { ready: true }))
}
