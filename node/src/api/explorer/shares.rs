//! `/api/v1/shares/{id}`: the fate of a share.

use std::sync::Arc;

use archive::read::Share;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use sharechain::{Height, ShareId, Weight};

use super::now::Now;
use super::state::View;
use super::status::is_pending;
use crate::api::error::ApiError;
use crate::api::guard::Deep;
use crate::api::params::Hash;
use crate::api::shares::{FateName, ShareAnswer, ShareView};
use crate::api::views::Payee;

// The node's module describes this route.
pub(super) use crate::api::shares::__path_share;

fn fate(id: ShareId, share: Option<&Share>, newest: &Now, depth: u32) -> ShareAnswer {
    match share {
        None => ShareAnswer::new(id, FateName::Unknown, "the archive does not have it; it may never have been valid"),
        Some(Share { listed_in: Some((link, height)), .. }) if *link == id => ShareAnswer::link(id, Height(*height)),
        Some(Share { listed_in: Some((link, height)), .. }) => ShareAnswer::listed(id, *link, Height(*height)),
        Some(share) if is_pending(newest, &id) || share.height.saturating_add(depth) > newest.tip.height => {
            ShareAnswer::new(id, FateName::Pending, "it is valid and waits for the next link to list it")
        }
        Some(_) => ShareAnswer::expired(id),
    }
}

/// Returns the fate of a share. An id that the archive does not have is not an error: its fate is `unknown`.
pub(super) async fn share(State(view): State<Arc<View>>, Hash(id): Hash) -> Result<Response, ApiError> {
    let newest = view.now()?;
    let depth = view.params.listing_depth;
    let found = view.archive.share(&id, depth).await?;
    let answer = fate(id, found.as_ref(), &newest, depth);
    let Some(share) = found else { return Ok(Json(answer).into_response()) };
    let anchor = view.anchor_of_children(share.height.saturating_sub(1)).await?;
    let parent = if share.height == 1 { Some(view.params.genesis_id()) } else { share.parent };
    let is_deep = share.listed_in.is_some_and(|(_, height)| height <= newest.settled_height);
    let own = ShareView {
        payee: Payee::new(&share.script, view.network()),
        parent: parent.map(|parent| parent.to_string()).unwrap_or_default(),
        anchor: anchor.map(|anchor| anchor.to_string()),
        time_unix_s: share.time,
        bitcoin_height: share.bitcoin_height,
        prev_hash: None,
        extranonce: None,
        coinbase_value_sat: share.coinbase_value,
        is_bitcoin_block: share.is_block,
        weight: Some(Weight(share.weight).into()),
        validated_unix_s: None,
    };
    let answer = Json(ShareAnswer { share: Some(own), ..answer });
    Ok((is_deep.then_some(Extension(Deep)), answer).into_response())
}
