//! One sentence and a status code for every error of a request.

use archive::ArchiveError;
use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sharechain::ShareId;
use tracing::error;
use utoipa::ToSchema;

use crate::config::AddressError;
use crate::consensus::EngineStopped;
use crate::store::StoreError;
use node_core::sentence;

use super::limits::{ECHO_CHARS_MAX, READING_RETRY_S};

/// Body of every error answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(super) struct ErrorBody {
    /// One sentence that says what is wrong, where, and what to do.
    pub error: String,
}

/// Why a request fails.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    /// A parameter is invalid.
    #[error("{name} must be {wanted}, not \"{found}\"")]
    Parameter {
        /// Name of the parameter.
        name: &'static str,
        /// What the parameter must be.
        wanted: &'static str,
        /// The given value, cut to [`ECHO_CHARS_MAX`] characters.
        found: String,
    },
    /// The route has no such parameter.
    #[error("unknown parameter \"{found}\"; this route accepts {known}")]
    UnknownParameter {
        /// The given name, cut to [`ECHO_CHARS_MAX`] characters.
        found: String,
        /// The parameters of the route.
        known: &'static str,
    },
    /// The query string cannot be read.
    #[error("the query string is malformed; write it as name=value&name=value, percent-encoded")]
    Query,
    /// The address is invalid, or belongs to another network.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// This node does not know the requested item.
    #[error("this node does not know the {what} {id}")]
    Unknown {
        /// Kind of the item.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// This node does not know the link, and has forgotten older ones.
    #[error(
        "this node does not know the link {id}; it keeps links from height {oldest}, so an older one may be pruned; \
         ask a node with `[store] keep = \"all\"`"
    )]
    UnknownOrPruned {
        /// Id of the link.
        id: ShareId,
        /// Height of the oldest link that is kept.
        oldest: u32,
    },
    /// This node no longer keeps the requested item.
    #[error("{0}")]
    Pruned(String),
    /// This node keeps no window of a block.
    #[error(
        "this node has no payout proofs of block {block}: it was found before this node kept them or so long ago that they \
         made room for newer ones, or its link never became valid here; ask another node"
    )]
    NoProof {
        /// Hash of the block.
        block: String,
    },
    /// No route has this path.
    #[error("nothing is at this path; see /api/v1/openapi.json for all paths")]
    Path,
    /// The route has no such method.
    #[error("this route has no such method; use GET, for bans, peers and power POST and DELETE, and for pairing POST")]
    Method,
    /// The request has a body.
    #[error("this API accepts no request bodies; put parameters in the path and the query")]
    Body,
    /// The request's host name is not one of this API: a foreign web page may be asking through the reader's browser.
    #[error(
        "this API does not answer to this name, which could be that of a foreign web page; connect by an address on which it \
         listens, or set `notify.pages_url` to the URL that you use if `api.listen` is an address of your network"
    )]
    Host,
    /// The route is for the node's operator.
    #[error(
        "this is for the node's operator; send the token from the file api-token of its data folder, as `Authorization: Bearer TOKEN`"
    )]
    Token,
    /// The request's token is not this node's.
    #[error(
        "this token is not this node's; send the one from the file api-token of its data folder, as `Authorization: Bearer TOKEN`"
    )]
    WrongToken,
    /// The node serves everyone, and the token is right.
    #[error("this node serves everyone (`api.public`), so it shows no workers, not even with the token")]
    Public,
    /// The code of a pairing link is invalid, used, or expired.
    #[error("this pairing link was used or has expired; `shoal pair` on the node's machine prints another")]
    PairingCode,
    /// The data folder cannot be used.
    #[error("the node's data folder cannot be used; see its log")]
    Folder(#[source] std::io::Error),
    /// The node has no network yet.
    #[error("the node is still starting; try again later")]
    Starting,
    /// One of the operator's lists is full.
    #[error("{0}")]
    Full(String),
    /// One client sent too many requests.
    #[error("too many requests; wait {wait_s} s and try again, or raise `api.requests_a_second`")]
    TooMany {
        /// Seconds until the next request is accepted.
        wait_s: u64,
    },
    /// The answer took too long.
    #[error("the node is too busy to answer now; try again")]
    Slow,
    /// The node is stopping.
    #[error("the node is stopping")]
    Stopping,
    /// The database cannot be read.
    #[error("the node's database cannot be read; see its log")]
    Store(#[source] StoreError),
    /// A database entry cannot be decoded.
    #[error("the node's database holds an unreadable entry; its log says which")]
    Stored(#[source] serde_json::Error),
    /// The archive cannot be read.
    #[error("the archive cannot be read now; try again")]
    Archive(#[source] ArchiveError),
    /// The archive has nothing to show yet.
    #[error("the archive's newest links are still being read; try again")]
    ArchiveEmpty,
    /// Only a node can answer this.
    #[error("this is an explorer, which has no {what}; ask a node")]
    NoNode {
        /// What only a node has.
        what: &'static str,
    },
    /// The metrics cannot be encoded.
    #[error("the metrics cannot be written")]
    Metrics(#[from] std::fmt::Error),
}

/// Marks an answer that the node does not know an item, or has forgotten it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forgotten;

/// Marks the last page of a list of which this node does not have the beginning.
#[derive(Clone, Copy, Debug)]
pub(super) enum Older {
    /// What was found before this time, seconds since 1970, is missing.
    Found(u32),
    /// Blocks or payments at this height and below are missing.
    Paid(u32),
    /// Reorganizations before this one are missing; all are if there is none.
    Reorganised(Option<Reorganisation>),
}

/// A reorganization: when this node saw it, seconds since 1970, its old tip and its new one.
pub(super) type Reorganisation = (u32, ShareId, ShareId);

impl ApiError {
    /// True for what an archive may know.
    fn is_forgotten(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::UnknownOrPruned { .. } | Self::Pruned(_) | Self::NoProof { .. })
    }

    /// An error for a parameter with an invalid value.
    pub(super) fn parameter(name: &'static str, wanted: &'static str, found: &str) -> Self {
        Self::Parameter { name, wanted, found: echo(found) }
    }

    /// An error for an item that this node does not know.
    pub(super) fn unknown(what: &'static str, id: impl ToString) -> Self {
        Self::Unknown { what, id: id.to_string() }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Parameter { .. } | Self::UnknownParameter { .. } | Self::Query | Self::Address(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::Unknown { .. }
            | Self::UnknownOrPruned { .. }
            | Self::NoProof { .. }
            | Self::Path
            | Self::NoNode { .. } => StatusCode::NOT_FOUND,
            Self::Pruned(_) => StatusCode::GONE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Body => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Host => StatusCode::FORBIDDEN,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Token | Self::WrongToken | Self::Public | Self::PairingCode => StatusCode::UNAUTHORIZED,
            Self::Full(_) => StatusCode::CONFLICT,
            Self::Slow | Self::Stopping | Self::Starting | Self::Archive(_) | Self::ArchiveEmpty => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Store(_) | Self::Stored(_) | Self::Metrics(_) | Self::Folder(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The header that tells a program when to retry, or how to send the token.
    fn header(&self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::TooMany { wait_s } => Some((header::RETRY_AFTER, (*wait_s).into())),
            Self::Slow | Self::Archive(_) | Self::ArchiveEmpty => Some((header::RETRY_AFTER, 1.into())),
            Self::Starting => Some((header::RETRY_AFTER, READING_RETRY_S.into())),
            Self::Token | Self::WrongToken | Self::Public | Self::PairingCode => {
                Some((header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"shoal\"")))
            }
            _ => None,
        }
    }
}

impl From<EngineStopped> for ApiError {
    fn from(_: EngineStopped) -> Self {
        Self::Stopping
    }
}

impl From<ArchiveError> for ApiError {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
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
        // The cause of an internal error is for the operator, not for the client.
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            error!(error = sentence(&self), "an API request failed");
            return (status, Json(ErrorBody { error: self.to_string() })).into_response();
        }
        let headers: HeaderMap = self.header().into_iter().collect();
        if let Self::Archive(cause) = &self {
            // The task that follows the archive reports an unreachable server, once.
            if !cause.is_away() {
                error!(error = sentence(&self), "an API request failed");
            }
            return (status, headers, Json(ErrorBody { error: self.to_string() })).into_response();
        }
        let mut response = (status, headers, Json(ErrorBody { error: sentence(&self) })).into_response();
        if self.is_forgotten() {
            response.extensions_mut().insert(Forgotten);
        }
        response
    }
}

/// A client's own text, truncated and without control characters.
pub(super) fn echo(text: &str) -> String {
    text.chars().take(ECHO_CHARS_MAX).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
