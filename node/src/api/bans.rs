//! `/api/v1/bans`: the bans of this node, for its operator only.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use p2p::{BanView, Handle};
use p2p_proto::bans::Banned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::context::Api;
use super::error::{ApiError, ErrorBody, echo};
use crate::clock::now;
use crate::limits::BAN_S;

/// Bans in force.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct BanList {
    /// Bans, sorted by what they cover.
    pub bans: Vec<BanEntry>,
}

/// A ban.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct BanEntry {
    /// What it covers: a peer id, an IP address, or a range of addresses.
    pub what: String,
    /// Source of the ban: `operator` or `node`.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Seconds until it ends.
    pub left_s: u64,
    /// When it ends, by this node's clock, seconds since 1970.
    pub until_unix_s: u64,
}

/// What to ban.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct NewBan {
    /// A peer id, an IP address, or a range like `203.0.113.0/24`. An IPv6 address stands for its /64.
    pub what: String,
    /// Seconds until it ends, up to ten years; a day by default.
    #[param(minimum = 1, maximum = 315_360_000, default = 86_400)]
    pub for_s: Option<u64>,
    /// Why, for the list; at most 200 characters.
    pub reason: Option<String>,
}

impl NewBan {
    pub(super) fn read(fields: &[(String, String)]) -> Result<Self, ApiError> {
        let (mut what, mut for_s, mut reason) = (None, None, None);
        for (name, value) in fields {
            match name.as_str() {
                "what" => what = Some(value.clone()),
                "for_s" => {
                    let length = value.parse().ok().filter(|length| (1..=BAN_S.1).contains(length));
                    let wanted = "a number of seconds from 1 to 315360000";
                    for_s = Some(length.ok_or_else(|| ApiError::parameter("`for_s` in the query", wanted, value))?);
                }
                "reason" => reason = Some(value.clone()),
                _ => {
                    return Err(ApiError::UnknownParameter {
                        found: echo(name),
                        known: "`what`, `for_s` and `reason`",
                    });
                }
            }
        }
        Ok(Self { what: what.unwrap_or_default(), for_s, reason })
    }
}

/// What to lift.
#[derive(Clone, Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct OldBan {
    /// What the ban covers, as the list shows it.
    pub what: String,
}

impl OldBan {
    pub(super) fn read(fields: &[(String, String)]) -> Result<Self, ApiError> {
        match fields {
            [(name, value)] if name == "what" => Ok(Self { what: value.clone() }),
            [] => Ok(Self { what: String::new() }),
            [(name, _), ..] => Err(ApiError::UnknownParameter { found: echo(name), known: "`what`, once" }),
        }
    }
}

fn banned(what: &str) -> Result<Banned, ApiError> {
    let wanted = "a peer id like 12D3KooW..., an IP address, or a range like 203.0.113.0/24";
    what.parse().map_err(|_| ApiError::parameter("`what` in the query", wanted, what))
}

/// The network, for the node's operator.
fn network(api: &Api, headers: &HeaderMap) -> Result<Handle, ApiError> {
    if !api.context.token.is_in(headers) {
        return Err(ApiError::Token);
    }
    api.context.network.borrow().clone().ok_or(ApiError::Starting)
}

fn shown(network: &Handle) -> Json<BanList> {
    let (clock, unix_s) = (Instant::now(), u64::from(now().0));
    let entry = |ban: &BanView| {
        let left_s = ban.until.saturating_duration_since(clock).as_secs();
        BanEntry {
            what: ban.what.to_string(),
            by: if ban.by_operator { "operator" } else { "node" }.to_owned(),
            reason: ban.reason.clone(),
            left_s,
            until_unix_s: unix_s.saturating_add(left_s),
        }
    };
    Json(BanList { bans: network.bans().borrow().iter().map(entry).collect() })
}

/// Bans in force, this node's and the operator's.
#[utoipa::path(
    get, path = "/api/v1/bans", security(("token" = [])),
    responses((status = 200, description = "The bans", body = BanList), (status = 401, description = "The token is missing", body = ErrorBody))
)]
pub(super) async fn list(State(api): State<Arc<Api>>, headers: HeaderMap) -> Result<Json<BanList>, ApiError> {
    Ok(shown(&network(&api, &headers)?))
}

/// Bans a peer or addresses, and ends the connections that this covers. Replaces a ban of the same peer or addresses.
#[utoipa::path(
    post, path = "/api/v1/bans", security(("token" = [])), params(NewBan),
    responses((status = 200, description = "The bans", body = BanList), (status = 400, description = "A parameter is invalid", body = ErrorBody), (status = 409, description = "There are too many bans", body = ErrorBody), (status = 401, description = "The token is missing", body = ErrorBody))
)]
pub(super) async fn add(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    new: NewBan,
) -> Result<Json<BanList>, ApiError> {
    let network = network(&api, &headers)?;
    let until = Instant::now() + Duration::from_secs(new.for_s.unwrap_or(BAN_S.0));
    let reason = new.reason.unwrap_or_else(|| "by the operator".to_owned());
    let ban = BanView { what: banned(&new.what)?, until, by_operator: true, reason };
    let added = network.ban(ban).await.map_err(|_| ApiError::Stopping)?;
    added.map_err(|error| ApiError::Full(error.to_string()))?;
    Ok(shown(&network))
}

/// Lifts a ban.
#[utoipa::path(
    delete, path = "/api/v1/bans", security(("token" = [])), params(OldBan),
    responses((status = 200, description = "The bans", body = BanList), (status = 400, description = "A parameter is invalid", body = ErrorBody), (status = 401, description = "The token is missing", body = ErrorBody),
        (status = 404, description = "There is no such ban", body = ErrorBody))
)]
pub(super) async fn lift(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    old: OldBan,
) -> Result<Json<BanList>, ApiError> {
    let network = network(&api, &headers)?;
    let what = banned(&old.what)?;
    if network.unban(what).await.map_err(|_| ApiError::Stopping)? {
        Ok(shown(&network))
    } else {
        Err(ApiError::unknown("ban of", what))
    }
}
