//! ETags (RFC 9110): a client that already has an answer gets 304 instead.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bitcoin::hashes::{Hash, sha256};
use bitcoin::hex::DisplayHex;

use super::error::ApiError;

/// Bytes of a hash that form a tag.
const TAG_BYTES: usize = 8;

/// Tags every complete answer without a cache lifetime of its own. Answers with 304 if the client has it.
pub(super) async fn tag(request: Request, next: Next) -> Response {
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let response = next.run(request).await;
    let says_itself = response.headers().contains_key(header::CACHE_CONTROL);
    if response.status() != StatusCode::OK || says_itself || is_stream(response.headers()) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // Answers are made in memory, so this copies nothing.
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return ApiError::Stopping.into_response() };
    let hash = sha256::Hash::hash(&bytes).to_byte_array();
    let tag = format!("W/\"{}\"", hash.split_at(TAG_BYTES).0.to_lower_hex_string());
    let has_it = known.is_some_and(|known| names(&known, &tag));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    // Browsers may store the answer but must revalidate it. Shared caches may not: some answers depend on the token.
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    parts.headers.append(header::VARY, HeaderValue::from_static("authorization"));
    if has_it {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(header::CONTENT_TYPE);
        parts.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// True for a streamed answer.
pub(super) fn is_stream(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// True if a list of tags contains this one. Weak and strong tags compare equal here.
fn names(known: &HeaderValue, tag: &str) -> bool {
    let strong = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    let Ok(known) = known.to_str() else { return false };
    known.split(',').any(|known| known.trim() == "*" || strong(known) == strong(tag))
}
