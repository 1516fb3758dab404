//! Requests in flight.

use std::collections::{BTreeMap, BTreeSet};

use super::{RequestId, Want};
use crate::limits::REQUEST_TIMEOUT_MS;
use crate::{Millis, PeerId};

/// Purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Periodic exchange of tips.
    Tip,
    /// Periodic exchange of unlisted shares.
    Pending,
    /// Next link headers of a peer's chain, or their beginning.
    Headers,
    /// Next rows of the chain that a newcomer chose.
    Rows,
    /// Wanted ids.
    Wants,
}

/// A request in flight.
#[derive(Clone, Debug)]
pub(super) struct Flight {
    pub(super) peer: PeerId,
    pub(super) purpose: Purpose,
    /// Items that it requests, if its purpose is [`Purpose::Wants`].
    pub(super) wants: Vec<Want>,
    deadline: Millis,
}

impl Flight {
    fn is_large(&self) -> bool {
        matches!(self.purpose, Purpose::Headers | Purpose::Rows | Purpose::Wants)
    }
}

/// All requests in flight.
#[derive(Clone, Debug, Default)]
pub(super) struct Flights {
    by_id: BTreeMap<RequestId, Flight>,
    by_deadline: BTreeSet<(Millis, RequestId)>,
    next_id: u64,
}

impl Flights {
    pub(super) fn start(&mut self, peer: PeerId, purpose: Purpose, wants: Vec<Want>, now: Millis) -> RequestId {
        let id = RequestId(self.next_id);
        self.next_id = self.next_id.wrapping_add(1);
        let deadline = now.plus(REQUEST_TIMEOUT_MS);
        self.by_deadline.insert((deadline, id));
        self.by_id.insert(id, Flight { peer, purpose, wants, deadline });
        id
    }

    pub(super) fn take(&mut self, id: RequestId) -> Option<Flight> {
        let flight = self.by_id.remove(&id)?;
        self.by_deadline.remove(&(flight.deadline, id));
        Some(flight)
    }

    pub(super) fn take_late(&mut self, now: Millis) -> Vec<Flight> {
        let late: Vec<_> =
            self.by_deadline.iter().take_while(|(deadline, _)| *deadline <= now).map(|(_, id)| *id).collect();
        late.into_iter().filter_map(|id| self.take(id)).collect()
    }

    pub(super) fn take_of(&mut self, peer: PeerId) -> Vec<Flight> {
        let ids: Vec<_> = self.by_id.iter().filter(|(_, flight)| flight.peer == peer).map(|(id, _)| *id).collect();
        ids.into_iter().filter_map(|id| self.take(id)).collect()
    }

    /// Ends the requests to a peer for one purpose. Their responses count as late.
    pub(super) fn drop_of(&mut self, peer: PeerId, purpose: Purpose) {
        let theirs = |flight: &Flight| flight.peer == peer && flight.purpose == purpose;
        let ids: Vec<_> = self.by_id.iter().filter(|(_, flight)| theirs(flight)).map(|(id, _)| *id).collect();
        ids.into_iter().for_each(|id| drop(self.take(id)));
    }

    /// True if the request is in flight.
    pub(super) fn has(&self, id: RequestId) -> bool {
        self.by_id.contains_key(&id)
    }

    /// Number of large requests in flight to all peers: those for wanted ids, headers and rows.
    pub(super) fn large(&self) -> usize {
        self.by_id.values().filter(|flight| flight.is_large()).count()
    }

    /// Number of large requests in flight to one peer.
    pub(super) fn large_of(&self, peer: PeerId) -> usize {
        self.by_id.values().filter(|flight| flight.peer == peer && flight.is_large()).count()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn any(&self, peer: PeerId, purpose: Purpose) -> bool {
        self.by_id.values().any(|flight| flight.peer == peer && flight.purpose == purpose)
    }
}
