//! Records in the store that name a link: the settled one, so that branches without it still conflict after a restart,
//! and the operator's trusted one.

use sharechain::{Height, ShareId};
use tracing::warn;

use super::Engine;
use crate::journal::{Journal, Record, RecordKind};

/// Record id of the record of the last settled link.
const SETTLED: [u8; 32] = *b"last settled link               ";

/// Record id of the record of the last trusted link that was found on the main chain.
const TRUSTED: [u8; 32] = *b"trusted link that was found     ";

/// A note that names this link, or none: meta records are replaced, never removed.
fn note(id: [u8; 32], link: Option<&ShareId>) -> Record {
    Record { kind: RecordKind::Meta, id, bytes: link.map(|link| link.0.to_vec()).unwrap_or_default() }
}

/// The link that a note names.
fn noted<J: Journal>(store: &J, id: &[u8; 32]) -> Result<Option<ShareId>, J::Error> {
    let bytes = store.get(RecordKind::Meta, id)?;
    Ok(bytes.and_then(|bytes| bytes.try_into().ok()).map(ShareId))
}

pub(super) fn stored_settled<J: Journal>(store: &J) -> Result<Option<ShareId>, J::Error> {
    noted(store, &SETTLED)
}

/// Forgets the stored settled link, so that the next engine opened follows the heaviest branch. Links on that branch
/// then settle as usual.
///
/// # Errors
/// The store cannot be read or written.
pub fn forget_settled<J: Journal>(store: &J) -> Result<(), J::Error> {
    match stored_settled(store)? {
        Some(link) => warn!(%link, "the settled link is forgotten as requested; the node follows the heaviest branch"),
        None => warn!("no settled link is stored; the node follows the heaviest branch anyway"),
    }
    store.append(&[note(SETTLED, None)])
}

impl<J: Journal> Engine<J> {
    /// True if a link that the operator trusts was on the main chain once. From then on, settled links stand for it.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn had_trusted(&self, link: &ShareId) -> Result<bool, J::Error> {
        Ok(noted(&*self.store, &TRUSTED)?.as_ref() == Some(link))
    }

    /// Records that a link that the operator trusts is on the main chain, and settles it: otherwise a heavier branch could
    /// undo it until something else is settled.
    pub(crate) fn note_trusted(&mut self, link: &ShareId) {
        if self.chain.link(link).is_some() {
            self.chain.restore_settled(*link);
            self.store_settled();
        }
        self.append(&[note(TRUSTED, Some(link))]);
    }

    pub(super) fn store_settled(&mut self) {
        let settled = self.chain.settled();
        if settled.height == Height(0) || self.stored_settled == Some(settled.id) {
            return;
        }
        let id = settled.id;
        self.append(&[note(SETTLED, Some(&id))]);
        self.stored_settled = Some(id);
    }
}
