//! Path segments and paging, read strictly: what cannot be read is an error with a sentence, never a default.

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use sharechain::ShareId;
use utoipa::IntoParams;

use super::error::{ApiError, echo};
use super::limits::{PAGE, PAGE_MAX};

const HASH: &str = "a hash of 64 hexadecimal digits, as Bitcoin shows it";

/// The hash at the end of a path.
pub(super) struct Hash(pub ShareId);

impl<S: Send + Sync> FromRequestParts<S> for Hash {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Segment(text) = Segment::from_request_parts(parts, state).await?;
        text.parse().map(Self).map_err(|_| ApiError::parameter("the id in the path", HASH, &text))
    }
}

/// The text at the end of a path.
pub(super) struct Segment(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Segment {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let text = Path::<String>::from_request_parts(parts, state).await;
        let Path(text) = text.map_err(|_| ApiError::parameter("the end of the path", "UTF-8 text", "it"))?;
        Ok(Self(text))
    }
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// The first item: what `next_from` of the page before says. Left out: the list's start.
    pub from: Option<u64>,
    /// How many items, 1 to 500; 100 if left out.
    #[param(minimum = 1, maximum = 500, default = 100)]
    pub limit: Option<usize>,
}

impl Paging {
    /// How many items to give.
    pub(super) fn items(&self) -> usize {
        self.limit.unwrap_or(PAGE)
    }

    fn read(fields: &[(String, String)]) -> Result<Self, ApiError> {
        let mut paging = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "from" => {
                    let from = value.parse();
                    let wrong = |_| ApiError::parameter("`from` in the query", "a number from 0 on", value);
                    paging.from = Some(from.map_err(wrong)?);
                }
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=PAGE_MAX).contains(limit));
                    let wrong = || ApiError::parameter("`limit` in the query", "a number from 1 to 500", value);
                    paging.limit = Some(limit.ok_or_else(wrong)?);
                }
                _ => return Err(ApiError::UnknownParameter { found: echo(name), known: "`from` and `limit`" }),
            }
        }
        Ok(paging)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Paging {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let fields: Result<Query<Vec<(String, String)>>, QueryRejection> =
            Query::from_request_parts(parts, state).await;
        let Query(fields) = fields.map_err(|_| ApiError::Query)?;
        Self::read(&fields)
    }
}

#[cfg(test)]
mod tests;
