//! The web application, whose files are part of the program.
//!
//! ```text
//! joined.rs   the modules of a page as one file
//! ```

mod joined;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bitcoin::hashes::{Hash, HashEngine, sha256};
use bitcoin::hex::DisplayHex;
use rust_embed::RustEmbed;

use super::error::ApiError;
use joined::{FOLDER, FRAME, is_library, join, later, with_imports};

/// Content security policy: a page may load from this node only.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'; object-src 'none'";

/// The page of the application, which reads the path itself.
const INDEX: &str = "index.html";

/// Prefix of API paths, which are never answered with a page.
const API: &str = "/api/";

/// Module of a path without a page.
const MISSING: &str = "missing";

/// First parts of the paths that have a page, with its module for that part alone and for a longer path. main.js has the
/// same list.
const PAGES: [(&str, &str, &str); 12] = [
    ("", "home", MISSING),
    ("chain", "chain", MISSING),
    ("links", "chain", "link"),
    ("shares", "search", "share"),
    ("miners", "miners", "miner"),
    ("job", "job", MISSING),
    ("blocks", "blocks", "block"),
    ("peers", "peers", MISSING),
    ("calculator", "calculator", MISSING),
    ("log", "log", MISSING),
    ("search", "search", MISSING),
    ("api", "api_docs", MISSING),
];

/// The end of the list of modules that the application's page loads at once.
const MODULES_END: &str = "  </template>";

/// Module with which the library for charts comes, and what preloads that.
const CHART: &str = "js/chart.js";
const CHART_LIBRARY: &str = "  <link rel=\"preload\" as=\"script\" href=\"/vendor/uplot/uPlot.iife.min.js\">\n  \
                             <link rel=\"preload\" as=\"style\" href=\"/vendor/uplot/uPlot.min.css\">\n";

/// For files whose path changes with every build: browsers keep them without revalidation.
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
    JOINED.values().for_each(|file| files.input(file.as_bytes()));
    let hash = sha256::Hash::from_engine(files).to_byte_array();
    format!("@{}", hash.split_at(BUILD_BYTES).0.to_lower_hex_string())
});

/// The joined files, by the path of their first module: the frame, and what a module imports when a reader asks for it.
static JOINED: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let modules = Web::iter().filter(|name| name.ends_with(".js") && !is_library(name));
    let starts = modules.flat_map(|name| later(&name, &source)).chain([FRAME.to_owned()]);
    starts.map(|start| (start.clone(), join(&start, &source))).collect()
});

/// The application's page by the module of its content. It names all files that this module needs, so that browsers ask for
/// everything at once. Otherwise they find each file only in the one before.
static INDEXES: LazyLock<BTreeMap<&'static str, String>> = LazyLock::new(|| {
    let (index, frame) = (source(INDEX), with_imports(FRAME, &source));
    let with = |module: &str| {
        let page = format!("js/pages/{module}.js");
        let needed = with_imports(&page, &source);
        let libraries = needed.difference(&frame).filter(|path| is_library(path)).cloned();
        let files = [format!("{FOLDER}{page}")].into_iter().chain(libraries);
        let modules: String = files.map(|file| format!("  <link rel=\"modulepreload\" href=\"/{file}\">\n")).collect();
        let chart = if needed.contains(CHART) { CHART_LIBRARY } else { "" };
        of_this_build(&index.replacen(MODULES_END, &format!("{modules}{chart}{MODULES_END}"), 1))
    };
    PAGES.iter().flat_map(|(_, all, one)| [*all, *one]).map(|module| (module, with(module))).collect()
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
    match file(name) {
        Some(data) if build == Some(BUILD.as_str()) => {
            ([(header::CACHE_CONTROL, HeaderValue::from_static(KEPT))], answer(name, data)).into_response()
        }
        Some(data) => answer(name, data),
        // A path with a dot in its last part is a file, and a missing file is an error.
        None if build.is_some() || name.rsplit('/').next().is_some_and(|last| last.contains('.')) => {
            ApiError::Path.into_response()
        }
        None => {
            let module = module_of(name);
            let status = if module.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
            match INDEXES.get(module.unwrap_or(MISSING)) {
                Some(index) => (status, answer(INDEX, index.as_bytes().into())).into_response(),
                None => ApiError::Path.into_response(),
            }
        }
    }
}

/// The page with the paths of this build's files.
fn of_this_build(index: &str) -> String {
    let own = |page: String, files: &str| page.replace(&format!("\"/{files}"), &format!("\"/{}/{files}", *BUILD));
    [FOLDER, "js/", "vendor/", "app.css", "favicon.svg"].into_iter().fold(index.to_owned(), own)
}

/// The module of the page at a path; none if its first part has no page.
fn module_of(name: &str) -> Option<&'static str> {
    let mut parts = name.split('/').filter(|part| !part.is_empty());
    let first = parts.next().unwrap_or_default();
    let (_, all, one) = *PAGES.iter().find(|(page, ..)| *page == first)?;
    Some(match (parts.next(), parts.next()) {
        (None, _) => all,
        (Some(_), None) => one,
        _ => MISSING,
    })
}

/// The text of a file; empty if there is none.
fn source(name: &str) -> String {
    Web::get(name).map(|file| String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_default()
}

/// A file of the application, or a joined one.
fn file(name: &str) -> Option<Cow<'static, [u8]>> {
    let joined = name.strip_prefix(FOLDER).and_then(|start| JOINED.get(start));
    joined.map(|text| Cow::Borrowed(text.as_bytes())).or_else(|| Web::get(name).map(|file| file.data))
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
