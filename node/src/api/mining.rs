//! `/api/v1/mining`: what to enter in a miner to mine at this node.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Extension, Json};
use qrcodegen::{QrCode, QrCodeEcc};
use serde::Serialize;
use utoipa::ToSchema;

use super::client::client_of;
use super::context::Api;
use super::guard::Client;

/// What to enter in a miner.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Mining {
    /// Where miners connect, the most useful first. Addresses of this machine are shown to clients of its own network only.
    pub urls: Vec<StratumUrl>,
    /// TCP port for miners.
    pub port: u16,
    /// True if only programs of this machine can connect.
    pub this_machine_only: bool,
    /// The form of the user name: `ADDRESS.WORKER`.
    pub user_name: String,
    /// Any password will do.
    pub password: String,
    /// Address that is paid for the work of user names without an address; none if each needs one.
    pub default_address: Option<String>,
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
    let own = if near { own_addresses() } else { Vec::new() };
    Json(Mining {
        urls: addresses(listen, own)
            .into_iter()
            .map(|ip| StratumUrl::new(SocketAddr::new(ip, listen.port())))
            .collect(),
        port: listen.port(),
        this_machine_only: listen.ip().is_loopback(),
        user_name: "ADDRESS.WORKER".to_owned(),
        password: "x".to_owned(),
        default_address: config.address.as_ref().map(ToString::to_string),
    })
}

/// Addresses of this machine, in any sequence.
fn own_addresses() -> Vec<IpAddr> {
    if_addrs::get_if_addrs().unwrap_or_default().into_iter().map(|interface| interface.ip()).collect()
}

/// Addresses at which a server that listens on `listen` is reached, the most useful first: in the local network, then in the
/// Internet, and this machine's own only if there is no other.
fn addresses(listen: SocketAddr, own: Vec<IpAddr>) -> Vec<IpAddr> {
    if !listen.ip().is_unspecified() {
        return vec![listen.ip()];
    }
    // A socket on `::` serves IPv4, too.
    let served = |ip: &IpAddr| listen.is_ipv6() || ip.is_ipv4();
    let mut found: Vec<IpAddr> =
        own.into_iter().filter(served).filter(|ip| !ip.is_loopback() && !needs_zone(*ip)).collect();
    found.sort_by_key(|ip| (ip.is_ipv6(), !is_near(*ip), *ip));
    found.dedup();
    if found.is_empty() { vec![Ipv4Addr::LOCALHOST.into()] } else { found }
}

/// True for addresses of this machine and of a local network.
fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// True for an address that is of no use without the name of an interface.
fn needs_zone(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local())
}

impl StratumUrl {
    fn new(address: SocketAddr) -> Self {
        let url = format!("stratum+tcp://{address}");
        // Some 50 characters always fit.
        let code = QrCode::encode_text(&url, QrCodeEcc::Medium).ok();
        let qr_size = code.as_ref().map_or(0, |code| code.size().unsigned_abs());
        Self { url, qr_size, qr_path: code.as_ref().map(path).unwrap_or_default() }
    }
}

/// The dark modules, row by row: one rectangle for those side by side.
fn path(code: &QrCode) -> String {
    let mut path = String::new();
    for y in 0..code.size() {
        let mut x = 0;
        while x < code.size() {
            let run = (x..code.size()).take_while(|x| code.get_module(*x, y)).count();
            if run > 0 {
                path.push_str(&format!("M{x} {y}h{run}v1H{x}z"));
            }
            x += i32::try_from(run).unwrap_or(0) + 1;
        }
    }
    path
}

#[cfg(test)]
mod tests;
