//! The document of this API, generated from the handlers.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::Ref;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::Api;

#[derive(OpenApi)]
#[openapi(info(
    title = "Shoal node",
    description = "Read-only API of one node. Units are in the names of the fields: _s seconds, _unix_s seconds since \
                   1970, _sat satoshi, _hs hashes a second, _bytes. Hashes are in hex in the order in which Bitcoin \
                   shows them, scripts in hex, 128-bit weights in strings. Every error is `{\"error\": sentence}`."
), modifiers(&OwnersToken))]
struct Frame;

/// The token in the file `api-token` of the data folder.
struct OwnersToken;

impl Modify for OwnersToken {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

/// The document without its routes.
pub(super) fn frame() -> utoipa::openapi::OpenApi {
    Frame::openapi()
}

/// What every route may answer beside its own: the guard and the tags do, before and behind the handlers.
const COMMON: [(&str, &str); 6] = [
    ("304", "The client has this answer already, by the tag that it sent"),
    ("403", "The request names a host that this API does not answer to"),
    ("413", "The request has a body"),
    ("429", "More requests than one client may make"),
    ("500", "The database cannot be read"),
    ("503", "The node is stopping, or too busy"),
];

/// Adds to every route what all of them may answer.
pub(super) fn complete(document: &mut utoipa::openapi::OpenApi) {
    let error = || ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build();
    for item in document.paths.paths.values_mut() {
        let Some(get) = &mut item.get else { continue };
        for (status, words) in COMMON {
            let response = ResponseBuilder::new().description(words);
            let response = if status == "304" { response } else { response.content("application/json", error()) };
            get.responses.responses.entry(status.to_owned()).or_insert_with(|| response.build().into());
        }
    }
}

/// This document.
#[utoipa::path(
    get, path = "/api/v1/openapi.json",
    responses((status = 200, description = "An OpenAPI document", content_type = "application/json", body = Object))
)]
pub(super) async fn document(State(api): State<Arc<Api>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], api.openapi.clone())
}
