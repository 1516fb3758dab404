//! Hostile peers in the exchange of records.

use std::collections::BTreeMap;

use super::*;
use crate::netgroup::{Host, Netgroup};
use crate::record::Place;

fn time(second: u64) -> Now {
    Now { at: Millis(second * 1_000), unix_s: START_S + second }
}

/// A node with a few honest outbound peers, so that it accepts records from all peers, and without addresses to dial.
fn connected() -> Discovery {
    let mut node = start(1, &[], public, None, time(0));
    for number in 2..12 {
        node.opened(peer(number), Some(public(number)), false, time(0));
    }
    node.tick(time(0), &|_, _| true);
    while node.poll_output().is_some() {}
    node
}

/// Lets each dial fail at once. Returns the dials by host.
fn dials(node: &mut Discovery, seconds: core::ops::Range<u64>) -> BTreeMap<Host, usize> {
    let mut hosts = BTreeMap::new();
    for quarter in seconds.start * 4..seconds.end * 4 {
        let now = Now { at: Millis(quarter * 250), unix_s: START_S + quarter / 4 };
        node.tick(now, &|_, address| address.ip().is_some());
        while let Some(output) = node.poll_output() {
            if let Output::Dial { id, address, .. } = output {
                *hosts.entry(Address::parse(&address).unwrap().0.host()).or_default() += 1;
                node.dial_failed(id);
            }
        }
    }
    hosts
}

/// A record of one of the attacker's identities, with as many addresses as allowed.
fn large(number: usize, addresses: &[Address], signed_at_s: u64) -> Record {
    let agent = "x".repeat(USER_AGENT_BYTES_MAX);
    let record = Record::sign(&key(number), POOL, addresses, &agent, (signed_at_s, DAY_S)).unwrap();
    Record::clone(&record)
}

#[test]
fn records_that_name_a_third_party_do_not_make_nodes_flood_it() {
    let mut node = connected();
    let third = "45.9.9.9";
    // Identities cost nothing, and neither do the addresses of a record, except for the first one, which decides the
    // place in the book. If it cannot be dialed, all dials go to the others.
    let onion = |number: usize| {
        let mut name = [3; 35];
        name[..8].copy_from_slice(&(number * 0x9e37_79b9).to_le_bytes());
        Address { place: Place::Onion(name), ..at(third, 3381) }
    };
    let first = (0..120).map(|number| {
        let victims = (0..7).map(|port| at(third, 1_000 + port));
        large(1_000 + number, &std::iter::once(onion(number)).chain(victims).collect::<Vec<_>>(), START_S)
    });
    let own = |number: usize| at(&format!("47.{number}.1.1"), 3381);
    let second = (0..120).map(|number| large(2_000 + number, &[own(number), at(third, 80)], START_S));
    let records: Vec<Record> = first.chain(second).collect();
    for (number, part) in records.chunks(RECORDS_MAX).enumerate() {
        node.ask(peer(2 + number));
        assert_eq!(node.told(peer(2 + number), part.to_vec(), true, time(1)), None);
    }
    assert!(node.book().counts().0 > 60, "{:?}", node.book().counts());
    let hosts = dials(&mut node, 1..3_601);
    let third = hosts.get(&at(third, 1).host()).copied().unwrap_or(0);
    // After 15, 30, 60 s and so on, then every ten minutes.
    assert!((1..=11).contains(&third), "{third} dials in an hour, of {}", hosts.values().sum::<usize>());
    assert!(hosts.len() > 60, "other hosts are dialed meanwhile: {}", hosts.len());
}

#[test]
fn remembered_hosts_are_bounded_and_a_node_that_is_there_is_dialed_again() {
    let mut tried = TriedHosts::default();
    for number in 0..5_000_u32 {
        let [_, a, b, c] = number.to_be_bytes();
        tried.dialed(&at(&format!("45.{a}.{b}.{c}"), 1), true, Millis(0));
    }
    assert_eq!(tried.len(), TRIED_HOSTS_MAX);
    let address = at("45.0.0.1", 1);
    assert!(!tried.is_rested(&at("45.0.0.1", 2), Millis(29_999)), "another port of the same host");
    assert!(tried.is_rested(&address, Millis(30_000)));
    tried.reached(&address);
    assert!(tried.is_rested(&address, Millis(0)));
    // Old ones make room.
    tried.dialed(&at("46.1.1.1", 1), true, Millis(700_000));
    tried.dialed(&at("46.1.1.2", 1), true, Millis(700_000));
    assert_eq!(tried.len(), 2);
    // Local nodes share their host.
    tried.dialed(&at("127.0.0.1", 1), true, Millis(700_000));
    assert!(tried.is_rested(&at("127.0.0.1", 1), Millis(700_000)));
}

