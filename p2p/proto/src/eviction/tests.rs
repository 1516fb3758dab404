use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::{Candidate, select};
use crate::limits::{INBOUND_MAX, PROTECTED_BY_BLOCK, PROTECTED_BY_NETGROUP, PROTECTED_BY_PING, PROTECTED_BY_WORK};
use crate::netgroup::Host;
use crate::time::Millis;

/// A connection from the netgroup `100+a.b` that nothing but its age protects.
fn plain(id: u32, a: u8, b: u8, c: u8) -> Candidate<u32> {
    Candidate {
        id,
        host: Host::Ip4(Ipv4Addr::new(100 + a, b, 0, c)),
        netgroup_hash: u64::from(a) << 8 | u64::from(b),
        since: Millis(1_000 + u64::from(id)),
        ping_ms: None,
        work_at: None,
        block_at: None,
        misbehaves: false,
    }
}

/// Full slots: connections of distinct netgroups, oldest first.
fn full() -> Vec<Candidate<u32>> {
    (0..INBOUND_MAX).map(|id| plain(id, 0, u8::try_from(id).unwrap(), 1)).collect()
}

/// Ids in the order of eviction, until all remaining connections are protected.
fn order(mut candidates: Vec<Candidate<u32>>) -> Vec<u32> {
    let mut gone = Vec::new();
    while let Some(id) = select(&candidates) {
        candidates.retain(|candidate| candidate.id != id);
        gone.push(id);
    }
    gone
}

/// The victim among full slots whose youngest connections get one property each.
fn victim_if_the_youngest(count: usize, set: impl Fn(&mut Candidate<u32>)) -> Option<u32> {
    let mut candidates = full();
    candidates.iter_mut().rev().skip(PROTECTED_BY_NETGROUP).take(count).for_each(set);
    select(&candidates)
}

/// The youngest connection that the keyed hash of its netgroup does not protect: the hashes of [`full`] ascend.
const YOUNGEST: u32 = INBOUND_MAX - 1 - PROTECTED_BY_NETGROUP as u32;

#[test]
fn without_any_other_property_the_youngest_goes() {
    assert_eq!(victim_if_the_youngest(0, |_| ()), Some(YOUNGEST));
}

#[test]
fn netgroups_that_the_key_chooses_are_protected() {
    assert!(order(full()).iter().take(20).all(|id| *id <= YOUNGEST));
}

#[test]
fn the_lowest_pings_are_protected() {
    let count = PROTECTED_BY_PING;
    assert_eq!(victim_if_the_youngest(count, |candidate| candidate.ping_ms = Some(3)), Some(YOUNGEST - count as u32));
}

#[test]
fn who_delivered_work_last_is_protected() {
    let count = PROTECTED_BY_WORK;
    let victim = victim_if_the_youngest(count, |candidate| candidate.work_at = Some(Millis(9_000)));
    assert_eq!(victim, Some(YOUNGEST - count as u32));
}

#[test]
fn who_delivered_a_block_of_the_pool_is_protected() {
    let count = PROTECTED_BY_BLOCK;
    let victim = victim_if_the_youngest(count, |candidate| candidate.block_at = Some(Millis(9_000)));
    assert_eq!(victim, Some(YOUNGEST - count as u32));
}

#[test]
fn half_of_the_rest_is_protected_by_age() {
    let rest = (INBOUND_MAX as usize - PROTECTED_BY_NETGROUP) / 2;
    let mut candidates = full();
    // Also if the older half shares one netgroup, which is then the most crowded one.
    for candidate in candidates.iter_mut().take(rest) {
        candidate.host = Host::Ip4(Ipv4Addr::new(99, 9, 0, u8::try_from(candidate.id).unwrap()));
    }
    assert_eq!(select(&candidates), Some(YOUNGEST));
}

#[test]
fn peers_behind_an_onion_service_have_a_part_of_the_protection_by_age() {
    let mut candidates = full();
    for candidate in candidates.iter_mut().take(6) {
        candidate.host = Host::Ip4(Ipv4Addr::LOCALHOST);
    }
    let gone: Vec<u32> = order(candidates).into_iter().take(30).collect();
    assert!((0..5).all(|id| !gone.contains(&id)), "{gone:?}");
}

#[test]
fn who_misbehaves_goes_first() {
    let mut candidates = full();
    candidates[60].misbehaves = true;
    assert_eq!(select(&candidates), Some(60));
}

#[test]
fn the_most_crowded_netgroup_and_host_lose_their_youngest() {
    let mut candidates = full();
    for candidate in candidates.iter_mut().skip(50).take(20) {
        // Hosts with 1 and with 10 connections in turn.
        let last = if candidate.id % 2 == 0 { u8::try_from(candidate.id).unwrap() } else { 250 };
        candidate.host = Host::Ip4(Ipv4Addr::new(77, 7, 0, last));
    }
    assert_eq!(select(&candidates), Some(69));
}

proptest! {
    /// Whatever properties the identities of one host have, they protect one of its connections, and the next newcomers
    /// take slots only from that host.
    #[test]
    fn thirty_identities_of_one_address_count_as_one(
        facts in prop::collection::vec((0u64..5_000, prop::option::of(0u64..50), prop::option::of(0u64..9_000), prop::option::of(0u64..9_000)), 30),
    ) {
        let mut candidates = full();
        for (candidate, (since, ping_ms, work_at, block_at)) in candidates.iter_mut().zip(facts) {
            *candidate = Candidate {
                host: Host::Ip4(Ipv4Addr::new(66, 6, 6, 6)),
                netgroup_hash: 77,
                since: Millis(since),
                ping_ms,
                work_at: work_at.map(Millis),
                block_at: block_at.map(Millis),
                ..candidate.clone()
            };
        }
        let gone = order(candidates);
        prop_assert!(gone.iter().take(28).all(|id| *id < 30), "{:?}", gone);
        prop_assert!(gone.iter().filter(|id| **id < 30).count() >= 29);
    }

    /// A newcomer always gets a slot, no matter who holds the full slots.
    #[test]
    fn someone_always_gives_way(
        facts in prop::collection::vec((any::<[u8; 3]>(), any::<u64>(), any::<u32>(), prop::option::of(0u64..500), prop::option::of(any::<u32>()), any::<bool>()), INBOUND_MAX as usize),
    ) {
        let candidates: Vec<_> = (0..).zip(facts).map(|(id, ([a, b, c], netgroup_hash, since, ping_ms, work_at, misbehaves))| Candidate {
            id,
            host: Host::Ip4(Ipv4Addr::new(a % 4, b % 8, 0, c % 8)),
            netgroup_hash,
            since: Millis(since.into()),
            ping_ms,
            work_at: work_at.map(|at| Millis(at.into())),
            block_at: None,
            misbehaves,
        }).collect();
        let victim = select(&candidates);
        prop_assert!(candidates.iter().any(|candidate| Some(candidate.id) == victim));
        // The choice does not depend on the order of the connections.
        let mut reversed = candidates.clone();
        reversed.reverse();
        prop_assert_eq!(select(&reversed), victim);
    }
}
