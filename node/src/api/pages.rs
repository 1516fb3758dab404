//! The web application, whose files are part of the program.

use std::borrow::Cow;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::hex::DisplayHex;
use rust_embed::RustEmbed;

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

/// For files whose path changes with every build: browsers keep them without revalidation. A page has about 30.
pub(super) const KEPT: &str = "public, max-age=31536000, immutable";

/// Length of the hash that names a build, bytes.
const BUILD_BYTES: usize = 8;

/// First part of such paths, as in `/@0123456789abcdef/js/main.js`. Modules import each other by relative paths.
static BUILD: LazyLock<String> = LazyLock::new(|| {
    let mut files = sha256::Hash::engine();
    for name in Web::iter() {
        files.input(name.as_bytes());
        files.input(&Web::get(&name).map(|file| file.metadata.sha256_hash()).unwrap_or_default());
    }
    let hash = sha256::Hash::from_engine(files).to_byte_array();
    format!("@{}", hash.split_at(BUILD_BYTES).0.to_lower_hex_string())
});

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
    // A page that was open during an update still requests files of the earlier build.
    let (build, name) = match name.split_once('/') {
        Some((build, name)) if build.starts_with('@') => (Some(build), name),
        _ => (None, name),
    };
    match Web::get(name) {
        Some(file) if build == Some(BUILD.as_str()) => {
            ([(header::CACHE_CONTROL, HeaderValue::from_static(KEPT))], answer(name, file.data)).into_response()
        }
        Some(file) => answer(name, file.data),
        // A path with a dot in its last part is a file, and a missing file is an error.
        None if build.is_some() || name.rsplit('/').next().is_some_and(|last| last.contains('.')) => {
            ApiError::Path.into_response()
        }
        None => match Web::get(INDEX) {
            Some(file) if is_page(name) => answer(INDEX, of_this_build(&file.data)),
            Some(file) => (StatusCode::NOT_FOUND, answer(INDEX, of_this_build(&file.data))).into_response(),
            None => ApiError::Path.into_response(),
        },
    }
}

/// The page with the paths of this build's files.
fn of_this_build(index: &[u8]) -> Cow<'static, [u8]> {
    let page = String::from_utf8_lossy(index).into_owned();
    let own = |page: String, files: &str| page.replace(&format!("\"/{files}"), &format!("\"/{}/{files}", *BUILD));
    Cow::Owned(["js/", "vendor/", "app.css"].into_iter().fold(page, own).into_bytes())
}

fn is_page(name: &str) -> bool {
    let first = name.split('/').next().unwrap_or_default();
    first.is_empty() || PAGES.contains(&first)
}

fn answer(name: &str, file: Cow<'static, [u8]>) -> Response {
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
    (StatusCode::OK, headers, Body::from(file.into_owned())).into_response()
}
