//! `/api/v1/reorganisations`: the reorganizations of the share-chain that this node saw, and what became of the work on
//! the abandoned branches.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use sharechain::ShareId;
use sharechain::chain::{Chain, Fate};
use utoipa::ToSchema;

use super::context::Api;
use super::error::{ApiError, ErrorBody, Older};
use super::limits::LEFT_SHARES_MAX;
use super::params::Paging;
use super::pruned::paged;
use crate::history::{Event, Reorganised};

/// A page of the share-chain's reorganizations that this node saw.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Reorganisations {
    /// Entries of this page, newest first.
    pub reorganisations: Vec<Reorganisation>,
    /// `from` of the next page; none on the last page.
    pub next_from: Option<u64>,
}

/// A reorganization of the share-chain.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Reorganisation {
    /// When this node saw it, seconds since 1970.
    pub time_unix_s: u32,
    /// Id of the old tip.
    pub old_tip: String,
    /// Id of the new tip.
    pub new_tip: String,
    /// Height of the last link that both branches share.
    pub fork_height: u32,
    /// Number of links that left the main chain.
    pub depth: u32,
    /// Number of links that entered the main chain.
    pub connected: u32,
    /// What became of the work on the abandoned branch; none once the node has dropped that branch, and after the first
    /// 65,536 shares of a page.
    pub left: Option<Left>,
}

/// What became of the work on an abandoned branch: the links that left the main chain, and the shares that they list.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Left {
    /// Number of these shares, links included.
    pub shares: u32,
    /// Shares that count: the main chain lists them, or has them as links.
    pub listed: u32,
    /// Shares that wait to be listed.
    pub waiting: u32,
    /// Shares that no link can list anymore.
    pub lost: u32,
}

impl Reorganisation {
    fn new(event: Event, chain: &Chain, shares_max: &mut u32) -> Option<Self> {
        let what = event.reorganised?;
        let left = Left::of(chain, &what, shares_max);
        Some(Self {
            time_unix_s: event.time,
            old_tip: what.old.to_string(),
            new_tip: what.new.to_string(),
            fork_height: what.fork_height,
            depth: what.depth,
            connected: what.connected,
            left,
        })
    }
}

impl Left {
    /// Returns none if part of the branch was dropped from memory, or if `shares_max`, which every share reduces, is
    /// used up.
    fn of(chain: &Chain, what: &Reorganised, shares_max: &mut u32) -> Option<Self> {
        let mut left = Self::default();
        let mut at = ShareId::from(what.old);
        for _ in 0..what.depth {
            let link = chain.link(&at)?;
            let list = &link.complete()?.list;
            if list.len() < usize::from(link.shares_count) {
                return None;
            }
            for id in list.iter().chain([&at]) {
                *shares_max = shares_max.checked_sub(1)?;
                left.count(chain.fate(id))?;
            }
            at = link.parent;
        }
        Some(left)
    }

    fn count(&mut self, fate: Fate) -> Option<()> {
        self.shares = self.shares.saturating_add(1);
        let of_kind = match fate {
            Fate::MainLink(_) | Fate::Listed { .. } => &mut self.listed,
            Fate::Pending | Fate::Held(_) => &mut self.waiting,
            Fate::Expired | Fate::Refused(_) => &mut self.lost,
            Fate::Unknown => return None,
        };
        *of_kind = of_kind.saturating_add(1);
        Some(())
    }
}

/// Lists the reorganizations of the share-chain that this node saw, newest first.
#[utoipa::path(
    get, path = "/api/v1/reorganisations", params(Paging),
    responses(
        (status = 200, description = "Reorganizations, newest first", body = Reorganisations),
        (status = 400, description = "A parameter is invalid", body = ErrorBody),
    )
)]
pub(super) async fn reorganisations(State(api): State<Arc<Api>>, paging: Paging) -> Result<Response, ApiError> {
    let (history, chain) = (api.context.history.clone(), api.chain());
    let read = move |_: &_| {
        let page = history.reorganisations(paging.from, paging.items())?;
        let oldest = page.items.last().and_then(|event| {
            let what = event.reorganised.as_ref()?;
            Some((event.time, what.old.into(), what.new.into()))
        });
        // The event log begins when the node did, and ends with its newest events. A page that is empty because of its number has no
        // place in the archive's list.
        let older = (oldest.is_some() || paging.from.is_none()).then_some(Older::Reorganised(oldest));
        let mut shares_max = LEFT_SHARES_MAX;
        let one = |event| Reorganisation::new(event, &chain, &mut shares_max);
        let reorganisations = page.items.into_iter().filter_map(one).collect();
        Ok((Reorganisations { reorganisations, next_from: page.next_from }, older))
    };
    let (answer, older) = api.read(read).await?;
    let next_from = answer.next_from;
    Ok(paged(Json(answer), next_from, older))
}
