//! Answers from the archive what the node itself has forgotten, and marks these answers. The node queries the archive
//! for nothing else, and answers as without one while it is down.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::error::{ApiError, Forgotten};
use super::explorer::Behind;

/// Queries the archive if the node does not know the item, or has forgotten it.
pub(super) async fn forgotten(State(behind): State<Option<Arc<Behind>>>, request: Request, next: Next) -> Response {
    let behind = behind.filter(|_| *request.method() == Method::GET);
    let Some(behind) = behind else { return next.run(request).await };
    let asked = Request::builder().uri(request.uri().clone()).body(Body::empty());
    let response = next.run(request).await;
    let is_forgotten = response.extensions().get::<Forgotten>().is_some();
    let Some(asked) = asked.ok().filter(|_| is_forgotten) else { return response };
    match behind.answer(asked).await {
        Ok(answer) => marked(answer).await,
        // While the archive is unreachable, "unknown" may be wrong.
        Err(away @ (ApiError::Archive(_) | ApiError::ArchiveEmpty)) if !response.status().is_success() => {
            away.into_response()
        }
        Err(_) => response,
    }
}

/// Marks an answer as the archive's.
async fn marked(answer: Response) -> Response {
    // Answers are made in memory, so this copies nothing.
    let Ok(bytes) = to_bytes(answer.into_body(), usize::MAX).await else { return ApiError::Stopping.into_response() };
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(mut fields)) => {
            fields.insert("source".to_owned(), json!("archive"));
            Json(Value::Object(fields)).into_response()
        }
        _ => ApiError::Stopping.into_response(),
    }
}
