//! The final link outlives the process: branches without it stay refused after a restart.

use sharechain::{Height, ShareId};
use tracing::warn;

use super::Engine;
use crate::journal::{Journal, Record, RecordKind};

/// Name under which the last final link is stored.
const FINAL_LINK: [u8; 32] = *b"last final link                 ";

/// Forgets the stored final link, so that the engine opened next follows the heaviest branch of all. Finality grows anew
/// from there.
///
/// # Errors
/// The store cannot be read or written.
pub fn forget_final<J: Journal>(store: &J) -> Result<(), J::Error> {
    match stored_final(store)? {
        Some(link) => warn!(%link, "the final link was forgotten as told: the heaviest branch wins"),
        None => warn!("no final link was stored that could be forgotten: the heaviest branch wins anyway"),
    }
    // A record without a link's id; meta records are replaced, never removed.
    store.append(&[Record { kind: RecordKind::Meta, id: FINAL_LINK, bytes: Vec::new() }])
}

pub(super) fn stored_final<J: Journal>(store: &J) -> Result<Option<ShareId>, J::Error> {
    let bytes = store.get(RecordKind::Meta, &FINAL_LINK)?;
    Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map(ShareId))
}

impl<J: Journal> Engine<J> {
    pub(super) fn store_final(&mut self) {
        let finality = self.chain.finality();
        if finality.height == Height(0) || self.stored_final == Some(finality.id) {
            return;
        }
        let id = finality.id;
        self.append(&[Record { kind: RecordKind::Meta, id: FINAL_LINK, bytes: id.0.to_vec() }]);
        self.stored_final = Some(id);
    }
}
