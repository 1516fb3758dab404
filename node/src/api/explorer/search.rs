//! `/api/v1/search`: finds pages by address, id, hash or height.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use sharechain::ShareId;

use super::state::View;
use crate::api::error::ApiError;
use crate::api::limits::FOUND_MAX;
use crate::api::params::Query;
use crate::api::search::{Hit, SearchResult, end_of_id, miner_of_script, unnamed, words};
use crate::config::parse_address;

// The node's module describes this route.
pub(super) use crate::api::search::__path_search;

/// Finds pages by address, id, hash or height, also by the shortened forms that the pages show: the last digits of an id, or
/// the start and the end of an address of the PPLNS window with `…` between them.
pub(super) async fn search(State(view): State<Arc<View>>, Query { q }: Query) -> Result<Json<SearchResult>, ApiError> {
    let words = words(&q);
    let words = words.as_str();
    if let Some((start, end)) = words.split_once('\u{2026}') {
        let found = Hit::by_short_address(&view.now()?.standing, start, end, view.network());
        return Ok(Json(SearchResult { found, pruned: None }));
    }
    if let Ok(address) = parse_address(unnamed(&q), view.config.network) {
        return Ok(Json(SearchResult { found: vec![Hit::address(&address)], pruned: None }));
    }
    let mut found = match (words.parse::<ShareId>(), words.parse::<u32>()) {
        (Ok(id), _) => view.by_id(id).await?,
        (_, Ok(height)) => view.by_height(height).await?,
        _ => Vec::new(),
    };
    found.extend(miner_of_script(words, view.network()));
    if let Some(end) = end_of_id(words) {
        let words = words.to_ascii_lowercase();
        let ids = view.archive.shares_like(&end, FOUND_MAX).await?;
        for id in ids.into_iter().filter(|id| id.to_string().ends_with(&words)) {
            found.extend(view.by_id(id).await?);
        }
    }
    Ok(Json(SearchResult { found, pruned: None }))
}

impl View {
    async fn by_id(&self, id: ShareId) -> Result<Vec<Hit>, ApiError> {
        let is_share = self.archive.share(&id, 0).await?.is_some();
        let is_block = self.archive.block(&id).await?.is_some();
        let is_link = id == self.params.genesis_id() || self.archive.link(&id).await?.is_some();
        Ok(Hit::of_id(id, is_block, is_link, is_share))
    }

    async fn by_height(&self, height: u32) -> Result<Vec<Hit>, ApiError> {
        let blocks = self.archive.blocks_at(height).await?;
        let link = match height {
            0 => Some(self.params.genesis_id()),
            height => self.archive.link_at(height).await?.map(|link| link.id),
        };
        Ok(Hit::of_height(height, &blocks, link))
    }
}
