//! Schedules requests.

use std::collections::BTreeMap;

use bitcoin::BlockHash;
use sharechain::ShareId;

use super::{Output, Purpose, Sync, SyncState, Want};
use crate::PeerId;
use crate::limits::{
    BUSY_PAUSE_MS, HEADERS_WANTED_MAX, IN_FLIGHT_MAX, IN_FLIGHT_PER_PEER_MAX, LOCATOR_MAX, PROOFS_MAX,
};
use crate::message::{Request, RequestKind};

/// Wanted ids gathered for one peer.
#[derive(Default)]
struct Batch {
    proofs: Vec<Want>,
    headers: Vec<Want>,
}

impl Batch {
    /// Adds an item to its list. Returns false if that list is full.
    fn add(&mut self, want: Want) -> bool {
        let (room, max) = match want {
            Want::Proof(_) | Want::List(_) => (&mut self.proofs, PROOFS_MAX),
            Want::Header(_) => (&mut self.headers, HEADERS_WANTED_MAX),
        };
        if room.len() >= max {
            return false;
        }
        room.push(want);
        true
    }
}

impl Sync {
    pub(super) fn send(&mut self, peer: PeerId, purpose: Purpose, wants: Vec<Want>, request: Request) {
        self.asked.request(peer, request.kind(), self.now);
        let id = self.flights.start(peer, purpose, wants, self.now);
        self.outputs.push_back(Output::Request { peer, id, request });
    }

    pub(super) fn schedule(&mut self) {
        self.schedule_tips();
        self.schedule_headers();
        self.schedule_rows();
        self.schedule_wants();
        self.schedule_pending();
    }

    fn schedule_tips(&mut self) {
        let due: Vec<_> =
            self.peers.iter().filter(|(_, peer)| peer.next_tip_at <= self.now).map(|(id, _)| id).collect();
        for peer in due {
            if !self.flights.any(peer, Purpose::Tip) {
                self.peers.tip_asked(peer, self.now);
                self.send(peer, Purpose::Tip, Vec::new(), Request::Tip);
            }
        }
    }

    /// Requests unlisted shares, once this node is in sync and can judge them.
    fn schedule_pending(&mut self) {
        if self.state != SyncState::Synced || self.leader().is_some() {
            return;
        }
        let due = self.peers.iter().filter(|(_, peer)| peer.claim.is_some() && peer.next_pending_at <= self.now);
        let due: Vec<_> = due.map(|(id, _)| id).collect();
        for peer in due {
            if !self.flights.any(peer, Purpose::Pending) {
                self.peers.pending_asked(peer, self.now);
                self.send(peer, Purpose::Pending, Vec::new(), Request::Pending);
            }
        }
    }

    /// Requests wanted ids, in rounds with one request per peer and kind, so that the load spreads.
    fn schedule_wants(&mut self) {
        while self.schedule_round() {}
    }

    /// Sends one request per free peer and kind. True if it sent any.
    fn schedule_round(&mut self) -> bool {
        let free = IN_FLIGHT_MAX.saturating_sub(self.flights.large());
        let peers = self.free_peers();
        if free == 0 || peers.is_empty() {
            return false;
        }
        let mut batches: BTreeMap<PeerId, Batch> = BTreeMap::new();
        for want in self.wants.due(self.now, free * PROOFS_MAX) {
            match self.wants.choose(want, &peers) {
                // Items that do not fit go into the next round.
                Some(peer) if batches.entry(peer).or_default().add(want) => self.wants.under_way(want),
                Some(_) => {}
                // All suitable peers are busy. Checking thousands of such ids on every event would be too slow.
                None => self.wants.postpone(want, self.now.plus(BUSY_PAUSE_MS)),
            }
        }
        let sends = !batches.is_empty();
        for (peer, batch) in batches {
            if !batch.proofs.is_empty() {
                let request = Request::Proofs { ids: share_ids(&batch.proofs) };
                self.send(peer, Purpose::Wants, batch.proofs, request);
            }
            if !batch.headers.is_empty() {
                let wanted = block_hashes(&batch.headers);
                let locator = self.local.bitcoin_locator.iter().copied().take(LOCATOR_MAX).collect();
                self.send(peer, Purpose::Wants, batch.headers, Request::Headers { wanted, locator });
            }
        }
        sends
    }

    /// Peers that may get a large request, the most reliable and least busy first.
    fn free_peers(&mut self) -> Vec<PeerId> {
        let (asked, now) = (&mut self.asked, self.now);
        let mut may_ask = |peer, kind| asked.allows(peer, kind, now);
        let mut free: Vec<_> = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.rested_at <= now)
            .map(|(id, peer)| (peer.failures, self.flights.large_of(id), id))
            .filter(|(_, under_way, _)| *under_way < IN_FLIGHT_PER_PEER_MAX)
            .filter(|(.., id)| may_ask(*id, RequestKind::Proofs) && may_ask(*id, RequestKind::Headers))
            .collect();
        free.sort_unstable();
        free.into_iter().map(|(.., id)| id).collect()
    }
}

/// Ids to request. A response holds a proof with its list, so an id that is wanted for both appears once.
fn share_ids(wants: &[Want]) -> Vec<ShareId> {
    let mut ids: Vec<_> = wants
        .iter()
        .filter_map(|want| match want {
            Want::Proof(id) | Want::List(id) => Some(*id),
            Want::Header(_) => None,
        })
        .collect();
    let mut seen = std::collections::BTreeSet::new();
    ids.retain(|id| seen.insert(*id));
    ids
}

fn block_hashes(wants: &[Want]) -> Vec<BlockHash> {
    wants
        .iter()
        .filter_map(|want| match want {
            Want::Header(hash) => Some(*hash),
            Want::Proof(_) | Want::List(_) => None,
        })
        .collect()
}
