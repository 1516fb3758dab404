//! JSON-RPC over HTTP, like bitcoind's: versions 1.0 and 2.0, batches, status codes.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State as FromState};
use axum::http::{HeaderMap, Response, StatusCode, header};
use axum::routing::post;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::cookie::Cookie;
use super::listener::BoundedListener;
use super::rpc::{RpcFailure, code};
use crate::limits::{RPC_BATCH_MAX, RPC_BODY_BYTES_MAX, RPC_CONNECTIONS_MAX};

/// A handler of calls.
pub(crate) trait Methods: Send + Sync + 'static {
    /// Calls one method.
    fn call(&self, method: &str, params: &Value) -> impl Future<Output = Result<Value, RpcFailure>> + Send;
}

struct Server<M> {
    methods: Arc<M>,
    cookie: Cookie,
}

impl<M> Clone for Server<M> {
    fn clone(&self) -> Self {
        Self { methods: Arc::clone(&self.methods), cookie: self.cookie.clone() }
    }
}

/// Serves until the task is dropped.
pub(crate) async fn serve<M: Methods>(listener: TcpListener, methods: Arc<M>, cookie: Cookie) {
    let wrong_verb = || async { plain(StatusCode::METHOD_NOT_ALLOWED, "JSONRPC server handles only POST requests") };
    let router = Router::new()
        .route("/", post(answer::<M>).fallback(wrong_verb))
        .layer(DefaultBodyLimit::max(RPC_BODY_BYTES_MAX))
        .with_state(Server { methods, cookie });
    let listener = BoundedListener::new(listener, RPC_CONNECTIONS_MAX);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "the embedded Bitcoin's RPC server stopped");
    }
}

async fn answer<M: Methods>(
    FromState(server): FromState<Server<M>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let authorization = headers.get(header::AUTHORIZATION);
    if !authorization.is_some_and(|value| server.cookie.accepts(value.as_bytes())) {
        let mut response = plain(StatusCode::UNAUTHORIZED, "");
        let realm = header::HeaderValue::from_static("Basic realm=\"jsonrpc\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
        return response;
    }
    match serde_json::from_slice(&body) {
        Ok(Value::Array(requests)) => batch(&*server.methods, requests).await,
        Ok(Value::Object(request)) => single(&*server.methods, &request).await,
        Ok(_) => parse_error("Top-level object parse error"),
        Err(_) => parse_error("Parse error"),
    }
}

fn parse_error(message: &str) -> Response<Body> {
    let failure = RpcFailure::new(code::PARSE, message);
    let body = json!({ "result": null, "error": failure.to_json(), "id": null });
    reply(StatusCode::INTERNAL_SERVER_ERROR, &body)
}

async fn single(methods: &impl Methods, request: &Map<String, Value>) -> Response<Body> {
    let outcome = perform(methods, request).await;
    let version_2 = is_version_2(request);
    let status = match &outcome {
        Ok(_) => StatusCode::OK,
        Err(_) if version_2 => StatusCode::OK,
        Err(failure) if failure.code == code::METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
        Err(failure) if failure.code == code::INVALID_REQUEST => StatusCode::BAD_REQUEST,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    if version_2 && !request.contains_key("id") {
        return plain(StatusCode::NO_CONTENT, "");
    }
    reply(status, &envelope(request, outcome))
}

async fn batch(methods: &impl Methods, requests: Vec<Value>) -> Response<Body> {
    if requests.len() > RPC_BATCH_MAX {
        return parse_error("Too many calls in one batch");
    }
    let mut answers = Vec::with_capacity(requests.len());
    for request in requests {
        let empty = Map::new();
        let (fields, outcome) = match &request {
            Value::Object(fields) => (fields, perform(methods, fields).await),
            _ => (&empty, Err(RpcFailure::new(code::INVALID_REQUEST, "Invalid Request object"))),
        };
        if is_version_2(fields) && !fields.contains_key("id") {
            continue;
        }
        answers.push(envelope(fields, outcome));
    }
    reply(StatusCode::OK, &Value::Array(answers))
}

async fn perform(methods: &impl Methods, request: &Map<String, Value>) -> Result<Value, RpcFailure> {
    let invalid = |message| RpcFailure::new(code::INVALID_REQUEST, message);
    let method = request.get("method").ok_or_else(|| invalid("Missing method"))?;
    let method = method.as_str().ok_or_else(|| invalid("Method must be a string"))?;
    methods.call(method, request.get("params").unwrap_or(&Value::Null)).await
}

fn is_version_2(request: &Map<String, Value>) -> bool {
    request.get("jsonrpc").is_some_and(|version| version == "2.0")
}

/// Version 1.0 always has both result and error. Version 2.0 has only one of them.
fn envelope(request: &Map<String, Value>, outcome: Result<Value, RpcFailure>) -> Value {
    let id = request.get("id").cloned().unwrap_or(Value::Null);
    match (is_version_2(request), outcome) {
        (true, Ok(result)) => json!({ "jsonrpc": "2.0", "result": result, "id": id }),
        (true, Err(failure)) => json!({ "jsonrpc": "2.0", "error": failure.to_json(), "id": id }),
        (false, Ok(result)) => json!({ "result": result, "error": null, "id": id }),
        (false, Err(failure)) => json!({ "result": null, "error": failure.to_json(), "id": id }),
    }
}

fn reply(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(format!("{body}\n")));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}
