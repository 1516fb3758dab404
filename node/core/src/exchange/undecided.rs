//! Gossip without a verdict, because the chain holds its proof. It is forwarded if the proof becomes valid soon.

use std::collections::VecDeque;

use p2p_proto::VerdictToken;
use sharechain::ShareId;

use crate::limits::UNDECIDED_MAX;

/// Tokens by the proof they wait for, oldest first.
#[derive(Debug, Default)]
pub(super) struct Undecided(VecDeque<(ShareId, VerdictToken)>);

impl Undecided {
    /// Adds a message. Drops the oldest when [`UNDECIDED_MAX`] are waiting.
    pub(super) fn note(&mut self, id: ShareId, token: VerdictToken) {
        // The network layer itself expires messages that wait too long.
        if self.0.len() >= UNDECIDED_MAX {
            self.0.pop_front();
        }
        self.0.push_back((id, token));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Removes and returns the messages that wait for this proof.
    pub(super) fn take(&mut self, id: ShareId) -> Vec<VerdictToken> {
        let decided: Vec<_> = self.0.iter().filter(|(known, _)| *known == id).map(|(_, token)| *token).collect();
        if !decided.is_empty() {
            self.0.retain(|(known, _)| *known != id);
        }
        decided
    }
}
