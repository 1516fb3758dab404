//! `/api/v1/mining`: what to enter in a miner to mine at this node.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::client::client_of;
use super::context::Api;
use super::guard::Client;
use crate::config::Fee;
use crate::lan::{is_near, own_addresses, reached_at};
use crate::qr;
use crate::stratum_url;

/// What to enter in a miner.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Mining {
    /// Where miners connect, the most useful first. Addresses of this machine are shown to clients of its own network only.
    pub urls: Vec<StratumUrl>,
    /// The same for devices that speak Stratum v2, with the key by which they authenticate this node. Empty if it
    /// serves none.
    pub v2_urls: Vec<StratumUrl>,
    /// TCP port for miners.
    pub port: u16,
    /// True if only programs of this machine can connect.
    pub this_machine_only: bool,
    /// The form of the user name: `ADDRESS.WORKER`.
    pub user_name: String,
    /// Any text.
    pub password: String,
    /// Address that is paid for the work of user names without an address; none if each needs one.
    pub default_address: Option<String>,
    /// Fee of this node's owner; none if there is none.
    pub fee: Option<NodeFee>,
}

/// The fee of a node's owner: some jobs pay the owner's address instead of the miner's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NodeFee {
    /// Part of the work, percent, with at most two decimals. The owner never takes more, unless one job lasts unusually
    /// long.
    pub percent: f64,
    /// The owner's address. Miners that mine for it pay no fee.
    pub address: String,
}

/// The best shares of a node's miners, by difficulty: a block takes Bitcoin's. Also before restarts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BestShare {
    /// The best of this day (UTC); none before the first.
    pub today_difficulty: Option<f64>,
    /// The best ever; none before the first.
    pub ever_difficulty: Option<f64>,
}

impl BestShare {
    pub(super) fn of((today_difficulty, ever_difficulty): (Option<f64>, Option<f64>)) -> Self {
        Self { today_difficulty, ever_difficulty }
    }
}

impl From<&Fee> for NodeFee {
    fn from(fee: &Fee) -> Self {
        Self { percent: fee.percent(), address: fee.address.to_string() }
    }
}

/// An address where miners connect.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct StratumUrl {
    /// The URL.
    pub url: String,
    /// Modules on each side of its QR code.
    pub qr_size: u32,
    /// The dark modules of its QR code, as the path of an SVG image with `qr_size` units on each side.
    pub qr_path: String,
}

/// Returns what to enter in a miner to mine at this node.
#[utoipa::path(
    get, path = "/api/v1/mining",
    responses((status = 200, description = "What to enter in a miner", body = Mining))
)]
pub(super) async fn mining(
    State(api): State<Arc<Api>>,
    Extension(Client(from)): Extension<Client>,
    headers: HeaderMap,
) -> Json<Mining> {
    let config = &api.context.config;
    let listen = config.stratum.listen;
    let near = is_near(client_of(from, &headers, &config.api.trusted_proxies));
    let found = reached_at(listen, if near { own_addresses() } else { Vec::new() });
    let shown = |ip: &IpAddr| near || !is_near(*ip);
    let url = |ip| StratumUrl::new(stratum_url::v1(SocketAddr::new(ip, listen.port())));
    let v2_urls = api.context.stratum_key.iter().flat_map(|key| {
        config.stratum.v2().flat_map(move |listen| {
            let found = reached_at(listen, if near { own_addresses() } else { Vec::new() });
            let places = found.into_iter().filter(shown).map(move |ip| SocketAddr::new(ip, listen.port()));
            places.map(move |place| StratumUrl::new(stratum_url::v2(place, key)))
        })
    });
    Json(Mining {
        urls: found.into_iter().filter(shown).map(url).collect(),
        v2_urls: v2_urls.collect(),
        port: listen.port(),
        this_machine_only: listen.ip().is_loopback(),
        user_name: "ADDRESS.WORKER".to_owned(),
        password: "x".to_owned(),
        default_address: config.address.as_ref().map(ToString::to_string),
        fee: config.stratum.fee.as_ref().map(NodeFee::from),
    })
}

impl StratumUrl {
    fn new(url: String) -> Self {
        let (qr_size, qr_path) = qr::path(&url);
        Self { url, qr_size, qr_path }
    }
}
