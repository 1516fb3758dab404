//! `/api/v1/search`: finds pages by address, id, hash or height.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bitcoin::hex::FromHex;
use bitcoin::{Address, Network, ScriptBuf};
use serde::Serialize;
use sharechain::{Height, ShareId};
use utoipa::ToSchema;

use super::context::Api;
use super::error::{ApiError, ErrorBody, Forgotten};
use super::limits::FOUND_MAX;
use super::params::Query;
use super::pruned;
use super::windows::Standing;
use crate::config::parse_address;
use crate::store::RecordKind;

/// Hexadecimal digits of an id.
const ID_DIGITS: usize = 64;

/// Fewest digits that are searched as the end of an id. Fewer are a height.
const END_DIGITS_MIN: usize = 6;

/// Words that the pages show before an id or a height.
const NAMES: [&str; 7] = ["bitcoin", "block", "link", "share", "miner", "height", "script"];

/// Fewest hexadecimal digits of a script that pays an address.
const SCRIPT_DIGITS_MIN: usize = 44;

/// Search results. An empty result is not an error.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SearchResult {
    /// Matches, most likely first.
    pub found: Vec<Hit>,
    /// For a height of links that this node has pruned: one sentence that says from which height on it keeps them.
    pub pruned: Option<String>,
}

/// A match of the search query.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Hit {
    /// Kind of the match.
    pub kind: HitKind,
    /// Path of its page in the web application.
    pub path: String,
    /// Short title.
    pub title: String,
}

/// Kind of a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum HitKind {
    /// An address.
    Miner,
    /// A link of the share-chain.
    Link,
    /// A share.
    Share,
    /// A Bitcoin block that the pool found.
    Block,
}

impl Hit {
    fn new(kind: HitKind, path: String, title: impl Into<String>) -> Self {
        Self { kind, path, title: title.into() }
    }

    pub(super) fn address(address: &Address) -> Self {
        Self::new(HitKind::Miner, format!("/miners/{address}"), "an address")
    }

    /// The pages about an id.
    pub(super) fn of_id(id: ShareId, is_block: bool, is_link: bool, is_share: bool) -> Vec<Self> {
        let block = || Self::new(HitKind::Block, format!("/blocks/{id}"), "a Bitcoin block of the pool");
        let link = || Self::new(HitKind::Link, format!("/links/{id}"), "a link of the share-chain");
        let share = || Self::new(HitKind::Share, format!("/shares/{id}"), "a share");
        let hits = [is_block.then(block), is_link.then(link), is_share.then(share)];
        hits.into_iter().flatten().collect()
    }

    /// The pages about a height: those of the pool's Bitcoin blocks and of the main chain's link there.
    pub(super) fn of_height(height: u32, blocks: &[ShareId], link: Option<ShareId>) -> Vec<Self> {
        let block = |id: &ShareId| {
            let title = format!("the pool's Bitcoin block at height {height}");
            Self::new(HitKind::Block, format!("/blocks/{id}"), title)
        };
        let link = link.map(|id| {
            let title = format!("the link at height {height} of the share-chain");
            Self::new(HitKind::Link, format!("/links/{id}"), title)
        });
        blocks.iter().map(block).chain(link).collect()
    }

    /// The miners in a window whose addresses start and end like this.
    pub(super) fn by_short_address(standing: &Standing, start: &str, end: &str, network: Network) -> Vec<Self> {
        let scripts = standing.earners.iter().map(|(script, _)| script);
        let addresses = scripts.filter_map(|script| Address::from_script(script, network).ok());
        let hits = addresses
            .map(|address| address.to_string())
            .filter(|address| is_short_form(address, start, end))
            .map(|address| Self::new(HitKind::Miner, format!("/miners/{address}"), format!("the address {address}")));
        hits.take(FOUND_MAX).collect()
    }
}

/// The last bytes of an id, in byte order, from the hexadecimal digits at its end; none for a whole id, or for too few
/// digits.
pub(super) fn end_of_id(words: &str) -> Option<Vec<u8>> {
    let digits = words.len();
    if !(END_DIGITS_MIN..ID_DIGITS).contains(&digits) || !words.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = Vec::from_hex(words.get(digits % 2..)?).ok()?;
    bytes.reverse();
    Some(bytes)
}

/// The query without the words that name the kind of what follows, as in `link 1,234`.
pub(super) fn unnamed(q: &str) -> &str {
    let mut rest = q.trim();
    while let Some((word, after)) = rest.split_once(char::is_whitespace)
        && NAMES.iter().any(|name| name.eq_ignore_ascii_case(word))
    {
        rest = after.trim_start();
    }
    rest
}