#[test]
fn self_made_records_of_one_netgroup_fill_a_sixteenth_of_the_new_places() {
    let mut node = connected();
    // One provider's peers announce hosts all over the world, again and again with new identities.
    for round in 0..400_u64 {
        let from = peer(500 + usize::try_from(round % 8).unwrap());
        node.opened(from, Some(at(&format!("46.1.1.{}", round % 8), 50_000)), true, time(round));
        let records = (0..RECORDS_TOLD_MAX).map(|number| {
            let number = usize::try_from(round).unwrap() * RECORDS_TOLD_MAX + number;
            let [a, b, ..] = number.to_le_bytes();
            signed(10_000 + number, &[at(&format!("{}.{a}.1.1", 60 + b), 3381)], START_S)
        });
        assert_eq!(node.told(from, records.collect(), false, time(round)), None);
        node.closed(from);
    }
    let held = node.book().counts().0;
    let allowed = NEW_BUCKETS * NEW_PLACES / 16;
    assert!(held > allowed / 2 && held <= allowed, "{held} of {allowed}");
}

#[test]
fn stale_replayed_expired_foreign_and_forged_records_leave_the_book_as_it_is() {
    let mut node = connected();
    let now_s = START_S + 10;
    let newer = signed(50, &[at("9.9.9.1", 3381)], now_s);
    node.ask(peer(2));
    assert_eq!(node.told(peer(2), vec![newer.clone()], true, time(10)), None);
    let before = node.book().clone();
    let far = |number| signed(number, &[at("9.9.9.2", 3381)], now_s);
    let cases = [
        ("stale", signed(50, &[at("9.9.9.3", 3381)], now_s - 100), None),
        ("replayed", newer.clone(), None),
        ("expired", signed(51, &[at("9.9.9.4", 3381)], now_s - 2 * DAY_S - RECORD_CLOCK_S), None),
        ("from the future", signed(52, &[at("9.9.9.5", 3381)], now_s + 2 * RECORD_CLOCK_S), None),
        ("of another pool", Record { pool: [8; 32], ..far(53) }, Some(Misbehaviour::InvalidItem)),
        ("wrongly signed", Record { signature: [1; 64], ..far(54) }, Some(Misbehaviour::InvalidItem)),
        ("of another key", Record { peer: peer(56), ..far(55) }, Some(Misbehaviour::InvalidItem)),
    ];
    for (what, record, verdict) in cases {
        assert_eq!(node.told(peer(3), vec![record], false, time(10)), verdict, "{what}");
        assert_eq!(node.book().encode(&POOL), before.encode(&POOL), "{what}");
    }
    assert!(node.links.values().all(|link| link.waiting.iter().all(|record| record.peer == peer(50))));
}

#[test]
fn an_answer_of_the_largest_records_is_bounded_and_taken_once() {
    let mut node = connected();
    let record = |number: usize| {
        let addresses: Vec<Address> = (0..RECORD_ADDRESSES_MAX)
            .map(|port| Address { port: 1 + u16::try_from(port).unwrap(), ..public(number) })
            .collect();
        large(number, &addresses, START_S)
    };
    let answer = |from: usize| (from..from + RECORDS_MAX).map(record).collect::<Vec<_>>();
    node.ask(peer(2));
    for round in 0..20 {
        assert_eq!(node.told(peer(2), answer(1_000 * (1 + round)), true, time(1)), None);
    }
    let most = RECORDS_MAX + usize::try_from(RECORDS_BURST).unwrap();
    assert!((RECORDS_MAX / 2..=most).contains(&node.book().counts().0), "{:?}", node.book().counts());
    let waiting: usize = node.links.values().map(|link| link.waiting.len()).sum();
    assert!(waiting <= node.links.len() * RECORDS_WAITING_MAX, "{waiting} records wait");
}

#[test]
fn asking_again_and_again_shows_no_more_of_the_book() {
    let mut node = start(1, &[], public, None, time(0));
    for number in 0..2_000 {
        let record = Record::sign(&key(number), POOL, &[public(number)], "", (START_S, DAY_S)).unwrap();
        node.book.add(record, Netgroup::Ip4([50, u8::try_from(number % 256).unwrap()]), START_S);
    }
    assert!(node.book().counts().0 > SAMPLE_SMALL);
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..200 {
        let asker = peer(5_000 + number);
        node.opened(asker, Some(public(5_000 + number)), true, time(1));
        seen.extend(node.answer(asker, time(1 + u64::try_from(number).unwrap())).into_iter().map(|record| record.peer));
        node.closed(asker);
    }
    assert!(seen.len() <= RECORDS_MAX, "{} records seen", seen.len());
}
