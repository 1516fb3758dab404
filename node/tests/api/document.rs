//! Compares the OpenAPI document with the answers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::archived::{Archived, pool};
use crate::pool::{Pool, miner};
use crate::server::Api;

/// Paths of a document, sorted.
fn paths(document: &Value) -> Vec<&str> {
    let mut paths: Vec<_> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    paths.sort_unstable();
    paths
}

#[tokio::test]
async fn it_lists_every_route() {
    let api = Api::of(Pool::new()).await;
    let document = api.get("/openapi.json").await;
    let expected = [
        "/api/v1/badge.svg",
        "/api/v1/bans",
        "/api/v1/blocks",
        "/api/v1/blocks.atom",
        "/api/v1/blocks/{hash}",
        "/api/v1/blocks/{hash}/proof",
        "/api/v1/counts",
        "/api/v1/devices",
        "/api/v1/events",
        "/api/v1/graph",
        "/api/v1/job",
        "/api/v1/links",
        "/api/v1/links/{id}",
        "/api/v1/log",
        "/api/v1/metrics",
        "/api/v1/miners/{address}",
        "/api/v1/miners/{address}/history",
        "/api/v1/miners/{address}/payments",
        "/api/v1/miners/{address}/shares",
        "/api/v1/mining",
        "/api/v1/openapi.json",
        "/api/v1/pair",
        "/api/v1/peers",
        "/api/v1/pool",
        "/api/v1/pool/history",
        "/api/v1/power",
        "/api/v1/reorganisations",
        "/api/v1/search",
        "/api/v1/shares/{id}",
        "/api/v1/status",
        "/api/v1/window",
        "/health",
        "/ready",
    ];
    assert_eq!(paths(&document), expected);
    check_verbs(&document);
}

fn check_verbs(document: &Value) {
    for (path, item) in document["paths"].as_object().unwrap() {
        let verbs: Vec<_> = item.as_object().unwrap().keys().collect();
        let expected: &[&str] = match path.as_str() {
            "/api/v1/bans" | "/api/v1/peers" | "/api/v1/power" => &["delete", "get", "post"],
            "/api/v1/pair" => &["post"],
            _ => &["get"],
        };
        assert_eq!(verbs, expected, "{path}");
        let get = &item[expected[expected.len().saturating_sub(2)]];
        assert!(get["summary"].is_string() || get["description"].is_string(), "{path} has no words");
        for parameter in get["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{path}: {parameter}");
        }
    }
}

/// What OpenAPI validators require beyond its JSON schema. testnet/pages/test_api.py checks the document against that
/// schema.
#[tokio::test]
async fn operations_have_unique_ids_tags_and_examples_and_all_references_lead_somewhere() {
    let api = Api::of(Pool::new()).await;
    check_operations(&api.get("/openapi.json").await);
}

fn check_operations(document: &Value) {
    assert_eq!(document["servers"][0]["url"], "/");
    let tags: BTreeSet<_> = document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).map(text).collect();
    let (mut ids, mut used) = (BTreeSet::new(), BTreeSet::new());
    for (path, item) in document["paths"].as_object().unwrap() {
        for (verb, operation) in item.as_object().unwrap() {
            assert!(ids.insert(text(&operation["operationId"])), "{verb} {path} has the id of another operation");
            let own: Vec<_> =
                operation["tags"].as_array().unwrap_or_else(|| panic!("{path} has no tag")).iter().collect();
            assert!(matches!(&own[..], [tag] if tags.contains(text(tag))), "{path}: {own:?}");
            used.insert(text(own[0]));
            let parameters: Vec<_> = operation["parameters"].as_array().into_iter().flatten().collect();
            for parameter in &parameters {
                assert!(!parameter["example"].is_null(), "{verb} {path}: {parameter} has no example");
            }
            let in_path = parameters.iter().filter(|one| one["in"] == "path").map(|one| text(&one["name"]));
            let named = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
            assert_eq!(in_path.collect::<Vec<_>>(), named.collect::<Vec<_>>(), "{path}");
            for status in ["401", "429", "503"] {
                assert!(operation["responses"][status]["headers"].is_object(), "{verb} {path}: {status} has no header");
            }
        }
    }
    assert_eq!(used, tags);
    let mut references = Vec::new();
    collect_references(document, &mut references);
    assert!(references.len() > 100);
    for reference in references {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn collect_references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| collect_references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_field_is_documented() {
    let api = Api::of(Pool::new()).await;
    check_fields(&api.get("/openapi.json").await);
}

fn check_fields(document: &Value) {
    let mut fields = 0;
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(schema["description"].is_string(), "{name} has no words");
        for part in parts(schema) {
            for (field, shape) in part["properties"].as_object().into_iter().flatten() {
                fields += 1;
                let words = &inner(shape)["description"];
                assert!(shape["description"].is_string() || words.is_string(), "{name}.{field} has no words: {shape}");
            }
        }
    }
    assert!(fields > 100, "{fields} fields only");
}

