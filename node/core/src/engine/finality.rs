//! Stores the final link, so that branches without it stay rejected after a restart.

use sharechain::{Height, ShareId};
use tracing::warn;

use super::Engine;
use crate::journal::{Journal, Record, RecordKind};

/// Record id of the last final link.
const FINAL_LINK: [u8; 32] = *b"last final link                 ";

/// Forgets the stored final link, so that the next engine opened follows the heaviest branch. Finality starts over from
/// there.
///
/// # Errors
/// The store cannot be read or written.
pub fn forget_final<J: Journal>(store: &J) -> Result<(), J::Error> {
    match stored_final(store)? {
        Some(link) => warn!(%link, "the final link is forgotten as requested; the node follows the heaviest branch"),
        None => warn!("no final link is stored; the node follows the heaviest branch anyway"),
    }
    // An empty record: meta records are replaced, never removed.
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
