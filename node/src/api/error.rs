//! One sentence and a status code for everything that can be wrong with a request.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tracing::error;
use utoipa::ToSchema;

use crate::config::AddressError;
use crate::consensus::EngineStopped;
use crate::store::StoreError;
use node_core::sentence;

use super::limits::ECHO_CHARS_MAX;

/// The body of every answer that is not 200.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct ErrorBody {
    /// One sentence: what is wrong, where, and what to do.
    pub error: String,
}

/// Why a request gets no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// A parameter cannot be read.
    #[error("{name} must be {wanted}, and \"{found}\" is not")]
    Parameter {
        /// Which one.
        name: &'static str,
        /// What it must be.
        wanted: &'static str,
        /// What it is, cut to [`ECHO_CHARS_MAX`].
        found: String,
    },
    /// A parameter that the route does not have.
    #[error("there is no parameter \"{found}\" here; this route knows {known}")]
    UnknownParameter {
        /// What was given, cut to [`ECHO_CHARS_MAX`].
        found: String,
        /// What there is.
        known: &'static str,
    },
    /// The query string cannot be read.
    #[error("the query after the question mark cannot be read; write it as name=value&name=value, percent-encoded")]
    Query,
    /// The address is none, or of another network.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// There is no such thing.
    #[error("this node knows no {what} {id}")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// Its name.
        id: String,
    },
    /// There is no such route.
    #[error("there is nothing at this path; /api/v1/openapi.json lists what there is")]
    Path,
    /// The route cannot be used that way.
    #[error("this API only reads; use GET")]
    Method,
    /// A request with a body.
    #[error("this API takes no request bodies; put parameters into the path and the query")]
    Body,
    /// A name that this API does not answer to: some web page may be asking through the reader's browser.
    #[error(
        "this API answers only to localhost, 127.0.0.1, [::1] and its configured address; \
         connect by one of these names, or set `api.listen` to the address it should have"
    )]
    Host,
    /// Too many requests of one client.
    #[error("this is more than a client may ask here; wait a second and ask again, or raise `api.requests_a_second`")]
    TooMany,
    /// The answer took too long to make.
    #[error("the node is too busy to answer now; try again")]
    Slow,
    /// The node stops.
    #[error("the node is stopping")]
    Stopping,
    /// The database cannot be read.
    #[error("the node's database cannot be read; its log says why")]
    Store(#[source] StoreError),
    /// What the database holds cannot be understood.
    #[error("the node's database holds something unreadable; its log says what")]
    Stored(#[source] serde_json::Error),
    /// Metrics cannot be written.
    #[error("the metrics cannot be written")]
    Metrics(#[from] std::fmt::Error),
}

impl ApiError {
    /// A parameter that is not what it must be.
    pub(super) fn parameter(name: &'static str, wanted: &'static str, found: &str) -> Self {
        Self::Parameter { name, wanted, found: echo(found) }
    }

    /// Something that is not known.
    pub(super) fn unknown(what: &'static str, id: impl ToString) -> Self {
        Self::Unknown { what, id: id.to_string() }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Parameter { .. } | Self::UnknownParameter { .. } | Self::Query | Self::Address(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::Unknown { .. } | Self::Path => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Body => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Host => StatusCode::FORBIDDEN,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Slow | Self::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Stored(_) | Self::Metrics(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<EngineStopped> for ApiError {
    fn from(_: EngineStopped) -> Self {
        Self::Stopping
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        // What went wrong inside is for the operator, not for whoever asks.
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            error!(error = sentence(&self), "an API request failed");
            return (status, Json(ErrorBody { error: self.to_string() })).into_response();
        }
        (status, Json(ErrorBody { error: sentence(&self) })).into_response()
    }
}

/// A caller's own words, cut and without control characters.
pub(super) fn echo(text: &str) -> String {
    text.chars().take(ECHO_CHARS_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
