use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::{HalfOpen, HalfOpenId};
use crate::limits::{HALF_OPEN_MAX, HALF_OPEN_PER_HOST_MAX, HALF_OPEN_PER_NETGROUP_MAX};
use crate::netgroup::{Host, Netgroup};

fn host(a: u8, b: u8, c: u8) -> Host {
    Host::Ip4(Ipv4Addr::new(a, b, 0, c))
}

#[test]
fn one_silent_host_keeps_only_its_own_share() {
    let mut table = HalfOpen::default();
    let (newcomer, _) = table.open(host(9, 9, 9));
    for number in 0..1_000 {
        let (_, gone) = table.open(Host::Ip4(Ipv4Addr::LOCALHOST));
        assert_eq!(gone.is_some(), number >= HALF_OPEN_PER_HOST_MAX);
        assert_ne!(gone, Some(newcomer));
    }
    assert_eq!(table.len(), HALF_OPEN_PER_HOST_MAX + 1);
}

#[test]
fn a_full_netgroup_loses_its_own_and_of_its_most_crowded_host() {
    let mut table = HalfOpen::default();
    let (lone, _) = table.open(host(8, 8, 1));
    let crowd: Vec<_> = (1..HALF_OPEN_PER_NETGROUP_MAX).map(|_| table.open(host(8, 8, 2)).0).collect();
    // One crowd would exceed its host's share first, so two crowds fill the netgroup.
    let mut gone = Vec::new();
    for number in 0..HALF_OPEN_PER_NETGROUP_MAX {
        gone.extend(table.open(host(8, 8, if number % 2 == 0 { 2 } else { 3 })).1);
    }
    assert!(!gone.contains(&lone));
    assert!(crowd.iter().any(|id| gone.contains(id)));
    assert!(table.len() <= HALF_OPEN_PER_NETGROUP_MAX);
}

#[test]
fn a_full_table_loses_the_oldest_of_the_most_crowded_netgroup() {
    let mut table = HalfOpen::default();
    let first = table.open(host(50, 1, 1)).0;
    let crowd = table.open(host(60, 1, 1)).0;
    table.open(host(60, 1, 2));
    for number in 3..HALF_OPEN_MAX {
        assert_eq!(table.open(host(u8::try_from(number + 64).unwrap(), 7, 7)).1, None);
    }
    assert_eq!(table.open(host(1, 1, 1)).1, Some(crowd));
    // With one connection in each netgroup, the oldest one is closed.
    assert_eq!(table.open(host(1, 2, 1)).1, Some(first));
}

proptest! {
    #[test]
    fn limits_hold_and_a_newcomer_always_fits(steps in prop::collection::vec((0u8..6, 0u8..4, 0u8..12, any::<bool>()), 1..400)) {
        let mut table = HalfOpen::default();
        let mut open: Vec<HalfOpenId> = Vec::new();
        for (a, b, c, closes) in steps {
            let (id, gone) = table.open(host(100 + a, b, c));
            prop_assert_ne!(gone, Some(id));
            open.retain(|other| Some(*other) != gone);
            open.push(id);
            if closes && open.len() > 3 {
                table.close(open.remove(1));
            }
            prop_assert_eq!(table.len(), open.len());
            let mut hosts: BTreeMap<Host, usize> = BTreeMap::new();
            let mut netgroups: BTreeMap<Netgroup, usize> = BTreeMap::new();
            for host in table.by_id.values() {
                *hosts.entry(*host).or_default() += 1;
                *netgroups.entry(host.netgroup()).or_default() += 1;
            }
            prop_assert!(hosts.values().all(|count| *count <= HALF_OPEN_PER_HOST_MAX));
            prop_assert!(netgroups.values().all(|count| *count <= HALF_OPEN_PER_NETGROUP_MAX));
            prop_assert!(table.len() <= HALF_OPEN_MAX);
        }
    }
}
