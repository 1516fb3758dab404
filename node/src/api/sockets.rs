//! Sockets and their limits, and the layers around all routes. A client that sends half a request or reads half an answer
//! loses its connection.

use std::io::Write;
use std::pin::pin;
use std::sync::Arc;

use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderValue, Method};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tracing::{debug, warn};

use super::error::ApiError;
use super::guard::{Client, Guard, guard};
use super::limits::{
    ACCEPT_PAUSE, COMPRESSED_FROM_BYTES, CONNECTION_LIFE, CONNECTIONS_MAX, HEADER_BYTES_MAX, HEADER_FIELDS_MAX,
    HEADER_READ, LAST_ANSWER,
};
use super::paced::Paced;
use super::pages;
use super::room::{Room, hold};
use super::slots::Slots;
use super::tag::tag;

/// Answer to a connection that its address has no slot for.
const TOO_MANY: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\nretry-after: 1\r\n\
                          content-type: application/json\r\ncontent-length: 62\r\n\r\n{\"error\":\"too many connections from your address; close some\"}";

/// The routes with all layers and the pages. The last layer sees a request first.
pub(super) fn layered<S: Clone + Send + Sync + 'static>(
    routes: Router<S>,
    state: S,
    rules: Guard,
    origins: Vec<HeaderValue>,
) -> Router {
    let large = SizeAbove::new(COMPRESSED_FROM_BYTES).and(NotForContentType::SSE);
    let routes = routes
        .fallback(pages::page)
        .method_not_allowed_fallback(|| async { ApiError::Method })
        .layer(from_fn(tag))
        .layer(from_fn_with_state(Room::default(), hold))
        .layer(CompressionLayer::new().compress_when(large));
    let routes = if origins.is_empty() {
        routes
    } else {
        let origins = CorsLayer::new().allow_origin(AllowOrigin::list(origins));
        routes.layer(origins.allow_methods([Method::GET]).allow_headers([AUTHORIZATION]))
    };
    routes.layer(from_fn_with_state(rules, guard)).with_state(state)
}

/// Accepts connections forever. Dropping the future drops them.
pub(super) async fn accept(listener: TcpListener, router: Router, by_host: Slots) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let slot = Arc::clone(&slots).acquire_owned().await.expect("the semaphore is never closed");
        let (stream, from) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%error, "the API cannot accept a connection");
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            },
            Some(_) = connections.join_next() => continue,
        };
        let Some(own) = by_host.take(from.ip()) else {
            debug!(%from, "too many API connections from one address");
            // Anything the socket does not accept immediately is lost; closing the connection is the message.
            let _ = stream.into_std().and_then(|mut stream| stream.write(TOO_MANY));
            continue;
        };
        let router = router.clone().layer(Extension(Client(from.ip())));
        connections.spawn(async move {
            connection(stream, router).await;
            drop((slot, own));
        });
    }
}

async fn connection(stream: TcpStream, router: Router) {
    // Answers should not wait for more data. A connection works without this option, so errors are ignored.
    let _ = stream.set_nodelay(true);
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_READ)
        .max_buf_size(HEADER_BYTES_MAX)
        .max_headers(HEADER_FIELDS_MAX);
    let mut served = pin!(builder.serve_connection(TokioIo::new(Paced::new(stream)), TowerToHyperService::new(router)));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = sleep(CONNECTION_LIFE) => {
            // An answer on its way may still arrive; then the client reconnects.
            served.as_mut().graceful_shutdown();
            timeout(LAST_ANSWER, served).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        debug!(%error, "an API connection ended early");
    }
}
