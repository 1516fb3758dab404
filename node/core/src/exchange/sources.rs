//! Numbers for peers, which identify senders to the chain.

use std::collections::BTreeMap;

use p2p_proto::PeerId;
use sharechain::change_set::Source;

use crate::limits::SOURCES_MAX;

/// The numbers of up to [`SOURCES_MAX`] peers. They outlive connections, so that a late rejection can still be
/// attributed to a peer that has disconnected.
#[derive(Debug, Default)]
pub(super) struct Sources {
    by_peer: BTreeMap<PeerId, Source>,
    by_source: BTreeMap<Source, PeerId>,
    last: u64,
}

impl Sources {
    /// Returns the number of a peer, and assigns one if it has none.
    pub(super) fn of(&mut self, peer: PeerId) -> Source {
        if let Some(source) = self.by_peer.get(&peer) {
            return *source;
        }
        self.last += 1;
        let source = Source(self.last);
        self.by_peer.insert(peer, source);
        self.by_source.insert(source, peer);
        if self.by_source.len() > SOURCES_MAX
            && let Some((_, oldest)) = self.by_source.pop_first()
        {
            self.by_peer.remove(&oldest);
        }
        source
    }

    /// The peer with this number, unless the number is forgotten.
    pub(super) fn peer(&self, source: Source) -> Option<PeerId> {
        self.by_source.get(&source).copied()
    }
}
