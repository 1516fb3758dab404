//! The OpenAPI document of an explorer: the node's descriptions of the routes that it has.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use bitcoin::Network;

use super::routes;
use super::state::View;
use crate::api::openapi;

pub(super) use crate::api::openapi::__path_document;

/// Description of the API, instead of the node's.
const ABOUT: &str = "The public API from an archive alone, which only reads. Descriptions are those of a node's API: here, the \
                     node is this explorer, and what it knows is what its archive has. Fields that only a node knows are null. \
                     Field names end in their unit: _s seconds, _unix_s seconds since 1970, _sat satoshi, _hs hashes per second, \
                     _bytes bytes. Hashes are hex as Bitcoin displays them, scripts are hex, 128-bit weights are strings. Every \
                     error is `{\"error\": sentence}`.";

/// The document as JSON.
pub(super) fn text(network: Network) -> String {
    let (_, mut document) = routes().split_for_parts();
    openapi::complete(&mut document, network);
    document.info.title = "Shoal explorer".to_owned();
    document.info.description = Some(ABOUT.to_owned());
    // No route needs the token, and nothing is pruned.
    if let Some(components) = &mut document.components {
        components.security_schemes.clear();
    }
    let mut used = BTreeSet::new();
    for operation in document.paths.paths.values_mut().filter_map(|item| item.get.as_mut()) {
        operation.security = None;
        operation.responses.responses.remove("410");
        used.extend(operation.tags.iter().flatten().cloned());
    }
    if let Some(tags) = &mut document.tags {
        tags.retain(|tag| used.contains(&tag.name));
    }
    serde_json::to_string(&document).expect("the document is made of strings")
}

/// Returns this document.
pub(super) async fn document(State(view): State<Arc<View>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], view.openapi.clone())
}
