//! `/api/v1/peers`: whom this node is connected to.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::Api;
use crate::state::PeerView;

/// The peers connected now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Peers {
    /// Longest connected first.
    pub peers: Vec<Peer>,
}

/// A connected peer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Peer {
    /// Its identity, as libp2p writes it.
    pub id: String,
    /// The address that it is connected by, a multiaddr.
    pub address: String,
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

impl From<&PeerView> for Peer {
    fn from(peer: &PeerView) -> Self {
        Self {
            id: peer.id.clone(),
            address: peer.address.clone(),
            inbound: peer.inbound,
            agent: peer.agent.clone(),
            height: peer.height,
            tip: peer.tip.map(|tip| tip.to_string()),
            points: peer.points,
            connected_s: peer.since.elapsed().as_secs(),
        }
    }
}

/// The peers connected now.
#[utoipa::path(get, path = "/api/v1/peers", responses((status = 200, description = "The peers", body = Peers)))]
pub(super) async fn peers(State(api): State<Arc<Api>>) -> Json<Peers> {
    let peers = Arc::clone(&api.context.peers.borrow());
    let mut peers: Vec<Peer> = peers.iter().map(Peer::from).collect();
    peers.sort_by(|a, b| b.connected_s.cmp(&a.connected_s).then_with(|| a.id.cmp(&b.id)));
    Json(Peers { peers })
}
