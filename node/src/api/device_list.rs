//! `/api/v1/devices`: all devices of this node's miners, for its owner.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::context::Api;
use super::error::{ApiError, ErrorBody};
use crate::clock::now;
use crate::devices::Device;

/// All devices of this node's miners.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DeviceList {
    /// The devices, those that need attention first, then by name; also those that disconnected in the last 24 hours.
    pub devices: Vec<Device>,
}

/// Lists the devices of this node's miners, those that need attention first.
#[utoipa::path(
    get, path = "/api/v1/devices", security(("token" = [])),
    responses(
        (status = 200, description = "The devices", body = DeviceList),
        (status = 401, description = "The token is missing", body = ErrorBody),
    )
)]
pub(super) async fn devices(State(api): State<Arc<Api>>, headers: HeaderMap) -> Result<Json<DeviceList>, ApiError> {
    api.for_owner(&headers)?;
    api.look_at_miners();
    Ok(Json(DeviceList { devices: api.context.devices.lock().all(now().0) }))
}
