//! Memory for answers: how many are prepared at a time, and how many bytes wait to be sent.

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::ApiError;
use super::limits::{ANSWERS_KIB_MAX, ANSWERS_MADE_MAX};
use super::tag::is_stream;

/// Room for answers. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Room {
    making: Arc<Semaphore>,
    kib: Arc<Semaphore>,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            making: Arc::new(Semaphore::new(ANSWERS_MADE_MAX)),
            kib: Arc::new(Semaphore::new(ANSWERS_KIB_MAX as usize)),
        }
    }
}

/// An answer that gives its room back once all of it is sent, or its connection ends.
struct Held {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Waits for room before an answer is prepared, and again until it fits among those that wait to be sent. The guard
/// limits the wait.
pub(super) async fn hold(State(room): State<Room>, request: Request, next: Next) -> Response {
    let Ok(_turn) = room.making.acquire().await else { return ApiError::Stopping.into_response() };
    let response = next.run(request).await;
    // Live updates are streamed.
    if response.status() != StatusCode::OK || is_stream(response.headers()) {
        return response;
    }
    let (parts, body) = response.into_parts();
    // Answers are made in memory, so this copies nothing.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return ApiError::Stopping.into_response() };
    let kib = u32::try_from(bytes.len().div_ceil(1_024)).unwrap_or(u32::MAX).min(ANSWERS_KIB_MAX);
    let Ok(held) = Arc::clone(&room.kib).acquire_many_owned(kib).await else {
        return ApiError::Stopping.into_response();
    };
    Response::from_parts(parts, Body::from(Bytes::from_owner(Held { bytes, _room: held })))
}

#[cfg(test)]
mod tests;
