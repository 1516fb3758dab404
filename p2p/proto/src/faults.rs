//! Invalid work by address: what new identities of one host, or many hosts of one netgroup, add up to.

use crate::Millis;
use crate::limits::{BAN_MS, HOST_BAN_POINTS, LOOPBACK_PAUSE_MS, LOOPBACK_PAUSE_POINTS, NETGROUP_BAN_HOSTS};
use crate::netgroup::{Host, Netgroup};
use crate::prefix::Prefix;
use crate::score::{Misbehaviour, Scores, Sentence};

/// What follows for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing.
    None,
    /// The host is banned.
    Host {
        /// When the ban ends.
        until: Millis,
    },
    /// So many of its hosts are banned that the whole netgroup is.
    Netgroup {
        /// When the ban ends.
        until: Millis,
    },
    /// Loopback takes no new inbound connections.
    LoopbackPause {
        /// When it takes some again.
        until: Millis,
    },
}

/// Points by host.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    hosts: Scores<Host>,
}

impl Faults {
    /// Adds the points of a misbehavior to the host that the peer is at.
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
        // The operator's own network is not a stranger's provider, and onion services cost nothing.
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
