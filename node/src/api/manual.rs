//! `POST` and `DELETE /api/v1/peers`: peers to stay connected with, for the node's operator only.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use p2p::Handle;
use serde::{Deserialize, Serialize};
use tracing::warn;
use utoipa::{IntoParams, ToSchema};

use super::context::Api;
use super::error::{ApiError, ErrorBody, echo};
use crate::config::{PEER, no_way_to};
use crate::limits::ADDRESS_CHARS_MAX;

/// Peers that the node stays connected with because its operator named them.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ManualList {
    /// These peers, in order of their addresses.
    pub manual: Vec<ManualPeer>,
}

/// A peer that the operator named.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ManualPeer {
    /// Its multiaddr.
    pub address: String,
    /// Where it is named: `config`, or `added` by `shoal peers add` or this API.
    pub from: String,
    /// True while it is connected.
    pub connected: bool,
}

/// The peer.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Named {
    /// Its multiaddr, like `/ip4/192.0.2.7/tcp/3381`; at most 512 characters.
    pub address: String,
}

impl Named {
    pub(super) fn read(fields: &[(String, String)]) -> Result<Self, ApiError> {
        match fields {
            [(name, value)] if name == "address" => Ok(Self { address: value.clone() }),
            [] => Ok(Self { address: String::new() }),
            [(name, _), ..] => Err(ApiError::UnknownParameter { found: echo(name), known: "`address`, once" }),
        }
    }

    /// The address as the network shows it.
    fn shown(&self, api: &Api) -> Result<String, ApiError> {
        let wrong = |wanted| ApiError::parameter("`address` in the query", wanted, &self.address);
        let address = Some(&self.address).filter(|text| text.chars().count() <= ADDRESS_CHARS_MAX);
        let shown = address.and_then(|text| p2p::shown_address(text).ok()).ok_or_else(|| wrong(PEER))?;
        no_way_to(&shown, api.context.config.p2p.proxy).map_or(Ok(shown), |wanted| Err(wrong(wanted)))
    }
}

/// The network, for the node's operator.
fn network(api: &Api, headers: &HeaderMap) -> Result<Handle, ApiError> {
    if !api.context.token.is_in(headers) {
        return Err(ApiError::Token);
    }
    api.context.network.borrow().clone().ok_or(ApiError::Starting)
}

/// True if the configuration names the address, as the network shows it.
fn is_configured(api: &Api, address: &str) -> bool {
    let named = &api.context.config.p2p.peers;
    named.iter().any(|peer| p2p::shown_address(peer).is_ok_and(|shown| shown == address))
}

/// The list; an error while the network is not running.
pub(super) async fn list(api: &Api) -> Result<Vec<ManualPeer>, ApiError> {
    let Some(network) = api.context.network.borrow().clone() else { return Ok(Vec::new()) };
    let peers = network.manual_peers().await.map_err(|_| ApiError::Stopping)?;
    let entry = |peer: p2p::ManualPeer| ManualPeer {
        from: if is_configured(api, &peer.address) { "config" } else { "added" }.to_owned(),
        address: peer.address,
        connected: peer.is_connected,
    };
    Ok(peers.into_iter().map(entry).collect())
}

/// Writes the file, off the threads that serve requests. If that fails, the change lasts until the node stops.
async fn save(api: &Api, address: String, is_in: bool) {
    let manual = api.context.manual.clone();
    let writing = tokio::task::spawn_blocking(move || manual.set(&address, is_in));
    if let Ok(Err(error)) = writing.await {
        warn!(%error, "the file of added peers cannot be written; a restart forgets the change");
    }
}

/// Connects to a node, and stays connected, also after a restart.
#[utoipa::path(
    post, path = "/api/v1/peers", security(("token" = [])), params(Named),
    responses((status = 200, description = "The peers that the operator named", body = ManualList), (status = 400, description = "The address is invalid", body = ErrorBody), (status = 401, description = "The token is missing", body = ErrorBody), (status = 409, description = "There are too many", body = ErrorBody))
)]
pub(super) async fn add(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    named: Named,
) -> Result<Json<ManualList>, ApiError> {
    let network = network(&api, &headers)?;
    let address = named.shown(&api)?;
    let added = network.add_peer(address.clone()).await.map_err(|_| ApiError::Stopping)?;
    added.map_err(|error| ApiError::Full(error.to_string()))?;
    if !is_configured(&api, &address) {
        save(&api, address, true).await;
    }
    Ok(Json(ManualList { manual: list(&api).await? }))
}

/// Disconnects an added node, and stops dialing it.
#[utoipa::path(
    delete, path = "/api/v1/peers", security(("token" = [])), params(Named),
    responses((status = 200, description = "The peers that the operator named", body = ManualList), (status = 400, description = "The address is invalid", body = ErrorBody), (status = 401, description = "The token is missing", body = ErrorBody),
        (status = 404, description = "No such peer was added", body = ErrorBody), (status = 409, description = "The configuration names it", body = ErrorBody))
)]
pub(super) async fn remove(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    named: Named,
) -> Result<Json<ManualList>, ApiError> {
    let network = network(&api, &headers)?;
    let address = named.shown(&api)?;
    if is_configured(&api, &address) {
        return Err(ApiError::Full(format!(
            "the configuration names {address}; remove it from `p2p.peers` and restart"
        )));
    }
    if !network.remove_peer(address.clone()).await.map_err(|_| ApiError::Stopping)? {
        return Err(ApiError::unknown("added peer", address));
    }
    save(&api, address, false).await;
    Ok(Json(ManualList { manual: list(&api).await? }))
}
