//! The process of an explorer.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use archive::read::Archive;
use archive::{ArchiveError, ArchiveUrl};
use axum::routing::get;
use sharechain::ChainParams;
use tokio::net::TcpListener;
use tracing::info;

use super::absent::{elsewhere, metrics};
use super::state::View;
use super::{document, follow, routes};
use crate::api::guard::Guard;
use crate::api::slots::Slots;
use crate::api::sockets::{accept, layered};
use crate::api::token::Token;
use crate::config::Config;

/// The configuration of an explorer.
#[derive(Debug)]
pub struct Explorer {
    /// The settings of the API.
    pub config: Arc<Config>,
    /// The pool.
    pub params: ChainParams,
    /// The database.
    pub archive: ArchiveUrl,
}

impl Explorer {
    fn view(self) -> View {
        let document = document::text(self.config.network.into());
        let archive = Archive::new(self.archive, &self.params);
        View::new(self.config, self.params, archive, document)
    }

    /// Serves on `listener` until `shutdown` completes, then drops open connections.
    ///
    /// # Errors
    /// The listener has no address.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let address = listener.local_addr()?;
        // Everything here is public, so requests may use any host name.
        let by_any_name = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port());
        let guard = Guard::new(by_any_name, &self.config.api, None, Token::none());
        let slots = Slots::new(&self.config.api.trusted_proxies);
        let origins = self.config.api.cors_origins.clone();
        let view = Arc::new(self.view());
        let (routes, _) = routes().split_for_parts();
        let routes = routes.route("/metrics", get(metrics)).route("/api/v1/{*path}", get(elsewhere));
        let router = layered(routes, Arc::clone(&view), guard, origins);
        info!(%address, "the explorer is up");
        tokio::select! {
            () = accept(listener, router, slots) => {}
            () = follow::follow(view) => {}
            () = shutdown => {}
        }
        Ok(())
    }
}

/// Checks that the archive belongs to this pool and can be read.
///
/// # Errors
/// The archive belongs to another pool, has another version, is empty, or cannot be reached.
pub async fn check(url: &ArchiveUrl, params: &ChainParams) -> Result<(), ArchiveError> {
    Archive::new(url.clone(), params).lowest().await.map(drop)
}
