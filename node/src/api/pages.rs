//! The web application: files that are part of the program.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::error::ApiError;

/// What a page may load, and from where: this node, and nothing else.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'; object-src 'none'";

/// The page that is the application; it reads the path itself.
const INDEX: &str = "index.html";

/// Paths that programs use: never answered with a page.
const API: &str = "/api/";

#[derive(RustEmbed)]
#[folder = "web/"]
struct Web;

/// The file at a path; the application for every path without one, since each of its pages has a path of its own.
pub(super) async fn page(uri: Uri) -> Response {
    let path = uri.path();
    if path.starts_with(API) {
        return ApiError::Path.into_response();
    }
    let name = path.trim_start_matches('/');
    match Web::get(name) {
        Some(file) => answer(name, file),
        // A file that is missing is an error; a page's path has no dot in its last part.
        None if name.rsplit('/').next().is_some_and(|last| last.contains('.')) => ApiError::Path.into_response(),
        None => match Web::get(INDEX) {
            Some(file) => answer(INDEX, file),
            None => ApiError::Path.into_response(),
        },
    }
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
