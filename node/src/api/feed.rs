//! `/api/v1/blocks.atom`: the pool's newest Bitcoin blocks as an Atom feed (RFC 4287).

use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use bitcoin::Amount;
use node_core::pool_block::PoolBlock;

use super::context::Api;
use super::error::{ApiError, ErrorBody};
use super::limits::FEED_BLOCKS;
use crate::config::Config;

/// Returns the pool's newest Bitcoin blocks as an Atom feed. Its links begin with `notify.pages_url`, or else with the
/// host of the request.
#[utoipa::path(
    get, path = "/api/v1/blocks.atom",
    responses(
        (status = 200, description = "A feed", content_type = "application/atom+xml", body = String),
        (status = 503, description = "The node is stopping", body = ErrorBody),
    )
)]
pub(super) async fn feed(State(api): State<Arc<Api>>, headers: HeaderMap) -> Result<Response, ApiError> {
    let rows = api.read(|store| store.blocks_down(u64::MAX).take(FEED_BLOCKS).collect::<Result<Vec<_>, _>>()).await?;
    let blocks: Result<Vec<_>, _> = rows.iter().map(|row| PoolBlock::from_bytes(&row.record.bytes)).collect();
    Ok(answer(&api.context.config, &headers, &blocks.map_err(ApiError::Stored)?))
}

/// The feed of these blocks. Its links begin with `notify.pages_url`, or else with the host that was asked.
pub(super) fn answer(config: &Config, headers: &HeaderMap, blocks: &[PoolBlock]) -> Response {
    let kind = (header::CONTENT_TYPE, "application/atom+xml");
    let text = |base: &str| atom(&escaped(base), config.network.name(), blocks);
    if let Some(url) = &config.notify.pages_url {
        return ([kind], text(url.as_str().trim_end_matches('/'))).into_response();
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    // Else a cache would give one reader the links that another one's host made.
    ([kind, (header::VARY, "host")], text(&format!("http://{host}"))).into_response()
}

/// `base` is the URL of the pages.
fn atom(base: &str, network: &str, blocks: &[PoolBlock]) -> String {
    let updated = time(blocks.first().map_or(0, |block| block.time));
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <title>Bitcoin blocks of the pool Shoal ({network})</title>\n<id>urn:shoal:{network}:blocks</id>\n\
         <updated>{updated}</updated>\n<author><name>Shoal</name></author>\n<link href=\"{base}/blocks\"/>\n\
         <link rel=\"self\" href=\"{base}/api/v1/blocks.atom\"/>\n"
    );
    for PoolBlock { hash, height, time: found, value_sat, payouts, .. } in blocks {
        let (found, value) = (time(*found), Amount::from_sat(*value_sat));
        let to = if payouts.len() == 1 { "one address".to_owned() } else { format!("{} addresses", payouts.len()) };
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "<entry><title>Block {height}</title><id>urn:shoal:{network}:block:{hash}</id><updated>{found}</updated>\
             <link href=\"{base}/blocks/{hash}\"/><summary>Pays {value} to {to}.</summary></entry>"
        );
    }
    text + "</feed>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

/// Seconds since 1970 as RFC 3339 writes them. By Howard Hinnant's `civil_from_days`.
fn time(unix_s: u32) -> String {
    let (days, of_day) = (u64::from(unix_s) / 86_400, unix_s % 86_400);
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests;
