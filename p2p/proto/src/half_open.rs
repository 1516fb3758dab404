//! Connections in handshake, and the choice of the one that gives way to a newcomer.
//!
//! A connection in handshake costs its opener nothing, so a full table must not keep newcomers out. The oldest
//! connection of the most crowded host gives way instead: honest handshakes take two round trips, while silent ones
//! linger.

use std::collections::BTreeMap;

use crate::limits::{HALF_OPEN_MAX, HALF_OPEN_PER_HOST_MAX, HALF_OPEN_PER_NETGROUP_MAX};
use crate::netgroup::Host;

/// Identifies a connection in handshake. Later connections have higher ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HalfOpenId(u64);

/// Connections in handshake over one transport. Loopback counts like any other host.
#[derive(Clone, Debug, Default)]
pub struct HalfOpen {
    by_id: BTreeMap<HalfOpenId, Host>,
    next: u64,
}

impl HalfOpen {
    /// Adds a connection. Returns its id and the connection that gives way to it, if any, which is removed.
    pub fn open(&mut self, host: Host) -> (HalfOpenId, Option<HalfOpenId>) {
        let gives_way = self.gives_way(host);
        if let Some(id) = gives_way {
            self.by_id.remove(&id);
        }
        let id = HalfOpenId(self.next);
        self.next = self.next.wrapping_add(1);
        self.by_id.insert(id, host);
        (id, gives_way)
    }

    /// Removes a connection whose handshake has ended.
    pub fn close(&mut self, id: HalfOpenId) {
        self.by_id.remove(&id);
    }

    /// Number of connections.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// True if there is no connection.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The connection that must go before one more of this host fits.
    fn gives_way(&self, host: Host) -> Option<HalfOpenId> {
        let count = |is_counted: &dyn Fn(&Host) -> bool| self.by_id.values().filter(|host| is_counted(host)).count();
        if count(&|other| *other == host) >= HALF_OPEN_PER_HOST_MAX {
            self.oldest_of_most_crowded(|other| *other == host)
        } else if count(&|other| other.netgroup() == host.netgroup()) >= HALF_OPEN_PER_NETGROUP_MAX {
            self.oldest_of_most_crowded(|other| other.netgroup() == host.netgroup())
        } else if self.by_id.len() >= HALF_OPEN_MAX {
            let netgroup = most_crowded(self.by_id.iter().map(|(id, host)| (host.netgroup(), *id)))?.0;
            self.oldest_of_most_crowded(|other| other.netgroup() == netgroup)
        } else {
            None
        }
    }

    /// Oldest connection of the host with the most connections, among the hosts of a group.
    fn oldest_of_most_crowded(&self, is_of_group: impl Fn(&Host) -> bool) -> Option<HalfOpenId> {
        let members = self.by_id.iter().filter(|(_, host)| is_of_group(host));
        most_crowded(members.map(|(id, host)| (*host, *id))).map(|(_, oldest)| oldest)
    }
}

/// The group with the most members, and its oldest member. Of equal groups, the one with the older member.
fn most_crowded<G: Ord>(members: impl Iterator<Item = (G, HalfOpenId)>) -> Option<(G, HalfOpenId)> {
    let mut groups: BTreeMap<G, (usize, HalfOpenId)> = BTreeMap::new();
    for (group, id) in members {
        groups.entry(group).or_insert((0, id)).0 += 1;
    }
    let crowded = groups.into_iter().max_by_key(|(_, (count, oldest))| (*count, core::cmp::Reverse(*oldest)));
    crowded.map(|(group, (_, oldest))| (group, oldest))
}

#[cfg(test)]
mod tests;
