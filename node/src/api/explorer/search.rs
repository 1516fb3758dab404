//! `/api/v1/search`: finds pages by address, id, hash or height.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use bitcoin::Address;
use sharechain::ShareId;

use super::state::View;
use crate::api::error::ApiError;
use crate::api::limits::FOUND_MAX;
use crate::api::params::Query;
use crate::api::search::{Hit, HitKind, SearchResult, end_of_id, is_short_form, miner_of_script, unnamed, words};
use crate::config::parse_address;

// The route is described where the node has it.
pub(super) use crate::api::search::__path_search;

/// Finds pages by address, id, hash or height, also by the shortened forms that the pages show: the last digits of an id, or
/// the start and the end of an address of the PPLNS window with `…` between them.
pub(super) async fn search(State(view): State<Arc<View>>, Query { q }: Query) -> Result<Json<SearchResult>, ApiError> {
    let words = words(&q);
    let words = words.as_str();
    if let Some((start, end)) = words.split_once('\u{2026}') {
        return Ok(Json(SearchResult { found: view.by_short_address(start, end)?, pruned: None }));
    }
    if let Ok(address) = parse_address(unnamed(&q), view.config.network) {
        let hit = Hit::new(HitKind::Miner, format!("/miners/{address}"), "an address");
        return Ok(Json(SearchResult { found: vec![hit], pruned: None }));
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
        let mut found = Vec::new();
        let share = self.archive.share(&id, 0).await?;
        if self.archive.block(&id).await?.is_some() {
            found.push(Hit::new(HitKind::Block, format!("/blocks/{id}"), "a Bitcoin block of the pool"));
        }
        if id == self.params.genesis_id() || self.archive.link(&id).await?.is_some() {
            found.push(Hit::new(HitKind::Link, format!("/links/{id}"), "a link of the share-chain"));
        }
        if share.is_some() {
            found.push(Hit::new(HitKind::Share, format!("/shares/{id}"), "a share"));
        }
        Ok(found)
    }

    /// The miners in the window whose addresses start and end like this.
    fn by_short_address(&self, start: &str, end: &str) -> Result<Vec<Hit>, ApiError> {
        let newest = self.now()?;
        let scripts = newest.standing.earners.iter().map(|(script, _)| script);
        let addresses = scripts.filter_map(|script| Address::from_script(script, self.network()).ok());
        let hits = addresses
            .map(|address| address.to_string())
            .filter(|address| is_short_form(address, start, end))
            .map(|address| Hit::new(HitKind::Miner, format!("/miners/{address}"), format!("the address {address}")));
        Ok(hits.take(FOUND_MAX).collect())
    }

    async fn by_height(&self, height: u32) -> Result<Vec<Hit>, ApiError> {
        let mut found: Vec<Hit> = Vec::new();
        for id in self.archive.blocks_at(height).await? {
            let title = format!("the pool's Bitcoin block at height {height}");
            found.push(Hit::new(HitKind::Block, format!("/blocks/{id}"), title));
        }
        let link = match height {
            0 => Some(self.params.genesis_id()),
            height => self.archive.link_at(height).await?.map(|link| link.id),
        };
        if let Some(id) = link {
            let title = format!("the link at height {height} of the share-chain");
            found.push(Hit::new(HitKind::Link, format!("/links/{id}"), title));
        }
        Ok(found)
    }
}
