//! Keeps the window that each Bitcoin block of the pool pays by, so that payout proofs outlive the weights in memory.

use bitcoin::Target;
use sharechain::change_set::ChangeSet;
use sharechain::{Proof, ShareId};

use super::Engine;
use crate::journal::{Forgotten, Journal, Record, RecordKind};
use crate::limits::WINDOWS_BYTES_MAX;
use crate::pool_window;

impl<J: Journal> Engine<J> {
    /// Records of the windows of blocks that have become complete, when their state roots are known to be right.
    pub(super) fn window_records(&mut self, changes: &ChangeSet) -> Vec<Record> {
        let mut records = Vec::new();
        for id in changes.completed.iter().filter(|id| self.is_block_link(id)).copied().collect::<Vec<_>>() {
            match self.proof_without_window(&id, changes) {
                Ok(Some(proof)) => {
                    let window = self.chain.block_window(&proof);
                    records.extend(window.iter().flat_map(pool_window::to_records));
                }
                Ok(None) => {}
                Err(error) => self.fatal = Some(error),
            }
        }
        self.windows_grew |= !records.is_empty();
        records
    }

    fn is_block_link(&self, id: &ShareId) -> bool {
        self.chain.link(id).is_some_and(|link| Target::from_compact(link.bits).is_met_by(id.block_hash()))
    }

    /// The proof of a link whose window is not stored yet.
    fn proof_without_window(&self, id: &ShareId, changes: &ChangeSet) -> Result<Option<Proof>, J::Error> {
        if self.store.get(RecordKind::Window, &id.0)?.is_some() {
            return Ok(None);
        }
        if let Some(accepted) = changes.accepted.iter().find(|accepted| accepted.id == *id) {
            return Ok(Some(accepted.proof.clone()));
        }
        let bytes = self.store.get(RecordKind::Proof, &id.0)?;
        Ok(bytes.and_then(|bytes| Proof::decode(&bytes).ok()))
    }

    /// Forgets the oldest windows once all of them take too much.
    pub(super) fn forget_windows(&mut self) -> Result<(), J::Error> {
        if !std::mem::take(&mut self.windows_grew) {
            return Ok(());
        }
        self.store.forget(&Forgotten { windows_bytes: Some(WINDOWS_BYTES_MAX), ..Forgotten::default() })
    }
}
