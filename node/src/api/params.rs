//! Path segments and query parameters, parsed strictly: an invalid one is an error with a sentence, never a default.

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use sharechain::ShareId;
use utoipa::IntoParams;

use super::bans::{NewBan, OldBan};
use super::error::{ApiError, echo};
use super::limits::{GRAPH_LINKS, GRAPH_LINKS_MAX, PAGE, PAGE_MAX, STEP_S};
use super::manual::Named;
use super::power::NewSwitch;
use crate::history::STEPS_S;

const HASH: &str = "a hash of 64 hexadecimal digits";

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

/// Selects a page of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// First item: `next_from` of the previous page. Default: the start of the list.
    pub from: Option<u64>,
    /// Number of items, 1 to 500; 100 by default.
    #[param(minimum = 1, maximum = 500, default = 100)]
    pub limit: Option<usize>,
}

impl Paging {
    /// Number of items to return.
    pub(super) fn items(&self) -> usize {
        self.limit.unwrap_or(PAGE)
    }

    fn read(fields: &[(String, String)]) -> Result<Self, ApiError> {
        let mut paging = Self::default();
        for (name, value) in fields {
            if !paging.take(name, value)? {
                return Err(ApiError::UnknownParameter { found: echo(name), known: "`from` and `limit`" });
            }
        }
        Ok(paging)
    }

    /// Sets a parameter; returns false if it is not one of paging.
    fn take(&mut self, name: &str, value: &str) -> Result<bool, ApiError> {
        match name {
            "from" => self.from = Some(number("`from` in the query", value)?),
            "limit" => {
                let limit = value.parse().ok().filter(|limit| (1..=PAGE_MAX).contains(limit));
                let wrong = || ApiError::parameter("`limit` in the query", "a number from 1 to 500", value);
                self.limit = Some(limit.ok_or_else(wrong)?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn number<T: std::str::FromStr>(name: &'static str, value: &str) -> Result<T, ApiError> {
    value.parse().map_err(|_| ApiError::parameter(name, "a whole number, 0 or more", value))
}

/// Shortens the lists of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Most {
    /// Most entries of each list, 1 to 500. Default: all.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<usize>,
}

impl Most {
    fn read(fields: &[(String, String)]) -> Result<Self, ApiError> {
        let mut paging = Paging::default();
        for (name, value) in fields {
            if name != "limit" || !paging.take(name, value)? {
                return Err(ApiError::UnknownParameter { found: echo(name), known: "`limit`" });
            }
        }
        Ok(Self { limit: paging.limit })
    }
}

/// Selects steps of a history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Steps {
    /// Length of a step: 60, 600, 3600 or 86400 seconds; 600 by default.
    #[param(default = 600)]
    pub step: Option<u32>,
    /// Time of the newest step, seconds since 1970: `next_from` of the previous page. Default: the newest step.
    pub from: Option<u64>,
    /// Number of steps, 1 to 500; 100 by default.
    #[param(minimum = 1, maximum = 500, default = 100)]
    pub limit: Option<usize>,
}

impl Steps {
    /// Length of a step, seconds.
    pub(super) fn step_s(&self) -> u32 {
        self.step.unwrap_or(STEP_S)
    }

    /// Number of steps to return.
    pub(super) fn items(&self) -> usize {
        self.limit.unwrap_or(PAGE)
    }

    fn read(fields: &[(String, String)]) -> Result<Self, ApiError> {
        let mut paging = Paging::default();
        let mut step = None;
        for (name, value) in fields {
            if name == "step" {
                let known = value.parse().ok().filter(|step| STEPS_S.contains(step));
                let wrong = || ApiError::parameter("`step` in the query", "60, 600, 3600 or 86400", value);
                step = Some(known.ok_or_else(wrong)?);
            } else if !paging.take(name, value)? {
                return Err(ApiError::UnknownParameter { found: echo(name), known: "`step`, `from` and `limit`" });
            }
        }
        Ok(Self { step, from: paging.from, limit: paging.limit })
    }
}

/// Selects the links of a chain chart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Heights {
    /// Height of the highest link. Default: the tip.
    pub to: Option<u32>,
    /// Number of heights, 1 to 200; 60 by default.
    #[param(minimum = 1, maximum = 200, default = 60)]
    pub links: Option<u32>,
}

impl Heights {
    /// Number of heights to return.
    pub(super) fn links(&self) -> u32 {
        self.links.unwrap_or(GRAPH_LINKS)
    }

    fn read(fields: &[(String, String)]) -> Result<Self, ApiError> {
        let mut heights = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "to" => heights.to = Some(number("`to` in the query", value)?),
                "links" => {
                    let links = value.parse().ok().filter(|links| (1..=GRAPH_LINKS_MAX).contains(links));
                    let wrong = || ApiError::parameter("`links` in the query", "a number from 1 to 200", value);
                    heights.links = Some(links.ok_or_else(wrong)?);
                }
                _ => return Err(ApiError::UnknownParameter { found: echo(name), known: "`to` and `links`" }),
            }
        }
        Ok(heights)
    }
}

/// The search query.
#[derive(Clone, Debug, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Query {
    /// An address, an id or hash of 64 hexadecimal digits or its last 6 or more, or a height.
    pub q: String,
}

impl Query {
    fn read(fields: &[(String, String)]) -> Result<Self, ApiError> {
        match fields {
            [(name, value)] if name == "q" => Ok(Self { q: value.clone() }),
            [] => Err(ApiError::parameter("`q` in the query", "an address, an id, a hash or a height", "")),
            [(name, _), ..] => Err(ApiError::UnknownParameter { found: echo(name), known: "`q`, once" }),
        }
    }
}

/// The address that a payout proof is about.
#[derive(Clone, Debug, PartialEq, Eq, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct PaidAddress {
    /// A payout address.
    pub address: String,
}

impl PaidAddress {
    fn read(fields: &[(String, String)]) -> Result<Self, ApiError> {
        match fields {
            [(name, value)] if name == "address" => Ok(Self { address: value.clone() }),
            [] => Err(ApiError::parameter("`address` in the query", "a payout address", "")),
            [(name, _), ..] => Err(ApiError::UnknownParameter { found: echo(name), known: "`address`, once" }),
        }
    }
}

async fn fields<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Vec<(String, String)>, ApiError> {
    let fields: Result<axum::extract::Query<Vec<(String, String)>>, QueryRejection> =
        axum::extract::Query::from_request_parts(parts, state).await;
    Ok(fields.map_err(|_| ApiError::Query)?.0)
}

/// Parses the query string into each of these types.
macro_rules! from_query {
    ($($type:ident),*) => {
        $(impl<S: Send + Sync> FromRequestParts<S> for $type {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
                Self::read(&fields(parts, state).await?)
            }
        })*
    };
}

from_query!(Paging, Most, Steps, Heights, Query, PaidAddress, NewBan, OldBan, Named, NewSwitch);

#[cfg(test)]
mod tests;
