//! `shoal explorer`: the pages and the public part of the API from an archive alone; see `specs/archive.md`.

use std::sync::Arc;

use node_core::sentence;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing::warn;

use crate::api::explorer::{Explorer, check};
use crate::config::Config;
use crate::error::NodeError;

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// No archive is configured, it is another pool's, or the address is in use.
pub(crate) async fn run(mut config: Config) -> Result<(), NodeError> {
    let archive = config.archive.clone().ok_or(NodeError::NoArchive)?;
    let params = config.chain_params();
    if let Err(error) = check(&archive, &params).await {
        if !error.is_away() {
            return Err(error.into());
        }
        warn!(error = sentence(&error), "the archive cannot be reached; the explorer answers once it can");
    }
    // An explorer has no private data, and so no token.
    config.api.public = true;
    let address = config.api.listen;
    let listener = TcpListener::bind(address).await;
    let listener = listener.map_err(|source| NodeError::Listen { what: "the explorer", address, source })?;
    let mut stop = signal(SignalKind::terminate())?;
    let shutdown = async move {
        tokio::select! {
            _ = stop.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    };
    Explorer { config: Arc::new(config), params, archive }.serve(listener, shutdown).await?;
    Ok(())
}
