//! Sockets and their limits. A client that sends half a request or reads half an answer loses its connection.

use std::future::Future;
use std::io::{self, Write};
use std::pin::pin;
use std::sync::Arc;

use axum::http::Method;
use axum::http::header::AUTHORIZATION;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
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
use tracing::{debug, info, warn};

use super::context::{Api, Context};
use super::error::ApiError;
use super::guard::{Client, Guard, guard};
use super::limits::{
    ACCEPT_PAUSE, COMPRESSED_FROM_BYTES, CONNECTION_LIFE, CONNECTIONS_MAX, HEADER_BYTES_MAX, HEADER_FIELDS_MAX,
    HEADER_READ, LAST_ANSWER,
};
use super::paced::Paced;
use super::room::{Room, hold};
use super::slots::Slots;
use super::tag::tag;
use super::{live, metrics, openapi, pages, routes};

/// Answer to a connection that its address has no slot for.
const TOO_MANY: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\nretry-after: 1\r\n\
                          content-type: application/json\r\ncontent-length: 62\r\n\r\n{\"error\":\"too many connections from your address; close some\"}";

/// Serves the API on `listener` until `shutdown` completes, then drops open connections.
///
/// # Errors
/// The listener has no address.
pub async fn serve(listener: TcpListener, context: Context, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let address = listener.local_addr()?;
    let (routes, mut document) = routes().split_for_parts();
    openapi::complete(&mut document, context.config.network.into());
    let document = serde_json::to_string(&document).expect("the document is made of strings");
    let pages = context.config.notify.pages_url.as_ref();
    let guard = Guard::new(address, &context.config.api, pages, context.token);
    let api = Arc::new(Api::new(context, document));
    let slots = Slots::new(&api.context.config.api.trusted_proxies);
    let router = router(routes, Arc::clone(&api), guard);
    info!(%address, "the web pages and the HTTP API are up");
    tokio::select! {
        () = accept(listener, router, slots) => {}
        () = live::run(api) => {}
        () = shutdown => {}
    }
    Ok(())
}

/// The routes with all layers. The last layer sees a request first.
fn router(routes: Router<Arc<Api>>, api: Arc<Api>, rules: Guard) -> Router {
    let large = SizeAbove::new(COMPRESSED_FROM_BYTES).and(NotForContentType::SSE);
    let origins = api.context.config.api.cors_origins.clone();
    let routes = routes
        // Where Prometheus looks by default.
        .route("/metrics", get(metrics::metrics))
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
    routes.layer(from_fn_with_state(rules, guard)).with_state(api)
}

/// Accepts connections forever. Dropping the future drops them.
async fn accept(listener: TcpListener, router: Router, by_host: Slots) {
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
            // What the socket does not take at once is lost; the client is told by the end of the connection.
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
    // Answers should leave at once. A connection works without it, so errors are ignored.
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
