//! What this node no longer keeps, in one sentence, and lists whose beginning it lacks.

use axum::Extension;
use axum::response::{IntoResponse, Response};
use sharechain::chain::Chain;
use sharechain::{Height, Proof, ShareId};

use super::error::{ApiError, Older};
use crate::store::{RecordKind, Store, StoreError};

/// The answer, marked if it is the last page of a list whose beginning is older.
pub(super) fn paged(answer: impl IntoResponse, next_from: Option<u64>, older: Option<Older>) -> Response {
    match older.filter(|_| next_from.is_none()) {
        Some(older) => (Extension(older), answer).into_response(),
        None => answer.into_response(),
    }
}

/// Height of the oldest link that a chain keeps, unless it keeps all.
pub(super) fn oldest_kept(chain: &Chain) -> Option<u32> {
    Some(chain.bottom().0).filter(|bottom| *bottom > 0)
}

/// The sentence for something below the oldest link that a chain keeps.
pub(super) fn sentence(what: &str, oldest: u32) -> String {
    format!(
        "{what} is pruned: this node keeps links from height {oldest}; a node with `[store] keep = \"all\"` has it, and \
         `shoal export` writes it to a recording"
    )
}

/// Rejects a height below the oldest link that a chain keeps.
pub(super) fn check(chain: &Chain, height: u32) -> Result<(), ApiError> {
    match oldest_kept(chain) {
        Some(oldest) if height < oldest => Err(pruned(format!("the link at height {height}"), oldest)),
        _ => Ok(()),
    }
}

pub(super) fn pruned(what: String, oldest: u32) -> ApiError {
    ApiError::Pruned(sentence(&what, oldest))
}

/// True if the store still has a proof of what the chain has forgotten: a share on a link that is gone.
pub(super) fn is_forgotten(chain: &Chain, proof: &Proof) -> bool {
    oldest_kept(chain).is_some() && chain.link(&proof.share.parent).is_none()
}

/// The error for an id that a chain does not know as a link.
pub(super) fn no_link(chain: &Chain, id: ShareId, store: &Store) -> Result<ApiError, StoreError> {
    let Some(oldest) = oldest_kept(chain) else { return Ok(ApiError::unknown("link", id)) };
    // Each Bitcoin block of the pool is a link, too.
    let was_link = store.contains(RecordKind::Block, &id.0)?;
    Ok(if was_link { pruned(format!("the link {id}"), oldest) } else { ApiError::UnknownOrPruned { id, oldest } })
}

/// Heights from the oldest kept link up.
pub(super) fn from_oldest(chain: &Chain, from: u32) -> u32 {
    Height(from).max(chain.bottom()).0
}
