//! The OpenAPI document, generated from the handlers.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::Ref;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::context::Api;

#[derive(OpenApi)]
#[openapi(info(
    title = "Shoal node",
    description = "API of one node, which only reads except for bans. Field names end in their unit: _s seconds, _unix_s seconds since 1970, \
                   _sat satoshi, _hs hashes per second, _bytes bytes. Hashes are hex as Bitcoin displays them, scripts \
                   are hex, 128-bit weights are strings. Every error is `{\"error\": sentence}`."
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

/// The document without routes.
pub(super) fn frame() -> utoipa::openapi::OpenApi {
    Frame::openapi()
}

/// Answers that every route may give in addition to its own, from the layers around the handlers.
const COMMON: [(&str, &str); 6] = [
    ("304", "Not modified: the client's ETag matches"),
    ("403", "The request's host is not one that this API answers to"),
    ("413", "The request has a body"),
    ("429", "The client sent too many requests"),
    ("500", "The database cannot be read"),
    ("503", "The node is stopping, or too busy"),
];

/// Adds the common answers to every route.
pub(super) fn complete(document: &mut utoipa::openapi::OpenApi) {
    let error = || ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody"))).build();
    for item in document.paths.paths.values_mut() {
        for operation in [&mut item.get, &mut item.post, &mut item.delete].into_iter().flatten() {
            for (status, words) in COMMON {
                let response = ResponseBuilder::new().description(words);
                let response = if status == "304" { response } else { response.content("application/json", error()) };
                operation.responses.responses.entry(status.to_owned()).or_insert_with(|| response.build().into());
            }
        }
    }
}

/// Returns this OpenAPI document.
#[utoipa::path(
    get, path = "/api/v1/openapi.json",
    responses((status = 200, description = "An OpenAPI document", content_type = "application/json", body = Object))
)]
pub(super) async fn document(State(api): State<Arc<Api>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], api.openapi.clone())
}
