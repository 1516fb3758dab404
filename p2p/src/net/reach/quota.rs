//! Limits on the use of this node as a relay, by host and netgroup, because identities are free.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use libp2p::{Multiaddr, PeerId, relay};

use crate::net::gate::host_of;
use p2p_proto::limits::{
    CIRCUIT_S, CIRCUIT_STARTS_MAX, CIRCUITS_PER_HOST_MAX, CIRCUITS_PER_NETGROUP_MAX, RESERVATIONS_MAX,
    RESERVATIONS_PER_HOST_MAX, RESERVATIONS_PER_NETGROUP_MAX,
};
use p2p_proto::netgroup::Host;

/// Counts hosts of a list that are the same, and those in the same netgroup.
fn count<'a>(hosts: impl Iterator<Item = &'a Host>, host: Host) -> (usize, usize) {
    hosts.fold((0, 0), |(same, near), other| {
        (same + usize::from(*other == host), near + usize::from(other.netgroup() == host.netgroup()))
    })
}

/// Peers with a reservation, and their hosts. Clones share the list: libp2p queries one, and the task reports
/// departures to another.
#[derive(Clone, Debug, Default)]
pub(in crate::net) struct Reservations(Arc<Mutex<BTreeMap<PeerId, Host>>>);

impl Reservations {
    fn grant(&self, peer: PeerId, address: &Multiaddr) -> bool {
        let Some(host) = host_of(address) else { return false };
        let mut holders = self.0.lock().expect("no code panics while it holds this");
        holders.remove(&peer);
        let (same, near) = count(holders.values(), host);
        let room = holders.len() < RESERVATIONS_MAX
            && same < RESERVATIONS_PER_HOST_MAX
            && near < RESERVATIONS_PER_NETGROUP_MAX;
        if room {
            holders.insert(peer, host);
        }
        room
    }

    /// The peer's reservation is over, or it is gone.
    pub(in crate::net) fn end(&self, peer: &PeerId) {
        self.0.lock().expect("no code panics while it holds this").remove(peer);
    }
}

impl relay::RateLimiter for Reservations {
    fn try_next(&mut self, peer: PeerId, address: &Multiaddr, _: Instant) -> bool {
        self.grant(peer, address)
    }
}

/// Recently opened circuits, oldest first.
#[derive(Debug, Default)]
pub(super) struct Circuits(VecDeque<(Instant, Host)>);

impl Circuits {
    fn open(&mut self, address: &Multiaddr, now: Instant) -> bool {
        let Some(host) = host_of(address) else { return false };
        let period = Duration::from_secs(CIRCUIT_S);
        while self.0.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) >= period) {
            self.0.pop_front();
        }
        let (same, near) = count(self.0.iter().map(|(_, host)| host), host);
        let room =
            self.0.len() < CIRCUIT_STARTS_MAX && same < CIRCUITS_PER_HOST_MAX && near < CIRCUITS_PER_NETGROUP_MAX;
        if room {
            self.0.push_back((now, host));
        }
        room
    }
}

impl relay::RateLimiter for Circuits {
    fn try_next(&mut self, _: PeerId, address: &Multiaddr, now: Instant) -> bool {
        self.open(address, now)
    }
}

#[cfg(test)]
mod tests;
