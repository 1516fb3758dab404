//! The web application, whose files are part of the program.

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::error::ApiError;

/// Content security policy: a page may load from this node only.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'; object-src 'none'";

/// The page of the application, which reads the path itself.
const INDEX: &str = "index.html";

/// Prefix of API paths, which are never answered with a page.
const API: &str = "/api/";

/// First parts of the paths that have a page; `/` has one, too. main.js has the same list.
const PAGES: [&str; 11] =
    ["chain", "job", "links", "shares", "miners", "blocks", "peers", "calculator", "log", "search", "api"];

#[derive(RustEmbed)]
#[folder = "web/"]
struct Web;

/// Returns the file at a path, or the application for a path without a file: each page of the application has its own
/// path. For a path without a page, the application says so, and the status is 404.
pub(super) async fn page(method: Method, uri: Uri) -> Response {
    if !matches!(method, Method::GET | Method::HEAD) {
        return ApiError::Method.into_response();
    }
    let path = uri.path();
    if path.starts_with(API) {
        return ApiError::Path.into_response();
    }
    let name = path.trim_start_matches('/');
    match Web::get(name) {
        Some(file) => answer(name, file),
        // A path with a dot in its last part is a file, and a missing file is an error.
        None if name.rsplit('/').next().is_some_and(|last| last.contains('.')) => ApiError::Path.into_response(),
        None => match Web::get(INDEX) {
            Some(file) if is_page(name) => answer(INDEX, file),
            Some(file) => (StatusCode::NOT_FOUND, answer(INDEX, file)).into_response(),
            None => ApiError::Path.into_response(),
        },
    }
}

fn is_page(name: &str) -> bool {
    let first = name.split('/').next().unwrap_or_default();
    first.is_empty() || PAGES.contains(&first)
}

fn answer(name: &str, file: EmbeddedFile) -> Response {
    let kind = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    (StatusCode::OK, headers, Body::from(file.data)).into_response()
}
