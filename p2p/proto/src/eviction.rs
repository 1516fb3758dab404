//! Decides which inbound connection gives its slot to a newcomer.
//!
//! The idea is Bitcoin Core's `SelectNodeToEvict`: protect a few connections for each property that an attacker can
//! hardly obtain on many connections at once, then evict from the most crowded netgroup. Here, all classes together
//! protect at most one connection per host, so that the identities of one machine count as one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::limits::{
    PROTECTED_BY_BLOCK, PROTECTED_BY_NETGROUP, PROTECTED_BY_PING, PROTECTED_BY_WORK, PROTECTED_LOCAL_DIVISOR,
};
use crate::netgroup::{Host, Netgroup};
use crate::time::Millis;

/// An inbound connection that may lose its slot. `I` identifies it to the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<I> {
    /// Id of the connection.
    pub id: I,
    /// Host of the peer.
    pub host: Host,
    /// Hash of the host's netgroup with a key that only this node knows.
    pub netgroup_hash: u64,
    /// When it connected.
    pub since: Millis,
    /// Lowest round-trip time, milliseconds. `None` before the first ping.
    pub ping_ms: Option<u64>,
    /// When the peer last delivered a valid share or link that was new here.
    pub work_at: Option<Millis>,
    /// When the peer last delivered a Bitcoin block of the pool's miners that was new here.
    pub block_at: Option<Millis>,
    /// True if the peer has points for misbehavior.
    pub misbehaves: bool,
}

/// Returns the connection to evict, or `None` if all are protected.
#[must_use]
pub fn select<I: Copy + Ord>(candidates: &[Candidate<I>]) -> Option<I> {
    let mut field = Field { left: candidates.iter().collect(), protected: BTreeSet::new() };
    field.protect_netgroups();
    field.protect(PROTECTED_BY_PING, |candidate| candidate.ping_ms.map(|ping_ms| Reverse((ping_ms, candidate.since))));
    field.protect(PROTECTED_BY_WORK, |candidate| candidate.work_at);
    field.protect(PROTECTED_BY_BLOCK, |candidate| candidate.block_at);
    field.protect_oldest();
    field.evict()
}

/// Connections that no class has protected so far, and the hosts of those that one has.
struct Field<'a, I> {
    left: Vec<&'a Candidate<I>>,
    protected: BTreeSet<Host>,
}

impl<I: Copy + Ord> Field<'_, I> {
    /// Protects the `count` connections with the highest rank, at most one per host. Without a rank, a connection is
    /// not protected.
    fn protect<R: Ord>(&mut self, count: usize, rank: impl Fn(&Candidate<I>) -> Option<R>) {
        let mut ranked: Vec<_> = self
            .left
            .iter()
            .filter_map(|candidate| Some((rank(candidate)?, Reverse(candidate.id), *candidate)))
            .collect();
        ranked.sort_by(|a, b| (&b.0, &b.1).cmp(&(&a.0, &a.1)));
        let mut chosen = BTreeSet::new();
        for (_, _, candidate) in ranked {
            if chosen.len() < count && self.protected.insert(candidate.host) {
                chosen.insert(candidate.id);
            }
        }
        self.left.retain(|candidate| !chosen.contains(&candidate.id));
    }

    /// Protects the oldest connection of the netgroups with the highest keyed hash. An attacker cannot know which these
    /// are.
    fn protect_netgroups(&mut self) {
        let hashes: BTreeSet<u64> = self.left.iter().map(|candidate| candidate.netgroup_hash).collect();
        for hash in hashes.into_iter().rev().take(PROTECTED_BY_NETGROUP) {
            self.protect(1, |candidate| (candidate.netgroup_hash == hash).then_some(Reverse(candidate.since)));
        }
    }

    /// Protects half of the rest, the longest connected first. Up to a quarter of that half is for loopback, where the
    /// peers behind an onion service or a proxy share one address.
    fn protect_oldest(&mut self) {
        let half = self.left.len() / 2;
        let mut local: Vec<_> = self.left.iter().filter(|candidate| candidate.host.is_loopback()).copied().collect();
        local.sort_by_key(|candidate| (candidate.since, candidate.id));
        let local: BTreeSet<I> =
            local.iter().take(half / PROTECTED_LOCAL_DIVISOR).map(|candidate| candidate.id).collect();
        self.left.retain(|candidate| !local.contains(&candidate.id));
        self.protect(half - local.len(), |candidate| Some(Reverse(candidate.since)));
    }

    /// Among the misbehaving connections, or all if none misbehaves: the youngest of the most crowded host in the most
    /// crowded netgroup.
    fn evict(mut self) -> Option<I> {
        if self.left.iter().any(|candidate| candidate.misbehaves) {
            self.left.retain(|candidate| candidate.misbehaves);
        }
        let netgroup: Netgroup = self.most_crowded(|candidate| candidate.host.netgroup())?;
        self.left.retain(|candidate| candidate.host.netgroup() == netgroup);
        let host = self.most_crowded(|candidate| candidate.host)?;
        self.left.retain(|candidate| candidate.host == host);
        self.left.iter().max_by_key(|candidate| (candidate.since, candidate.id)).map(|candidate| candidate.id)
    }

    /// The group with the most connections. Of equal groups, the one with the youngest connection.
    fn most_crowded<G: Ord + Copy>(&self, group: impl Fn(&Candidate<I>) -> G) -> Option<G> {
        let mut groups: BTreeMap<G, (usize, Millis)> = BTreeMap::new();
        for candidate in &self.left {
            let (count, youngest) = groups.entry(group(candidate)).or_insert((0, candidate.since));
            *count += 1;
            *youngest = candidate.since.max(*youngest);
        }
        groups.into_iter().max_by_key(|(_, rank)| *rank).map(|(group, _)| group)
    }
}

#[cfg(test)]
mod tests;
