//! `/api/v1/pair`: gives a browser the node's token for a code that works once.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;
use utoipa::ToSchema;

use super::context::Api;
use super::error::{ApiError, ErrorBody};
use crate::clock::now;
use crate::pair::redeem;

/// Header with the code. Pages of other sites cannot send it without the node's permission.
const CODE: &str = "shoal-pairing-code";

/// What a paired browser needs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Paired {
    /// The node's token, for `Authorization: Bearer TOKEN`.
    pub token: String,
}

/// Returns the node's token for the code of a pairing link, as `shoal pair` and `shoal run` print it. A code works once.
#[utoipa::path(
    post, path = "/api/v1/pair",
    params(("shoal-pairing-code" = String, Header, description = "The code of the link")),
    responses(
        (status = 200, description = "The code was right", body = Paired),
        (status = 401, description = "The code is wrong, was used, or has ended", body = ErrorBody),
    )
)]
pub(super) async fn pair(State(api): State<Arc<Api>>, headers: HeaderMap) -> Result<Json<Paired>, ApiError> {
    // Pages open to everyone may travel unencrypted, and the token opens nothing there.
    if api.context.config.api.public {
        return Err(ApiError::PairingCode);
    }
    let code = headers.get(CODE).and_then(|code| code.to_str().ok()).unwrap_or_default().to_owned();
    let data_dir = api.context.config.data_dir.clone();
    let redeeming = tokio::task::spawn_blocking(move || redeem(&data_dir, &code, now().0));
    match redeeming.await.map_err(|_| ApiError::Stopping)? {
        Ok(Some(token)) => Ok(Json(Paired { token })),
        Ok(None) => Err(ApiError::PairingCode),
        Err(error) => Err(ApiError::Folder(error)),
    }
}
