//! Answers from the archive for a node that has forgotten something.

use std::sync::Arc;
use std::time::Instant;

use archive::read::Archive;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use sharechain::ChainParams;
use tokio::sync::Mutex;

use super::now::Kept;
use super::state::{Place, View};
use super::{blocks, chain, miners, search, shares, steps};
use crate::api::error::{ApiError, Older, Reorganisation};
use crate::api::limits::ARCHIVE_LOOK;
use crate::api::params::{Hash, Segment};
use crate::config::Config;

/// The archive of a node. The node only shows its answers, and uses them for nothing else.
pub(in crate::api) struct Behind {
    view: Arc<View>,
    /// State from the last read of the newest links, and when that was.
    kept: Mutex<(Kept, Option<Instant>)>,
}

impl Behind {
    /// The archive in the settings, if there is one.
    pub(in crate::api) fn of(config: &Arc<Config>, params: &ChainParams) -> Option<Self> {
        let archive = Archive::new(config.archive.clone()?, params);
        let view = View::new(Arc::clone(config), params.clone(), archive, String::new());
        Some(Self { view: Arc::new(view), kept: Mutex::default() })
    }

    /// Reads the newest links, unless the last read is less than [`ARCHIVE_LOOK`] ago.
    async fn look(&self) -> Result<(), ApiError> {
        let mut kept = self.kept.lock().await;
        if kept.1.is_some_and(|looked| looked.elapsed() < ARCHIVE_LOOK) {
            return Ok(());
        }
        let newest = kept.0.read_little(&self.view.archive).await?.ok_or(ApiError::ArchiveEmpty)?;
        self.view.now.send_replace(Some(Arc::new(newest)));
        kept.1 = Some(Instant::now());
        Ok(())
    }

    /// Where a list goes on in the archive: `from` of its next page there. None if nothing is older.
    ///
    /// # Errors
    /// The archive cannot be read.
    pub(in crate::api) async fn goes_on(&self, path: &str, older: Older) -> Result<Option<u64>, ApiError> {
        let archive = &self.view.archive;
        let path: Vec<&str> = path.strip_prefix("/api/v1/").unwrap_or_default().split('/').collect();
        Ok(match (&path[..], older) {
            (["blocks"], Older::Paid(height)) => {
                let blocks = archive.blocks_down(height, 0, 1).await?;
                blocks.first().map(|_| Place { height, skip: 0 }.from())
            }
            (["pool", "history"], Older::Found(time)) => {
                let first = archive.lowest_time().await?;
                first.filter(|first| *first <= time).map(|_| u64::from(time.saturating_sub(1)))
            }
            (["reorganisations"], Older::Reorganised(last)) => self.reorganisations_before(last).await?,
            (["miners", address, _], Older::Paid(height)) => {
                let payments = archive.payments(&self.view.script(address)?, height, 0, 1).await?;
                payments.first().map(|_| Place { height, skip: 0 }.from())
            }
            (["miners", address, list], Older::Found(time)) => {
                let place = archive.share_before(&self.view.script(address)?, time).await?;
                let is_by_time = *list == "history";
                place.map(
                    |(height, skip)| {
                        if is_by_time { u64::from(time.saturating_sub(1)) } else { Place { height, skip }.from() }
                    },
                )
            }
            _ => None,
        })
    }

    /// Where the reorganizations before one go on. Times of the archive are those of tips, which come before a node sees them.
    async fn reorganisations_before(&self, last: Option<Reorganisation>) -> Result<Option<u64>, ApiError> {
        let archive = &self.view.archive;
        let place = match last {
            None => (u32::MAX, 0),
            Some((time, old, new)) => archive.reorganization_place(&old, &new).await?.unwrap_or((time, 0)),
        };
        let older = archive.reorganizations(place, 1).await?;
        Ok(older.first().map(|_| Place { height: place.0, skip: place.1 }.from()))
    }

    /// The archive's answer to a request that the node could not answer.
    ///
    /// # Errors
    /// The archive does not know it either, or cannot be read.
    pub(in crate::api) async fn answer(&self, request: Request) -> Result<Response, ApiError> {
        let (mut parts, _) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let path: Vec<&str> = path.strip_prefix("/api/v1/").unwrap_or_default().split('/').collect();
        if !matches!(
            path[..],
            ["links" | "blocks" | "shares" | "graph" | "search" | "miners" | "reorganisations", ..]
                | ["pool", "history"]
        ) {
            return Err(ApiError::Path);
        }
        self.look().await?;
        let view = || State(Arc::clone(&self.view));
        let segment = |text: &&str| Segment((*text).to_owned());
        Ok(match &path[..] {
            ["links"] => chain::links(view(), query(&mut parts).await?).await?.into_response(),
            ["links", id] => chain::link(view(), segment(id)).await?,
            ["reorganisations"] => chain::reorganisations(view(), query(&mut parts).await?).await?.into_response(),
            ["pool", "history"] => steps::history(view(), query(&mut parts).await?).await?.into_response(),
            ["blocks"] => blocks::blocks(view(), query(&mut parts).await?).await?.into_response(),
            ["blocks", hash] => blocks::block(view(), segment(hash), query(&mut parts).await?).await?,
            ["blocks", hash, "proof"] => {
                blocks::payout_proof(view(), segment(hash), query(&mut parts).await?).await?.into_response()
            }
            ["shares", id] => shares::share(view(), Hash(id.parse().map_err(|_| ApiError::Path)?)).await?,
            ["graph"] => chain::graph(view(), query(&mut parts).await?).await?,
            ["miners", address, "shares"] => {
                miners::shares(view(), segment(address), query(&mut parts).await?).await?.into_response()
            }
            ["miners", address, "payments"] => {
                miners::payments(view(), segment(address), query(&mut parts).await?).await?.into_response()
            }
            ["miners", address, "history"] => {
                steps::miner_history(view(), segment(address), query(&mut parts).await?).await?.into_response()
            }
            ["search"] => search::search(view(), query(&mut parts).await?).await?.into_response(),
            _ => return Err(ApiError::Path),
        })
    }
}

async fn query<T: FromRequestParts<(), Rejection = ApiError>>(parts: &mut Parts) -> Result<T, ApiError> {
    T::from_request_parts(parts, &()).await
}
