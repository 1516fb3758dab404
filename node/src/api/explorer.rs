//! The pages and the public part of the API from an archive alone: `shoal explorer`. An explorer has no miners, no peers, no
//! bitcoind and no share-chain in memory, so any number of these processes can serve one address.
//!
//! ```text
//! serve.rs     the process: sockets, routes, and the task that follows the archive
//! state.rs     the state that handlers share
//! follow.rs    reads new rows when the database notifies, and sends them to readers
//! now.rs       the part of answers that depends on the newest links, computed once per tip
//! window.rs    the PPLNS window, moved link by link
//! bitcoin.rs   Bitcoin's best chain
//! effort.rs    the effort of each block of the pool
//! sums.rs      cached sums by time
//! document.rs  the OpenAPI document
//! behind.rs    answers for a node that has forgotten something
//! status.rs, steps.rs, chain.rs, shares.rs, miners.rs, blocks.rs, search.rs, absent.rs   routes
//! ```
//!
//! The types of answers are those of the node.

mod absent;
mod behind;
mod bitcoin;
mod blocks;
mod chain;
mod document;
mod effort;
mod follow;
mod miners;
mod now;
mod search;
mod serve;
mod shares;
mod state;
mod status;
mod steps;
mod sums;
mod window;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use behind::Behind;
pub use serve::{Explorer, check};

use super::{live, openapi};
use state::View;

/// All routes, with their OpenAPI document.
fn routes() -> OpenApiRouter<Arc<View>> {
    OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(status::status))
        .routes(routes!(status::pool))
        .routes(routes!(steps::history))
        .routes(routes!(status::window))
        .routes(routes!(status::counts))
        .routes(routes!(status::badge))
        .routes(routes!(chain::links))
        .routes(routes!(chain::link))
        .routes(routes!(chain::graph))
        .routes(routes!(chain::reorganisations))
        .routes(routes!(shares::share))
        .routes(routes!(miners::miner))
        .routes(routes!(steps::miner_history))
        .routes(routes!(miners::shares))
        .routes(routes!(miners::payments))
        .routes(routes!(blocks::blocks))
        .routes(routes!(blocks::block))
        .routes(routes!(blocks::payout_proof))
        .routes(routes!(blocks::feed))
        .routes(routes!(search::search))
        .routes(routes!(live::events))
        .routes(routes!(absent::log))
        .routes(routes!(absent::metrics))
        .routes(routes!(absent::health))
        .routes(routes!(absent::ready))
        .routes(routes!(document::document))
}
