use std::net::{IpAddr, Ipv4Addr};

use super::{Ban, Banned, Bans, TooManyBans};
use crate::limits::{BANS_MAX, OPERATOR_BANS_MAX, REASON_CHARS_MAX};
use crate::{Millis, PeerId};

fn ban(what: Banned, until: u64, by_operator: bool) -> Ban {
    Ban { what, until: Millis(until), by_operator, reason: "test".to_owned() }
}

fn numbered(number: usize) -> Banned {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&(number as u64).to_le_bytes());
    Banned::Peer(PeerId(key))
}

fn range(text: &str) -> Banned {
    text.parse().unwrap()
}

#[test]
fn a_range_covers_its_addresses_until_it_ends() {
    let mut bans = Bans::default();
    bans.add(ban(range("203.0.113.0/24"), 10, false)).unwrap();
    let inside = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));
    assert!(bans.of_ip(inside).is_some());
    assert!(bans.of_ip(IpAddr::V4(Ipv4Addr::new(203, 0, 114, 7))).is_none());
    assert!(bans.expire(Millis(9)).is_empty());
    assert_eq!(bans.expire(Millis(10)).len(), 1);
    assert!(bans.of_ip(inside).is_none());
}

/// Regression test: beyond 4,096 bans, peers that were banned early stayed blocked until a restart.
#[test]
fn more_bans_than_are_kept_leave_nothing_blocked() {
    let mut bans = Bans::default();
    for number in 0..BANS_MAX + 100 {
        assert_eq!(bans.add(ban(numbered(number), 1_000 + number as u64, false)), Ok(true));
    }
    assert_eq!(bans.iter().count(), BANS_MAX);
    assert!(bans.iter().all(|ban| ban.until >= Millis(1_100)), "those that end first made room");
    bans.expire(Millis(u64::MAX));
    assert_eq!(bans.iter().count(), 0);
}

#[test]
fn the_operators_bans_are_never_displaced() {
    let mut bans = Bans::default();
    for number in 0..OPERATOR_BANS_MAX {
        bans.add(ban(numbered(number), 5, true)).unwrap();
    }
    assert_eq!(bans.add(ban(numbered(OPERATOR_BANS_MAX), 5, true)), Err(TooManyBans));
    assert_eq!(bans.add(ban(numbered(0), 7, true)), Ok(true), "an old one may change");
    assert_eq!(bans.add(ban(numbered(1), 9, false)), Ok(false), "this node does not overrule the operator");
    for number in 0..BANS_MAX + 10 {
        bans.add(ban(numbered(10_000 + number), 1_000, false)).unwrap();
    }
    assert_eq!(bans.iter().filter(|ban| ban.by_operator).count(), OPERATOR_BANS_MAX);
    assert_eq!(bans.iter().count(), OPERATOR_BANS_MAX + BANS_MAX);
}

#[test]
fn reasons_are_short_and_printable() {
    let mut bans = Bans::default();
    let reason = format!("a\u{1b}[31m\n{}", "x".repeat(1_000));
    bans.add(Ban { reason, ..ban(numbered(1), 5, true) }).unwrap();
    let kept = &bans.iter().next().unwrap().reason;
    assert_eq!(kept.chars().count(), REASON_CHARS_MAX);
    assert!(kept.starts_with("a[31mx"));
}
