//! `/api/v1/log`: the node's event log; `/api/v1/reorganisations`: the reorganisations in it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::error::{ApiError, ErrorBody};
use super::params::Paging;
use crate::history::{Event, EventKind};

/// The node's event log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Log {
    /// Newest first.
    pub events: Vec<LogEvent>,
    /// Where the next page starts; none on the last one.
    pub next_from: Option<u64>,
}

/// An event of the event log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct LogEvent {
    /// Counts events, from 1.
    pub id: u64,
    /// When it was noted.
    pub time_unix_s: u32,
    /// What it is about.
    pub kind: EventKind,
    /// The whole of it in one sentence.
    pub sentence: String,
    /// The page that tells more, a path of the web application.
    pub link_to: Option<String>,
}

impl From<&Event> for LogEvent {
    fn from(event: &Event) -> Self {
        let Event { id, time, kind, sentence, link_to, .. } = event.clone();
        Self { id, time_unix_s: time, kind, sentence, link_to }
    }
}

/// Reorganisations of the share-chain that this node saw.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Reorganisations {
    /// Newest first.
    pub reorganisations: Vec<Reorganisation>,
    /// Where the next page starts; none on the last one.
    pub next_from: Option<u64>,
}

/// A reorganisation.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Reorganisation {
    /// When this node saw it.
    pub time_unix_s: u32,
    /// The tip before.
    pub old_tip: String,
    /// The tip since.
    pub new_tip: String,
    /// Height of the last link that both have in common.
    pub fork_height: u32,
    /// Links that left the main chain.
    pub depth: u32,
    /// Links that entered it.
    pub connected: u32,
}

/// The node's event_log: found blocks, reorganisations, refused shares, troubles, and with the node's token its miners and
/// what they are paid. Newest first. A page may hold fewer events than asked for.
#[utoipa::path(
    get, path = "/api/v1/log", params(Paging), security((), ("token" = [])),
    responses(
        (status = 200, description = "Events, newest first", body = Log),
        (status = 400, description = "A parameter is wrong", body = ErrorBody),
    )
)]
pub(super) async fn log(
    State(api): State<Arc<Api>>,
    paging: Paging,
    headers: HeaderMap,
) -> Result<Json<Log>, ApiError> {
    let owner = api.context.token.is_in(&headers);
    let history = api.context.history.clone();
    let page = api.read(move |_| history.events(paging.from, paging.items())).await?;
    let shown = page.items.iter().filter(|event| owner || !event.kind.is_private());
    Ok(Json(Log { events: shown.map(LogEvent::from).collect(), next_from: page.next_from }))
}

/// Reorganisations of the share-chain that this node saw. Newest first.
#[utoipa::path(
    get, path = "/api/v1/reorganisations", params(Paging),
    responses(
        (status = 200, description = "Reorganisations, newest first", body = Reorganisations),
        (status = 400, description = "A parameter is wrong", body = ErrorBody),
    )
)]
pub(super) async fn reorganisations(
    State(api): State<Arc<Api>>,
    paging: Paging,
) -> Result<Json<Reorganisations>, ApiError> {
    let history = api.context.history.clone();
    let page = api.read(move |_| history.reorganisations(paging.from, paging.items())).await?;
    let reorganisations = page.items.into_iter().filter_map(|event| {
        let what = event.reorganised?;
        Some(Reorganisation {
            time_unix_s: event.time,
            old_tip: what.old.to_string(),
            new_tip: what.new.to_string(),
            fork_height: what.fork_height,
            depth: what.depth,
            connected: what.connected,
        })
    });
    Ok(Json(Reorganisations { reorganisations: reorganisations.collect(), next_from: page.next_from }))
}
