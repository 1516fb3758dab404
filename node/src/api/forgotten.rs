//! Answers from the node's archive what the node itself has forgotten, marked as such. The archive is not asked for anything
//! else, and while it is away the node answers as without it.

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

/// Asks the archive if the node's answer says that it does not know, or knows no more.
pub(super) async fn forgotten(State(behind): State<Option<Arc<Behind>>>, request: Request, next: Next) -> Response {
    let behind = behind.filter(|_| *request.method() == Method::GET);
    let Some(behind) = behind else { return next.run(request).await };
    let asked = Request::builder().uri(request.uri().clone()).body(Body::empty());
    let response = next.run(request).await;
    let is_forgotten = response.extensions().get::<Forgotten>().is_some();
    let Some(asked) = asked.ok().filter(|_| is_forgotten) else { return response };
    match behind.answer(asked).await {
        Ok(answer) => marked(answer).await,
        // Not known is less than it seems while the archive cannot be asked.
        Err(away @ (ApiError::Archive(_) | ApiError::ArchiveEmpty)) if !response.status().is_success() => {
            away.into_response()
        }
        Err(_) => response,
    }
}

/// Says in an answer where it comes from.
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
