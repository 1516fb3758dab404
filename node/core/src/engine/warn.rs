//! Logs what the operator must know about the chain.

use sharechain::ShareId;
use sharechain::limits::CONFLICT_LINKS;
use tracing::{error, warn};

use super::Engine;
use crate::journal::Journal;

/// Logs that a heavier branch would undo settled links.
pub(super) fn conflict(newest: ShareId) {
    error!(
        link = %newest,
        "a heavier branch would undo settled links; this node keeps working on its own branch, and switches \
         automatically once the other one has outgrown it for about three hours; if the branches split more than \
         {CONFLICT_LINKS} links ago, it does not: to follow the heavier branch, restart the node once with \
         `shoal run --follow-heaviest`"
    );
}

impl<J: Journal> Engine<J> {
    /// Logs once that the pool has upgraded to rules that this program does not know. The node keeps working.
    pub(super) fn warn_if_too_old(&mut self) {
        if self.said_too_old {
            return;
        }
        if let Some(bit) = self.chain.too_old() {
            self.said_too_old = true;
            warn!(
                bit,
                "the pool has upgraded its rules, and this version of shoal does not know the new ones; blocks and \
                 shares that it finds may not count; install a newer version"
            );
        }
    }
}
