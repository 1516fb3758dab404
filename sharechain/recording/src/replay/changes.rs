//! What the lines of a recording change, for those who keep what a chain does.

use sharechain::change_set::ChangeSet;

use super::Replay;

impl Replay {
    /// From now on keeps what changes, until [`Self::take_changes`]. The caller takes it after every line.
    pub fn keep_changes(&mut self) {
        self.changes = Some(Vec::new());
    }

    /// What changed since the last call, oldest first. Empty unless [`Self::keep_changes`] was called.
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