/// The id, height or address in a query, which people copy from pages: shortened with `…` (or three dots), with commas in a
/// number, or with blanks.
pub(super) fn words(q: &str) -> String {
    let joined: String = unnamed(q).chars().filter(|letter| !letter.is_whitespace()).collect();
    let dotted = joined.replace("...", "\u{2026}");
    let words = dotted.trim_start_matches(['\u{2026}', '#']);
    let is_number = words.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
    if is_number { words.replace(',', "") } else { words.to_owned() }
}

/// True if an address starts and ends like this, in upper or lower case: base58 addresses that differ in case alone do not occur.
fn is_short_form(address: &str, start: &str, end: &str) -> bool {
    let begins = address.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start));
    let tail = address.len().checked_sub(end.len()).and_then(|from| address.get(from..));
    begins && tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// The miner that a script in hexadecimal digits pays.
pub(super) fn miner_of_script(words: &str, network: bitcoin::Network) -> Option<Hit> {
    let script = ScriptBuf::from_hex(words).ok().filter(|_| words.len() >= SCRIPT_DIGITS_MIN)?;
    let address = Address::from_script(&script, network).ok()?;
    Some(Hit::address(&address))
}

/// Finds pages by address, id, hash or height, also by the shortened forms that the pages show: the last digits of an id, or
/// the start and the end of an address of the PPLNS window with `…` between them.
#[utoipa::path(
    get, path = "/api/v1/search", params(Query),
    responses(
        (status = 200, description = "The matches", body = SearchResult),
        (status = 400, description = "The query is missing or invalid", body = ErrorBody),
    )
)]
pub(super) async fn search(State(api): State<Arc<Api>>, Query { q }: Query) -> Result<Response, ApiError> {
    let result = api.search(&q).await?;
    let is_forgotten = result.found.is_empty() || result.pruned.is_some();
    Ok((is_forgotten.then_some(Extension(Forgotten)), Json(result)).into_response())
}

impl Api {
    async fn search(&self, q: &str) -> Result<SearchResult, ApiError> {
        let words = words(q);
        let words = words.as_str();
        if let Some((start, end)) = words.split_once('\u{2026}') {
            let standing = self.windows.up_to(self.chain(), None).await?;
            let found = standing.map(|standing| Hit::by_short_address(&standing, start, end, self.network()));
            return Ok(SearchResult { found: found.unwrap_or_default(), pruned: None });
        }
        if let Ok(address) = parse_address(unnamed(q), self.context.config.network) {
            return Ok(SearchResult { found: vec![Hit::address(&address)], pruned: None });
        }
        let mut found = match (words.parse::<ShareId>(), words.parse::<u32>()) {
            (Ok(id), _) => self.by_id(id).await?,
            (_, Ok(height)) => self.by_height(height).await?,
            _ => Vec::new(),
        };
        found.extend(miner_of_script(words, self.network()));
        if let Some(end) = end_of_id(words) {
            found.extend(self.by_end(words, end).await?);
        }
        let oldest = pruned::oldest_kept(&self.chain());
        let below = words.parse::<u32>().ok().zip(oldest).filter(|(height, oldest)| height < oldest);
        let pruned = below.map(|(height, oldest)| pruned::sentence(&format!("the link at height {height}"), oldest));
        Ok(SearchResult { found, pruned })
    }

    async fn by_id(&self, id: ShareId) -> Result<Vec<Hit>, ApiError> {
        let is_link = self.chain().link(&id).is_some();
        let (is_block, is_share) = self
            .read(move |store| {
                let known = |kind| store.contains(kind, &id.0);
                Ok((known(RecordKind::Block)?, known(RecordKind::Proof)? || known(RecordKind::Refusal)?))
            })
            .await?;
        Ok(Hit::of_id(id, is_block, is_link, is_share))
    }

    /// Items whose ids end in these digits.
    async fn by_end(&self, words: &str, end: Vec<u8>) -> Result<Vec<Hit>, ApiError> {
        let words = words.to_ascii_lowercase();
        let ids = self
            .read(move |store| {
                let mut ids = BTreeSet::new();
                for kind in [RecordKind::Block, RecordKind::Proof, RecordKind::Refusal] {
                    ids.extend(store.find(kind, &end, FOUND_MAX)?);
                }
                Ok(ids)
            })
            .await?;
        let mut found = Vec::new();
        for id in ids.into_iter().filter(|id| id.to_string().ends_with(&words)).take(FOUND_MAX) {
            found.extend(self.by_id(id).await?);
        }
        Ok(found)
    }

    async fn by_height(&self, height: u32) -> Result<Vec<Hit>, ApiError> {
        let link = self.chain().main_at(Height(height));
        let history = self.context.history.clone();
        let blocks = self.read(move |_| history.blocks_at(height)).await?;
        Ok(Hit::of_height(height, &blocks, link))
    }
}

#[cfg(test)]
mod tests;
