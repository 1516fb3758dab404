//! The OpenAPI document, generated from the handlers.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use bitcoin::hashes::Hash;
use bitcoin::{Address, Network, ScriptBuf, WPubkeyHash};
use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::Ref;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::server::ServerBuilder;
use utoipa::openapi::tag::TagBuilder;
use utoipa::{Modify, OpenApi, PartialSchema};

use super::context::Api;

#[derive(OpenApi)]
#[openapi(info(
    title = "Shoal node",
    description = "API of one node, which only reads except for bans, added peers and the switch for power. Field names end in their unit: _s seconds, _unix_s seconds since 1970, \
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

/// Answers that every route may give in addition to its own, from the layers around the handlers, with an example of the
/// sentence in it.
const COMMON: [(&str, &str, &str); 7] = [
    ("304", "Not modified: the client's ETag matches", ""),
    ("401", "The request carries a bearer token that is not this node's", "this token is not this node's"),
    ("403", "The request's host is not one that this API answers to", "this API does not answer to this name"),
    ("413", "The request has a body", "this API accepts no request bodies"),
    ("429", "The client sent too many requests", "too many requests; wait 1 s and try again"),
    ("500", "The database cannot be read", "the node's database cannot be read; see its log"),
    ("503", "The node is stopping, or too busy", "the node is too busy to answer now; try again"),
];

/// Groups of routes, by the first part of their paths, each with what it is about.
const TAGS: [(&str, &str, &[&str]); 5] = [
    (
        "pool",
        "The pool: hashrate, round, PPLNS window, and the Bitcoin blocks it found",
        &["pool", "window", "blocks", "job", "counts", "blocks.atom", "badge.svg"],
    ),
    ("miners", "Miners, by payout address, and how to connect one", &["miners", "mining", "devices", "power"]),
    ("chain", "The share-chain: links, shares and reorganizations", &["links", "shares", "graph", "reorganisations"]),
    (
        "node",
        "This node: state, events, metrics, and this document",
        &["status", "log", "events", "search", "metrics", "openapi.json", "health", "ready", "pair"],
    ),
    ("network", "Connections to other nodes, and bans", &["peers", "bans"]),
];

/// Bitcoin's first block: a hash that every network's explorer knows how to write.
const HASH: &str = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f";

/// Public key hash of BIP-173's example addresses.
const KEY_HASH: [u8; 20] = [
    0x75, 0x1e, 0x76, 0xe8, 0x19, 0x91, 0x96, 0xd4, 0x54, 0x94, 0x1c, 0x45, 0xd1, 0xb3, 0xa3, 0x23, 0xf1, 0x43, 0x3b,
    0xd6,
];

/// Completes what the handlers do not say: the server, tags, unique operation ids, examples, and the answers of the layers
/// around the handlers.
pub(super) fn complete(document: &mut utoipa::openapi::OpenApi, network: Network) {
    let server = ServerBuilder::new().url("/").description(Some("This node"));
    document.servers = Some(vec![server.build()]);
    let tags = TAGS.map(|(name, about, _)| TagBuilder::new().name(name).description(Some(about)).build());
    document.tags = Some(tags.into());
    let address = example_address(network);
    for (path, item) in &mut document.paths.paths {
        let operations = [("get", &mut item.get), ("post", &mut item.post), ("delete", &mut item.delete)];
        for (method, operation) in
            operations.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
        {
            operation.operation_id = Some(operation_id(method, path));
            operation.tags = tag(path).map(|tag| vec![tag.to_owned()]);
            for parameter in operation.parameters.iter_mut().flatten() {
                if let RefOr::T(known) = parameter {
                    let name = match &known.name[..] {
                        _ if path.ends_with("/peers") => "peer",
                        "what" if path.ends_with("/power") => "switch",
                        name => name,
                    };
                    let example = example(name, &address);
                    *parameter = RefOr::T(ParameterBuilder::from(known.clone()).example(Some(example)).build());
                }
            }
            add_common(operation);
        }
    }
}

/// Unique because no two operations have the same method and path.
fn operation_id(method: &str, path: &str) -> String {
    let parts = path.trim_start_matches("/api/v1").trim_start_matches('/').split('/').map(|part| {
        match part.strip_prefix('{') {
            Some(name) => format!("by_{}", name.trim_end_matches('}')),
            None => part.replace('.', "_"),
        }
    });
    std::iter::once(method.to_owned()).chain(parts).collect::<Vec<_>>().join("_")
}

fn tag(path: &str) -> Option<&'static str> {
    let first = path.trim_start_matches("/api/v1").trim_start_matches('/').split('/').next()?;
    TAGS.iter().find(|(_, _, firsts)| firsts.contains(&first)).map(|(name, _, _)| *name)
}

fn example_address(network: Network) -> String {
    let script = ScriptBuf::new_p2wpkh(&WPubkeyHash::from_byte_array(KEY_HASH));
    Address::from_script(&script, network).map_or_else(|_| String::new(), |address| address.to_string())
}

fn example(name: &str, address: &str) -> Value {
    match name {
        "address" | "q" => json!(address),
        "id" | "hash" => json!(HASH),
        "peer" => json!("/dns4/node.example/tcp/3381"),
        "switch" => json!("pause"),
        "workers" => json!("rig1,rig2"),
        "run_percent" => json!(50),
        "step" => json!(3600),
        "limit" | "links" => json!(10),
        "what" => json!("192.0.2.0/24"),
        "for_s" => json!(86_400),
        "reason" => json!("floods this node"),
        "last-event-id" => json!("1"),
        "shoal-pairing-code" => json!("00112233445566778899aabbccddeeff"),
        _ => json!(100),
    }
}

/// Adds the common answers to an operation.
fn add_common(operation: &mut Operation) {
    for (status, words, sentence) in COMMON {
        let response = ResponseBuilder::new().description(words);
        let response = if sentence.is_empty() {
            response
        } else {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("ErrorBody")));
            response.content("application/json", content.example(Some(json!({ "error": sentence }))).build())
        };
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| response.build().into());
    }
    for (status, name, about) in [
        ("401", "WWW-Authenticate", "How to send the token"),
        ("429", "Retry-After", "Seconds to wait"),
        ("503", "Retry-After", "Seconds to wait; absent while the node is stopping"),
    ] {
        if let Some(RefOr::T(response)) = operation.responses.responses.get_mut(status) {
            let header = HeaderBuilder::new().description(Some(about)).schema(Some(String::schema()));
            response.headers.insert(name.to_owned(), RefOr::T(header.build()));
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
