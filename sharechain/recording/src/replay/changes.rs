//! The changes that the lines of a recording cause, for callers that keep them.

use sharechain::change_set::ChangeSet;

use super::Replay;

impl Replay {
    /// Keeps changes from now on. The caller takes them with [`Self::take_changes`] after every line.
    pub fn keep_changes(&mut self) {
        self.changes = Some(Vec::new());
    }

    /// Changes since the last call, oldest first. Empty unless [`Self::keep_changes`] was called.
    #[must_use]
    pub fn take_changes(&mut self) -> Vec<ChangeSet> {
        self.changes.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(super) fn note(&mut self, changes: ChangeSet) {
        if let Some(kept) = self.changes.as_mut().filter(|_| !changes.is_empty()) {
            kept.push(changes);
        }
    }
}
