//! `/api/v1/events`: live updates about what the archive receives.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;

use super::state::View;
use crate::api::error::{ApiError, ErrorBody};
use crate::api::guard::Client;
use crate::api::live::{LiveEvents, open_stream};

/// Streams live updates as server-sent events named `hello` (the first), `share`, `link`, `tip`, `block` and `reset` (missed
/// events are no longer kept, so reload). Shares come with the link that lists them.
#[utoipa::path(
    get, path = "/api/v1/events",
    params(("last-event-id" = Option<String>, Header, description = "Id of the last event seen")),
    responses(
        (status = 200, description = "A stream of events", content_type = "text/event-stream", body = LiveEvents),
        (status = 503, description = "Too many streams are open", body = ErrorBody),
    )
)]
pub(super) async fn events(
    State(view): State<Arc<View>>,
    Extension(Client(from)): Extension<Client>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    open_stream(&view.live, &view.streams, from, &headers)
}
