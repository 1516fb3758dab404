//! `/api/v1/peers`: the peers that this node is connected to.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::context::Api;
use super::error::ApiError;
use super::manual::{self, ManualPeer};
use super::reach::Reachable;
use crate::state::PeerView;

/// The connected peers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PeerList {
    /// How other nodes reach this one.
    pub reachable: Reachable,
    /// Peers, longest connected first.
    pub peers: Vec<Peer>,
    /// Peers that the operator named; none without the node's token.
    pub manual: Option<Vec<ManualPeer>>,
    /// How the node finds peers.
    pub discovery: Discovery,
}

/// How the node finds peers.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Discovery {
    /// Nodes in the address book that were never reached.
    pub book_new: usize,
    /// Nodes in the address book that were reached.
    pub book_tried: usize,
    /// Connections to nodes that the node chose by itself.
    pub outbound: usize,
    /// Target number of those; 0 if discovery is off.
    pub outbound_target: usize,
    /// Addresses that this node announces, multiaddrs; none without the node's token.
    pub own_addresses: Option<Vec<String>>,
}

impl Discovery {
    fn new(info: &p2p::DiscoveryInfo, owner: bool) -> Self {
        let numbers = info.numbers;
        Self {
            book_new: numbers.book_new,
            book_tried: numbers.book_tried,
            outbound: numbers.outbound,
            outbound_target: numbers.outbound_target,
            own_addresses: owner.then(|| info.own_addresses.clone()),
        }
    }
}

/// A connected peer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Peer {
    /// Its peer id, as libp2p writes it.
    pub id: String,
    /// Its address, a multiaddr; none without the node's token.
    pub address: Option<String>,
    /// Peers in one group have neighboring addresses. The names reveal nothing else, and change at every start.
    pub group: String,
    /// Transport: `tcp`, `quic`, `relay` through another node, or `onion` for an onion service.
    pub transport: &'static str,
    /// Round trip of the last ping, milliseconds; none before the first ping.
    pub latency_ms: Option<u64>,
    /// True if inbound: the peer connected to this node. False if outbound.
    pub inbound: bool,
    /// Its program and version; none if unknown.
    pub agent: Option<String>,
    /// Height of its tip; none if unknown.
    pub height: Option<u32>,
    /// Id of its tip; none if unknown.
    pub tip: Option<String>,
    /// Penalty points for misbehavior; at 100 it is banned.
    pub points: u32,
    /// Seconds since it connected.
    pub connected_s: u64,
}

impl Peer {
    fn new(peer: &PeerView, group: String, owner: bool) -> Self {
        let transport = match peer.address.as_str() {
            address if address.contains("/p2p-circuit") => "relay",
            address if address.starts_with("/onion3/") => "onion",
            address if address.contains("/quic") => "quic",
            _ => "tcp",
        };
        Self {
            id: peer.id.clone(),
            address: owner.then(|| peer.address.clone()),
            group,
            transport,
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

/// The connected peers.
#[utoipa::path(
    get, path = "/api/v1/peers", security((), ("token" = [])),
    responses((status = 200, description = "The peers", body = PeerList))
)]
pub(super) async fn peers(State(api): State<Arc<Api>>, headers: HeaderMap) -> Result<Json<PeerList>, ApiError> {
    let owner = api.context.token.is_in(&headers);
    let peers = Arc::clone(&api.context.peers.borrow());
    let shown = |peer: &PeerView| Peer::new(peer, api.groups.name(&peer.address), owner);
    let mut peers: Vec<Peer> = peers.iter().map(shown).collect();
    peers.sort_by(|a, b| b.connected_s.cmp(&a.connected_s).then_with(|| a.id.cmp(&b.id)));
    let reachable = Reachable::new(&api.context.reach.borrow(), owner);
    let discovery = Discovery::new(&api.context.discovery.borrow(), owner);
    let manual = if owner { Some(manual::list(&api).await?) } else { None };
    Ok(Json(PeerList { reachable, peers, manual, discovery }))
}
