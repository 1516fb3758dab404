//! The web application and the HTTP API, which only reads, except for bans, added peers, and the power switch. Any
//! client that reaches the port may read it.
//!
//! ```text
//! server.rs     serves the API of a node
//! sockets.rs    sockets and their limits, and the layers around all routes
//! forgotten.rs  what the node has forgotten, from its archive
//! explorer.rs   the same pages and API from an archive alone, without a node
//! guard.rs      rejects requests before any handler: foreign hosts, bodies, too many requests, slow answers
//! client.rs     the client of a request, behind reverse proxies
//! slots.rs, room.rs, paced.rs   connections by address, memory of answers, and clients that do not read
//! tag.rs        ETags, so that clients do not download what they already have
//! token.rs      the token for what only the node's operator may see
//! pages.rs      the files of the web application
//! context.rs    what handlers share: the parts of the node, and caches between requests
//! isolation.rs  what miners work on, and states in which the node may be cut off: a part of the status
//! upgrade.rs    upgrades of the rules: a part of the status
//! error.rs      one sentence and a status code for every error
//! params.rs     path segments, paging and other parameters
//! views.rs      types that several answers share
//! windows.rs    PPLNS windows by payout script, cached
//! live_feed.rs  the newest live events, and the readers that listen to them
//! reach.rs      how other nodes reach this one, and how the node knows
//! memory.rs     memory of this process
//! peer_groups.rs  groups of neighboring peers, without their addresses
//! pool_view.rs  the types of the pool's summary
//! next_block.rs the payouts of a block found now
//! pay.rs        the average pay of an address: amount per day, interval, and probability
//! mining_health.rs  states of this node's miners that need attention, and their last submits
//! block_counts.rs  counts of the pool's blocks, kept between requests
//! pruned.rs     what this node no longer keeps, in one sentence
//! refusals.rs   rejected shares, counted by rule
//! decentralisation.rs, bitcoin_pools.rs   how concentrated the pool and Bitcoin's mining are
//! status.rs, pool.rs, pool_history.rs, links.rs, graph.rs, shares.rs, miners.rs, miner_history.rs, mining.rs, badge.rs, counts.rs, feed.rs, device_list.rs, job.rs, pair.rs, window.rs,
//! blocks.rs, payout_proof.rs, peers.rs, manual.rs, bans.rs, power.rs, event_log.rs, reorganisations.rs, search.rs, live.rs, metrics.rs, health.rs,
//! openapi.rs
//!               one or two routes each, with the types of their answers
//! ```
//!
//! Every answer is made from a published snapshot of the share-chain, so the thread that owns the chain never waits for
//! a socket. The OpenAPI document is generated from the handlers.

mod badge;
pub(crate) mod bans;
mod bitcoin_pools;
mod block_counts;
mod blocks;
mod client;
mod context;
mod counts;
mod decentralisation;
pub(crate) mod device_list;
mod error;
mod event_log;
pub mod explorer;
mod feed;
mod forgotten;
mod graph;
mod guard;
mod health;
pub mod isolation;
mod job;
pub mod limits;
mod links;
mod live;
mod live_feed;
pub(crate) mod manual;
mod memory;
mod metrics;
mod miner_history;
mod miners;
pub mod mining;
mod mining_health;
mod next_block;
mod openapi;
mod paced;
mod pages;
mod pair;
mod params;
mod pay;
mod payout_proof;
mod peer_groups;
mod peers;
mod pool;
mod pool_history;
mod pool_view;
pub mod power;
mod pruned;
pub mod reach;
mod refusals;
mod reorganisations;
mod room;
mod search;
mod server;
mod shares;
mod slots;
mod sockets;
pub mod status;
mod tag;
mod thread;
mod token;
pub mod upgrade;
mod views;
mod window;
mod windows;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use context::Context;
pub use server::serve;
pub use status::Status;
pub use thread::start;
pub use token::{TOKEN_FILE, Token};

use context::Api;

/// All routes, with their OpenAPI document.
fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::with_openapi(openapi::frame())
        .routes(routes!(status::status))
        .routes(routes!(pool::pool))
        .routes(routes!(pool_history::history))
        .routes(routes!(graph::graph))
        .routes(routes!(links::links))
        .routes(routes!(links::link))
        .routes(routes!(shares::share))
        .routes(routes!(miners::miner))
        .routes(routes!(miner_history::history))
        .routes(routes!(miner_history::shares))
        .routes(routes!(miner_history::payments))
        .routes(routes!(mining::mining))
        .routes(routes!(pair::pair))
        .routes(routes!(counts::counts))
        .routes(routes!(feed::feed))
        .routes(routes!(badge::badge))
        .routes(routes!(device_list::devices))
        .routes(routes!(job::job))
        .routes(routes!(window::window))
        .routes(routes!(blocks::blocks))
        .routes(routes!(blocks::block))
        .routes(routes!(payout_proof::payout_proof))
        .routes(routes!(peers::peers, manual::add, manual::remove))
        .routes(routes!(bans::list, bans::add, bans::lift))
        .routes(routes!(power::show, power::switch, power::reset))
        .routes(routes!(event_log::log))
        .routes(routes!(reorganisations::reorganisations))
        .routes(routes!(search::search))
        .routes(routes!(live::events))
        .routes(routes!(metrics::metrics))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .routes(routes!(openapi::document))
}
