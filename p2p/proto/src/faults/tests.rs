use std::net::Ipv4Addr;

use super::{Consequence, Faults};
use crate::Millis;
use crate::limits::{BAN_MS, HOST_BAN_POINTS, LOOPBACK_PAUSE_POINTS, NETGROUP_BAN_HOSTS};
use crate::netgroup::Host;
use crate::score::Misbehaviour;

fn host(a: u8, b: u8, d: u8) -> Host {
    Host::Ip4(Ipv4Addr::new(a, b, 0, d))
}

/// Punishes until something follows, and returns how many points it took.
fn until_it_follows(faults: &mut Faults, host: Host, now: Millis) -> (u32, Consequence) {
    let mut points = 0;
    loop {
        points += Misbehaviour::InvalidItem.cost();
        let consequence = faults.punish(host, Misbehaviour::InvalidItem, now);
        if consequence != Consequence::None {
            return (points, consequence);
        }
        assert!(points < 100_000, "nothing follows");
    }
}

#[test]
fn invalid_work_ends_the_host_whatever_its_identities() {
    let mut faults = Faults::default();
    let (points, consequence) = until_it_follows(&mut faults, host(203, 0, 1), Millis(0));
    assert_eq!(consequence, Consequence::Host { until: Millis(BAN_MS) });
    assert!((HOST_BAN_POINTS..HOST_BAN_POINTS + 34).contains(&points));
    assert_eq!(faults.punish(host(203, 0, 2), Misbehaviour::InvalidItem, Millis(0)), Consequence::None, "another host");
}

#[test]
fn slow_lines_and_full_buckets_are_nobodys_address() {
    let mut faults = Faults::default();
    for _ in 0..10_000 {
        for misbehaviour in [Misbehaviour::Timeout, Misbehaviour::TooFast, Misbehaviour::Useless] {
            assert_eq!(faults.punish(host(203, 0, 1), misbehaviour, Millis(0)), Consequence::None);
        }
    }
}

#[test]
fn many_hosts_end_their_netgroup_and_never_the_local_network() {
    let mut faults = Faults::default();
    for number in 1..=NETGROUP_BAN_HOSTS {
        let (_, consequence) = until_it_follows(&mut faults, host(203, 0, number as u8), Millis(0));
        let whole = matches!(consequence, Consequence::Netgroup { .. });
        assert_eq!(whole, number == NETGROUP_BAN_HOSTS);
        let (_, consequence) = until_it_follows(&mut faults, host(10, 0, number as u8), Millis(0));
        assert!(matches!(consequence, Consequence::Host { .. }));
    }
}

#[test]
fn loopback_is_paused_and_never_banned() {
    let mut faults = Faults::default();
    let loopback = Host::Ip4(Ipv4Addr::LOCALHOST);
    for _ in 0..2 {
        let (points, consequence) = until_it_follows(&mut faults, loopback, Millis(0));
        assert!(matches!(consequence, Consequence::LoopbackPause { .. }));
        assert!(points >= LOOPBACK_PAUSE_POINTS);
    }
}