/// A schema, or the schemas that it combines.
fn parts(schema: &Value) -> Vec<&Value> {
    let composed = schema["allOf"].as_array().into_iter().flatten();
    composed.chain([schema]).collect()
}

/// The fields of a schema, including those of the schemas that it combines.
fn fields<'a>(schemas: &'a Value, schema: &'a Value) -> BTreeMap<&'a str, &'a Value> {
    if let Some(name) = schema["$ref"].as_str() {
        return fields(schemas, &schemas[name.rsplit('/').next().unwrap()]);
    }
    let own = schema["properties"].as_object().into_iter().flatten().map(|(name, shape)| (name.as_str(), shape));
    let included = schema["allOf"].as_array().into_iter().flatten().flat_map(|part| fields(schemas, part));
    own.chain(included).collect()
}

/// The schema of a field, without `null`, and of the items if it is a list.
fn inner(shape: &Value) -> &Value {
    if let Some(choices) = shape["oneOf"].as_array() {
        return choices.iter().find(|choice| choice["type"] != "null").map_or(shape, inner);
    }
    if shape["items"].is_object() { inner(&shape["items"]) } else { shape }
}

fn compare(schemas: &Value, schema: &Value, answer: &Value, at: &str) {
    match answer {
        Value::Array(items) => items.iter().for_each(|item| compare(schemas, schema, item, at)),
        Value::Object(object) => {
            let known = fields(schemas, schema);
            let names: Vec<_> = object.keys().map(String::as_str).collect();
            assert_eq!(names, known.keys().copied().collect::<Vec<_>>(), "{at}");
            for (name, value) in object {
                compare(schemas, inner(known[name.as_str()]), value, &format!("{at}.{name}"));
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn answers_have_the_fields_of_their_schema() {
    let mut pool = Pool::new();
    let ids: Vec<_> = (0..12).map(|number| pool.link(&miner(number % 3))).collect();
    let api = Api::of(pool).await;
    let document = api.get("/openapi.json").await;
    let schemas = &document["components"]["schemas"];
    let address = bitcoin::Address::from_script(&miner(1), bitcoin::Network::Signet).unwrap();
    for (path, route) in [
        ("/status".to_owned(), "/status"),
        ("/links".to_owned(), "/links"),
        (format!("/links/{}", ids[3]), "/links/{id}"),
        (format!("/shares/{}", ids[3]), "/shares/{id}"),
        (format!("/miners/{address}"), "/miners/{address}"),
        ("/window".to_owned(), "/window"),
        ("/blocks".to_owned(), "/blocks"),
        (format!("/blocks/{}", ids[11]), "/blocks/{hash}"),
        ("/peers".to_owned(), "/peers"),
        ("/mining".to_owned(), "/mining"),
    ] {
        compare(schemas, answer_of(&document, route), &api.get(&path).await, route);
    }
}

/// The schema of a route's answer.
fn answer_of<'a>(document: &'a Value, route: &str) -> &'a Value {
    &document["paths"][format!("/api/v1{route}")]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
}

/// An explorer's document is put together from the node's words: it lists what an explorer serves, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn an_explorers_document_is_of_what_it_serves() {
    let (mut pool, ids) = pool();
    let archived = Archived::of(&mut pool).await;
    let document = archived.get("/openapi.json").await;
    check_verbs(&document);
    check_operations(&document);
    check_fields(&document);
    let api = Api::of(pool).await;
    let of_node = api.get("/openapi.json").await;
    let only_nodes =
        ["bans", "devices", "job", "mining", "pair", "peers", "power"].map(|path| format!("/api/v1/{path}"));
    let expected = paths(&of_node).into_iter().filter(|path| !only_nodes.iter().any(|only| only == path));
    assert_eq!(paths(&document), expected.collect::<Vec<_>>());
    let text = document.to_string();
    assert!(
        !text.contains("\"token\"") && !text.contains("\"410\""),
        "there is no owner's part, and nothing is pruned"
    );

    let block = archived.get("/blocks").await["blocks"][0]["hash"].as_str().unwrap().to_owned();
    let address = bitcoin::Address::from_script(&miner(1), bitcoin::Network::Signet).unwrap().to_string();
    let schemas = &document["components"]["schemas"];
    for route in paths(&document) {
        let asked = route.replace("{id}", &ids[1].to_string()).replace("{hash}", &block).replace("{address}", &address);
        let asked = match route {
            "/api/v1/search" => format!("{asked}?q={}", ids[1]),
            "/api/v1/blocks/{hash}/proof" => format!("{asked}?address={address}"),
            _ => asked,
        };
        let answer = archived.ask(&asked).await;
        let (wanted, known) = (answer.status().as_u16().to_string(), &document["paths"][route]["get"]["responses"]);
        assert!(known[&wanted].is_object(), "{asked}: {wanted}");
        let schema = &known[&wanted]["content"]["application/json"]["schema"];
        if schema.is_object() && route != "/api/v1/openapi.json" {
            let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            compare(schemas, schema, &answer, route);
        }
    }
}
