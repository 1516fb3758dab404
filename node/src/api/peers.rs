//! `/api/v1/peers`: whom this node is connected to.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use super::limits::GROUPS_MAX;
use crate::state::PeerView;

/// The peers connected now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PeerList {
    /// Longest connected first.
    pub peers: Vec<Peer>,
}

/// A connected peer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Peer {
    /// Its identity, as libp2p writes it.
    pub id: String,
    /// The address that it is connected by, a multiaddr; none without the node's token.
    pub address: Option<String>,
    /// PeerList of one group have neighbouring addresses. The names say no more than that, and change with every start.
    pub group: String,
    /// How it is connected: tcp or quic.
    pub transport: &'static str,
    /// Milliseconds that the last ping took there and back; none before the first.
    pub latency_ms: Option<u64>,
    /// True when it connected to this node, false when this node dialled it.
    pub inbound: bool,
    /// Its program and version, if it told.
    pub agent: Option<String>,
    /// Height of its tip, if it told.
    pub height: Option<u32>,
    /// Its tip, if it told.
    pub tip: Option<String>,
    /// Points that misbehaviour cost it; at 100 it is banned.
    pub points: u32,
    /// Seconds since it connected.
    pub connected_s: u64,
}

impl Peer {
    fn new(peer: &PeerView, group: String, owner: bool) -> Self {
        let quic = peer.address.contains("/quic");
        Self {
            id: peer.id.clone(),
            address: owner.then(|| peer.address.clone()),
            group,
            transport: if quic { "quic" } else { "tcp" },
            latency_ms: peer.round_trip_ms,
            inbound: peer.inbound,
            agent: peer.agent.clone(),
            height: peer.height,
            tip: peer.tip.map(|tip| tip.to_string()),
            points: peer.points,
            connected_s: peer.since.elapsed().as_secs(),
        }
    }
}

/// The groups that were named, in the order in which they were met.
#[derive(Debug, Default)]
pub(super) struct Groups {
    met: Mutex<Vec<String>>,
}

impl Groups {
    /// The name of a peer's group: what it says of the address is only whether it is in this machine or this network.
    fn name(&self, address: &str) -> String {
        let Some((family, ip)) = ip_of(address) else { return "address not known".to_owned() };
        let near = match ip {
            IpAddr::V4(ip) if ip.is_loopback() => Some("this machine"),
            IpAddr::V6(ip) if ip.is_loopback() => Some("this machine"),
            IpAddr::V4(ip) if ip.is_private() || ip.is_link_local() => Some("local network"),
            IpAddr::V6(ip) if ip.is_unique_local() || ip.is_unicast_link_local() => Some("local network"),
            _ => None,
        };
        if let Some(near) = near {
            return near.to_owned();
        }
        let neighbours = neighbours(ip);
        // A list of names is whole at any time.
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        let number = met.iter().position(|known| *known == neighbours).unwrap_or_else(|| {
            if met.len() < GROUPS_MAX {
                met.push(neighbours);
            }
            met.len() - 1
        });
        format!("{family} group {}", number + 1)
    }
}

/// The address in a multiaddr such as `/ip4/192.0.2.1/tcp/4001`.
fn ip_of(address: &str) -> Option<(&'static str, IpAddr)> {
    let mut parts = address.split('/').skip(1);
    let family = match parts.next()? {
        "ip4" => "IPv4",
        "ip6" => "IPv6",
        _ => return None,
    };
    Some((family, parts.next()?.parse().ok()?))
}

/// What neighbouring addresses have in common: 16 bits of IPv4, 32 of IPv6, as Bitcoin nodes group them.
fn neighbours(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            format!("{a}.{b}")
        }
        IpAddr::V6(ip) => {
            let [a, b, ..] = ip.segments();
            format!("{a:x}:{b:x}")
        }
    }
}

/// The peers connected now.
#[utoipa::path(
    get, path = "/api/v1/peers", security((), ("token" = [])),
    responses((status = 200, description = "The peers", body = PeerList))
)]
pub(super) async fn peers(State(api): State<Arc<Api>>, headers: HeaderMap) -> Json<PeerList> {
    let owner = api.context.token.is_in(&headers);
    let peers = Arc::clone(&api.context.peers.borrow());
    let shown = |peer: &PeerView| Peer::new(peer, api.groups.name(&peer.address), owner);
    let mut peers: Vec<Peer> = peers.iter().map(shown).collect();
    peers.sort_by(|a, b| b.connected_s.cmp(&a.connected_s).then_with(|| a.id.cmp(&b.id)));
    Json(PeerList { peers })
}
