//! Answers from the archive what the node itself has forgotten, and marks these answers. The node queries the archive
//! for nothing else, and answers as without one while it is down.
//!
//! Lists of an address, of blocks, of reorganizations and of the pool's history go on in the archive where the node's own list ends:
//! `next_from` of the node's last page leads there.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::error::{ApiError, Forgotten, Older};
use super::explorer::Behind;
use super::limits::ARCHIVE_GOES_ON;

/// In `from` of a page of such a list: the page is the archive's. It is above all numbers of pages, and JavaScript still
/// represents it exactly.
const OF_ARCHIVE: u64 = 1 << 51;

/// Queries the archive if the node does not know the item, or has forgotten it.
pub(super) async fn forgotten(State(behind): State<Option<Arc<Behind>>>, request: Request, next: Next) -> Response {
    let behind = behind.filter(|_| *request.method() == Method::GET);
    let Some(behind) = behind else { return next.run(request).await };
    let uri = request.uri().clone();
    if let Some(from) = from(&uri).and_then(|from| from.checked_sub(OF_ARCHIVE)) {
        return continued(&behind, &uri, from).await.unwrap_or_else(ApiError::into_response);
    }
    let response = next.run(request).await;
    if let Some(older) = response.extensions().get::<Older>().copied() {
        return going_on(&behind, &uri, older, response).await;
    }
    if response.extensions().get::<Forgotten>().is_none() {
        return response;
    }
    match behind.answer(asked(uri)).await {
        Ok(answer) => match fields(answer).await {
            Some(fields) => marked(fields),
            None => ApiError::Stopping.into_response(),
        },
        // While the archive is unreachable, "unknown" may be wrong.
        Err(away @ (ApiError::Archive(_) | ApiError::ArchiveEmpty)) if !response.status().is_success() => {
            away.into_response()
        }
        Err(_) => response,
    }
}

fn asked(uri: Uri) -> Request {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = uri;
    request
}

/// `from` of a page of a list that may go on in the archive.
fn from(uri: &Uri) -> Option<u64> {
    let path = uri.path().strip_prefix("/api/v1/")?;
    let goes_on = path.starts_with("miners/") || ["blocks", "pool/history", "reorganisations"].contains(&path);
    let mut fields = uri.query().filter(|_| goes_on)?.split('&');
    fields.find_map(|field| field.strip_prefix("from=")).and_then(|from| from.parse().ok())
}

/// A page of a list from the archive.
async fn continued(behind: &Behind, uri: &Uri, from: u64) -> Result<Response, ApiError> {
    let others =
        uri.query().unwrap_or_default().split('&').filter(|field| !field.starts_with("from=") && !field.is_empty());
    let query = others.fold(format!("from={from}"), |query, field| format!("{query}&{field}"));
    let uri = format!("{}?{query}", uri.path()).parse().map_err(|_| ApiError::Path)?;
    let mut fields = fields(behind.answer(asked(uri)).await?).await.ok_or(ApiError::Stopping)?;
    if let Some(next) = fields.get("next_from").and_then(Value::as_u64) {
        fields.insert("next_from".to_owned(), json!(OF_ARCHIVE | next));
    }
    Ok(marked(fields))
}

/// The last page of the node's own list, with the number of the archive's next page; the archive's page if the node has
/// nothing.
async fn going_on(behind: &Behind, uri: &Uri, older: Older, response: Response) -> Response {
    // While the archive is unreachable or slow, the list ends where the node's does.
    let next = timeout(ARCHIVE_GOES_ON, behind.goes_on(uri.path(), older)).await;
    let Ok(Ok(Some(next))) = next else { return response };
    let Some(mut fields) = fields(response).await else { return ApiError::Stopping.into_response() };
    let is_empty = |name| fields.get(name).and_then(Value::as_array).is_some_and(Vec::is_empty);
    if ["shares", "payments", "points", "blocks", "reorganisations"].into_iter().any(is_empty)
        && let Ok(answer) = continued(behind, uri, next).await
    {
        return answer;
    }
    fields.insert("next_from".to_owned(), json!(OF_ARCHIVE | next));
    Json(Value::Object(fields)).into_response()
}

async fn fields(answer: Response) -> Option<Map<String, Value>> {
    // Answers are made in memory, so this copies nothing.
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Marks an answer as the archive's.
fn marked(mut fields: Map<String, Value>) -> Response {
    fields.insert("source".to_owned(), json!("archive"));
    Json(Value::Object(fields)).into_response()
}
