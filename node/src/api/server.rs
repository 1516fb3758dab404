//! Serves the API of a node.

use std::future::Future;
use std::io;
use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use axum::routing::get;
use tokio::net::TcpListener;
use tracing::info;

use super::context::{Api, Context};
use super::explorer::Behind;
use super::forgotten::forgotten;
use super::guard::Guard;
use super::slots::Slots;
use super::sockets::{accept, layered};
use super::{live, metrics, openapi, routes};

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
    // Prometheus's default path.
    let routes = routes.route("/metrics", get(metrics::metrics));
    let behind = Behind::of(&api.context.config, api.chain().params()).map(Arc::new);
    let routes = routes.layer(from_fn_with_state(behind, forgotten));
    let origins = api.context.config.api.cors_origins.clone();
    let router = layered(routes, Arc::clone(&api), guard, origins);
    info!(%address, "the web pages and the HTTP API are up");
    tokio::select! {
        () = accept(listener, router, slots) => {}
        () = live::run(api) => {}
        () = shutdown => {}
    }
    Ok(())
}
