//! `/api/v1/log`: the node's event log.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::context::Api;
use super::error::{ApiError, ErrorBody};
use super::params::Paging;
use crate::event_kind::EventKind;
use crate::history::Event;

/// A page of the node's event log.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Log {
    /// Entries of this page, newest first.
    pub events: Vec<LogEvent>,
    /// `from` of the next page; none on the last page.
    pub next_from: Option<u64>,
}

/// An event of the node's event log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct LogEvent {
    /// Id of the event; counts from 1.
    pub id: u64,
    /// When it was logged, seconds since 1970.
    pub time_unix_s: u32,
    /// Kind of the event.
    pub kind: EventKind,
    /// The event in one sentence.
    pub sentence: String,
    /// Path of a page in the web application with details; none if there is none.
    pub link_to: Option<String>,
}

impl From<&Event> for LogEvent {
    fn from(event: &Event) -> Self {
        let Event { id, time, kind, sentence, link_to, .. } = event.clone();
        Self { id, time_unix_s: time, kind, sentence, link_to }
    }
}

/// Lists the node's event log, newest first: found blocks, reorganizations, rejected shares, problems, and with the
/// node's token its miners and their payouts. A page may hold fewer events than `limit`.
#[utoipa::path(
    get, path = "/api/v1/log", params(Paging), security((), ("token" = [])),
    responses(
        (status = 200, description = "Events, newest first", body = Log),
        (status = 400, description = "A parameter is invalid", body = ErrorBody),
    )
)]
pub(super) async fn log(
    State(api): State<Arc<Api>>,
    paging: Paging,
    headers: HeaderMap,
) -> Result<Json<Log>, ApiError> {
    let owner = api.shows_workers(&headers);
    let history = api.context.history.clone();
    let page = api.read(move |_| history.events(paging.from, paging.items())).await?;
    let shown = page.items.iter().filter(|event| owner || !event.kind.is_private());
    Ok(Json(Log { events: shown.map(LogEvent::from).collect(), next_from: page.next_from }))
}
