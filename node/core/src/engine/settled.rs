//! Stores the settled link, so that branches without it still conflict after a restart.

use sharechain::{Height, ShareId};
use tracing::warn;

use super::Engine;
use crate::journal::{Journal, Record, RecordKind};

/// Record id of the last settled link.
const SETTLED_LINK: [u8; 32] = *b"last settled link               ";

/// Record id of the last trusted link that was found on the main chain.
const TRUSTED_LINK: [u8; 32] = *b"trusted link that was found     ";

/// Forgets the stored settled link, so that the next engine opened follows the heaviest branch. From there, links settle
/// anew.
///
/// # Errors
/// The store cannot be read or written.
pub fn forget_settled<J: Journal>(store: &J) -> Result<(), J::Error> {
    match stored_settled(store)? {
        Some(link) => warn!(%link, "the settled link is forgotten as requested; the node follows the heaviest branch"),
        None => warn!("no settled link is stored; the node follows the heaviest branch anyway"),
    }
    // An empty record: meta records are replaced, never removed.
    store.append(&[Record { kind: RecordKind::Meta, id: SETTLED_LINK, bytes: Vec::new() }])
}

pub(super) fn stored_settled<J: Journal>(store: &J) -> Result<Option<ShareId>, J::Error> {
    let bytes = store.get(RecordKind::Meta, &SETTLED_LINK)?;
    Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map(ShareId))
}

impl<J: Journal> Engine<J> {
    /// True if a link that the operator trusts was on the main chain once. From then on, settled links stand for it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn had_trusted(&self, link: &ShareId) -> Result<bool, J::Error> {
        let stored = self.store.get(RecordKind::Meta, &TRUSTED_LINK)?;
        Ok(stored.is_some_and(|bytes| bytes == link.0))
    }

    /// Notes that a link that the operator trusts is on the main chain, and settles it: otherwise a heavier branch could
    /// undo it until something else is settled.
    pub(crate) fn note_trusted(&mut self, link: &ShareId) {
        if self.chain.link(link).is_some() {
            self.chain.restore_settled(*link);
            self.store_settled();
        }
        self.append(&[Record { kind: RecordKind::Meta, id: TRUSTED_LINK, bytes: link.0.to_vec() }]);
    }

    pub(super) fn store_settled(&mut self) {
        let settled = self.chain.settled();
        if settled.height == Height(0) || self.stored_settled == Some(settled.id) {
            return;
        }
        let id = settled.id;
        self.append(&[Record { kind: RecordKind::Meta, id: SETTLED_LINK, bytes: id.0.to_vec() }]);
        self.stored_settled = Some(id);
    }
}
