//! Invalid work by address: adds up the faults of a host's identities, and of a netgroup's hosts.

use crate::Millis;
use crate::limits::{BAN_MS, HOST_BAN_POINTS, LOOPBACK_PAUSE_MS, LOOPBACK_PAUSE_POINTS, NETGROUP_BAN_HOSTS};
use crate::netgroup::{Host, Netgroup};
use crate::prefix::Prefix;
use crate::score::{Misbehaviour, Scores, Sentence};

/// Consequence for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing.
    None,
    /// The host is banned.
    Host {
        /// When the ban ends.
        until: Millis,
    },
    /// The whole netgroup is banned, because too many of its hosts are.
    Netgroup {
        /// When the ban ends.
        until: Millis,
    },
    /// Loopback accepts no new inbound connections.
    LoopbackPause {
        /// When it accepts them again.
        until: Millis,
    },
}

/// Points by host.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    hosts: Scores<Host>,
}

impl Faults {
    /// Adds the points of a misbehavior to the peer's host.
    pub fn punish(&mut self, host: Host, misbehaviour: Misbehaviour, now: Millis) -> Consequence {
        if !misbehaviour.is_proven() {
            return Consequence::None;
        }
        self.hosts.release(now);
        let points = if host.is_loopback() { LOOPBACK_PAUSE_POINTS } else { HOST_BAN_POINTS };
        let Sentence::Banned { until } = self.hosts.punish_at(points, host, misbehaviour, now) else {
            return Consequence::None;
        };
        if host.is_loopback() {
            self.hosts.pardon(&host);
            return Consequence::LoopbackPause { until: now.plus(LOOPBACK_PAUSE_MS) };
        }
        let netgroup = host.netgroup();
        let banned = self.hosts.banned().filter(|host| host.netgroup() == netgroup).count();
        // Local netgroups are the operator's own, and onion services cost nothing, so neither is banned.
        let is_provider = matches!(netgroup, Netgroup::Ip4(_) | Netgroup::Ip6(_));
        if is_provider && banned >= NETGROUP_BAN_HOSTS {
            return Consequence::Netgroup { until: now.plus(BAN_MS) };
        }
        Consequence::Host { until }
    }

    /// Forgets points and bans of the hosts within a range.
    pub fn pardon(&mut self, range: Prefix) {
        let within = |host: &&Host| Prefix::of_host(**host).is_some_and(|host| range.covers(host));
        let hosts: Vec<Host> = self.hosts.keys().filter(within).copied().collect();
        hosts.iter().for_each(|host| self.hosts.pardon(host));
    }
}

#[cfg(test)]
mod tests;
