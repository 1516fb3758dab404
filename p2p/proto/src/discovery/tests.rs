use std::net::Ipv4Addr;

use super::*;
use crate::limits::*;
use crate::record::{Scope, Transport};
use crate::score::Misbehaviour;

mod hostile;
mod world;

const POOL: [u8; 32] = [7; 32];
const START_S: u64 = 1_800_000_000;
const DAY_S: u64 = 86_400;

fn key(number: usize) -> SigningKey {
    let mut seed = [9; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    SigningKey::from_bytes(&seed)
}

fn peer(number: usize) -> PeerId {
    PeerId(key(number).verifying_key().to_bytes())
}

/// A node in a netgroup of its own.
fn public(number: usize) -> Address {
    let [a, b, ..] = number.to_le_bytes();
    Address::of_ip(Ipv4Addr::new(20 + b, a, 1, 1).into(), 3381, Transport::Tcp)
}

fn at(ip: &str, port: u16) -> Address {
    Address::of_ip(ip.parse().unwrap(), port, Transport::Tcp)
}

fn setup(number: usize, seeds: &[usize], address: fn(usize) -> Address) -> Setup {
    let seeds = seeds.iter().map(|seed| Seed { address: address(*seed).to_string(), peer: None });
    Setup {
        key: key(number),
        pool: POOL,
        user_agent: "test".to_owned(),
        is_on: true,
        tells_local: true,
        seeds: seeds.collect(),
        has_dns_seeds: false,
    }
}

fn start(number: usize, seeds: &[usize], address: fn(usize) -> Address, book: Option<&[u8]>, now: Now) -> Discovery {
    let draws = u128::try_from(number).unwrap().to_le_bytes();
    let book = match book {
        Some(bytes) => Book::decode(bytes, &POOL, draws).unwrap(),
        None => Book::new([u8::try_from(number % 256).unwrap(); 32], draws),
    };
    let mut node = Discovery::new(setup(number, seeds, address), book, now);
    node.own_mut().add(OwnSource::Listening, address(number));
    node
}

/// A node with one peer, inbound or outbound.
fn with_peer(from: Address, inbound: bool) -> Discovery {
    let now = Now { at: Millis(0), unix_s: START_S };
    let mut node = start(1, &[], public, None, now);
    for own in [at("192.168.1.5", 3381), at("127.0.0.1", 3381)] {
        node.own_mut().add(OwnSource::Listening, own);
    }
    node.tick(now, &|_, _| true);
    node.opened(peer(2), Some(from), inbound, now);
    node
}

fn signed(number: usize, addresses: &[Address], signed_at_s: u64) -> Record {
    Record::clone(&Record::sign(&key(number), POOL, addresses, "", (signed_at_s, DAY_S)).unwrap())
}

/// Everything that the node sends to its peer within a minute.
fn said(node: &mut Discovery, peer: PeerId) -> Vec<Record> {
    let mut out = node.answer(peer, Now { at: Millis(1_000), unix_s: START_S + 1 });
    for second in 1..60 {
        let now = Now { at: Millis(second * 1_000), unix_s: START_S + second };
        node.tick(now, &|_, _| true);
        while let Some(output) = node.poll_output() {
            if let Output::Tell(to, records) = output
                && to == peer
            {
                out.extend(records);
            }
        }
    }
    out
}

fn narrowest(records: &[Record]) -> Option<Scope> {
    records.iter().filter_map(Record::scope).min()
}

#[test]
fn private_addresses_are_not_told_to_the_internet() {
    let now = Now { at: Millis(0), unix_s: START_S };
    // The book has the addresses from local peers.
    let mut node = with_peer(at("8.8.8.8", 50_000), true);
    node.opened(peer(3), Some(at("192.168.1.9", 3381)), false, now);
    assert_eq!(node.told(peer(3), vec![signed(4, &[at("192.168.1.7", 3381)], START_S)], true, now), None);
    assert!(node.book().entry(&peer(4)).is_some());
    node.closed(peer(3));
    assert_eq!(narrowest(&said(&mut node, peer(2))), Some(Scope::Public));
    // Likewise for outbound peers.
    let mut node = with_peer(at("8.8.8.8", 3381), false);
    assert_eq!(narrowest(&said(&mut node, peer(2))), Some(Scope::Public));
    // A peer that comes through a proxy on this machine or through a container's network only looks local.
    for seeming in ["127.0.0.1", "172.17.0.1"] {
        let mut node = with_peer(at(seeming, 50_000), true);
        assert_eq!(narrowest(&said(&mut node, peer(2))), Some(Scope::Public), "{seeming}");
    }
    // A local peer gets addresses of its own scope or wider.
    let mut node = with_peer(at("192.168.1.9", 3381), false);
    assert_eq!(narrowest(&said(&mut node, peer(2))), Some(Scope::Private));
    let mut node = with_peer(at("127.0.0.1", 3381), false);
    assert_eq!(narrowest(&said(&mut node, peer(2))), Some(Scope::Loopback));
}

#[test]
fn an_onion_peer_is_no_local_peer() {
    let now = Now { at: Millis(0), unix_s: START_S };
    // It dialed in through the onion service, so its address is unknown, and it sends a local record.
    let mut node = start(1, &[], public, None, now);
    node.own_mut().add(OwnSource::Listening, at("127.0.0.1", 3381));
    node.tick(now, &|_, _| true);
    node.opened(peer(2), None, true, now);
    node.told(peer(2), vec![signed(2, &[at("127.0.0.1", 8332)], START_S)], false, now);
    assert_eq!(node.book().counts(), (0, 0));
    assert_eq!(narrowest(&said(&mut node, peer(2))), Some(Scope::Public));
}

#[test]
fn unroutable_addresses_from_the_internet_are_not_believed() {
    let now = Now { at: Millis(0), unix_s: START_S };
    let mut node = with_peer(at("8.8.8.8", 3381), false);
    for ip in ["127.0.0.1", "10.0.0.1", "192.168.1.1", "fd00::1", "224.0.0.1", "0.0.0.0", "192.0.2.1"] {
        let mixed = [at("9.9.9.9", 3381), at(ip, 3381)];
        node.told(peer(2), vec![signed(5, &mixed, START_S), signed(6, &mixed[1..], START_S)], false, now);
    }
    assert_eq!(node.book().counts(), (0, 0));
}

#[test]
fn invalid_records_cost_points_and_doubtful_ones_do_not() {
    let now = Now { at: Millis(0), unix_s: START_S };
    let told = |record: Record| {
        let mut node = with_peer(at("8.8.8.8", 3381), false);
        let verdict = node.told(peer(2), vec![record], false, now);
        assert_eq!(node.book().counts(), (0, 0));
        verdict
    };
    let good = signed(5, &[at("9.9.9.9", 3381)], START_S);
    assert_eq!(told(Record { signature: [1; 64], ..good.clone() }), Some(Misbehaviour::InvalidItem));
    assert_eq!(told(Record { pool: [8; 32], ..good.clone() }), Some(Misbehaviour::InvalidItem));
    assert_eq!(told(signed(5, &good.addresses, START_S - 8 * DAY_S)), None);
    assert_eq!(told(signed(5, &good.addresses, START_S + DAY_S)), None);
}

#[test]
fn what_a_peer_tells_unasked_is_limited() {
    let mut node = with_peer(at("8.8.8.8", 3381), false);
    let record = |number: usize| signed(number, &[public(number)], START_S);
    let now = |second: u64| Now { at: Millis(second * 1_000), unix_s: START_S + second };
    for number in 0..200 {
        node.told(peer(2), vec![record(100 + number)], false, now(0));
    }
    let burst = usize::try_from(RECORDS_BURST).unwrap();
    assert!(node.book().counts().0 <= burst && node.book().counts().0 > burst * 3 / 4, "{:?}", node.book().counts());
    for number in 0..200 {
        node.told(peer(2), vec![record(300 + number)], false, now(100));
    }
    assert!(node.book().counts().0 <= burst + 10, "{:?}", node.book().counts());
    // The node accepts all of an answer to its own question, once.
    let before = node.book().counts().0;
    let answer: Vec<Record> = (0..100).map(|number| record(600 + number)).collect();
    node.told(peer(2), answer.clone(), true, now(101));
    assert!(node.book().counts().0 > before + 60);
    let more: Vec<Record> = (0..100).map(|number| record(800 + number)).collect();
    node.told(peer(2), more, true, now(101));
    assert!(node.book().counts().0 < before + 105);
}

#[test]
fn a_record_is_passed_on_to_two_peers_once() {
    let now = Now { at: Millis(0), unix_s: START_S };
    let mut node = with_peer(at("8.8.8.8", 3381), false);
    for number in 10..20 {
        node.opened(peer(number), Some(public(number)), true, now);
    }
    let told = |node: &Discovery, about: PeerId| {
        node.links.values().filter(|link| link.waiting.iter().any(|record| record.peer == about)).count()
    };
    node.told(peer(2), vec![signed(5, &[at("9.9.9.9", 3381)], START_S)], false, now);
    assert_eq!(told(&node, peer(5)), RECORD_RELAYS);
    // The node forwards neither the same record again nor one signed soon after it.
    let waiting: usize = node.links.values().map(|link| link.waiting.len()).sum();
    for record in [signed(5, &[at("9.9.9.9", 3381)], START_S), signed(5, &[at("9.9.9.9", 3382)], START_S + 60)] {
        node.told(peer(10), vec![record], false, now);
    }
    assert_eq!(node.links.values().map(|link| link.waiting.len()).sum::<usize>(), waiting);
    // It forwards neither old records nor those that it asked for.
    node.told(peer(2), vec![signed(6, &[at("9.8.8.8", 3381)], START_S - 2 * RECORD_FRESH_S)], false, now);
    node.told(peer(2), vec![signed(7, &[at("9.7.7.7", 3381)], START_S)], true, now);
    assert_eq!((told(&node, peer(6)), told(&node, peer(7))), (0, 0));
    assert!(node.book().entry(&peer(6)).is_some() && node.book().entry(&peer(7)).is_some());
}

#[test]
fn an_observed_address_counts_once_two_netgroups_agree_and_one_has_connected() {
    let now = Now { at: Millis(0), unix_s: START_S };
    let mut node = Discovery::new(setup(1, &[], public), Book::new([1; 32], [1; 16]), now);
    node.own_mut().add(OwnSource::Listening, at("192.168.1.5", 3381));
    let seen: std::net::IpAddr = "9.9.9.9".parse().unwrap();
    let listed = |node: &mut Discovery| node.own_mut().list(&[Scope::Public]);
    for (number, from, inbound) in [(2, "8.8.8.8", true), (3, "8.8.4.4", false), (4, "8.8.9.9", false)] {
        node.opened(peer(number), Some(at(from, 3381)), inbound, now);
        node.observed(seen, peer(number));
    }
    assert_eq!(listed(&mut node), [], "one netgroup, and one that dialed in");
    node.opened(peer(5), Some(at("7.7.7.7", 3381)), false, now);
    node.observed(seen, peer(5));
    assert_eq!(listed(&mut node), [], "no peer has connected to it there");
    let quic = Address { transport: Transport::Quic, ..at("9.9.9.9", 3381) };
    node.own_mut().set(OwnSource::DialedBack, vec![quic]);
    assert_eq!(listed(&mut node), [quic, at("9.9.9.9", 3381)]);
    node.own_mut().set(OwnSource::DialedBack, vec![at("9.9.9.8", 3381)]);
    assert_eq!(listed(&mut node), [at("9.9.9.8", 3381)]);
}

#[test]
fn a_hidden_node_tells_its_onion_service_and_nothing_else() {
    let now = Now { at: Millis(0), unix_s: START_S };
    let mut node = Discovery::new(setup(1, &[], public), Book::new([1; 32], [1; 16]), now);
    let onion = Address::parse("/onion3/2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid:3381").unwrap().0;
    let relayed = Address { relay: Some(peer(9)), ..at("8.8.8.8", 3381) };
    let sources = [
        (OwnSource::Configured, at("9.9.9.1", 1)),
        (OwnSource::DialedBack, at("9.9.9.5", 2)),
        (OwnSource::Mapped, at("9.9.9.3", 1)),
        (OwnSource::Listening, at("9.9.9.4", 1)),
        (OwnSource::Onion, onion),
        (OwnSource::Relayed, relayed),
    ];
    for (source, address) in sources.iter().rev() {
        node.own_mut().add(*source, *address);
    }
    for (number, from) in [(2, "8.8.8.8"), (3, "7.7.7.7")] {
        node.opened(peer(number), Some(at(from, 3381)), false, now);
        node.observed("9.9.9.5".parse().unwrap(), peer(number));
    }
    let all = node.own_mut().list(&[Scope::Public]);
    assert_eq!(all[..4], sources[..4].iter().map(|(_, address)| *address).collect::<Vec<_>>());
    assert_eq!(all[4..], [at("9.9.9.5", 1), onion, relayed]);
    node.own_mut().hide();
    assert_eq!(node.own_mut().list(&[Scope::Loopback, Scope::Public]), [onion]);
    let told = said(&mut node, peer(2));
    assert!(!told.is_empty() && told.iter().all(|record| record.addresses == [onion]), "{told:?}");
}

#[test]
fn a_node_that_listens_on_loopback_alone_is_not_told_at_an_observed_address() {
    let now = Now { at: Millis(0), unix_s: START_S };
    let mut node = Discovery::new(setup(1, &[], public), Book::new([1; 32], [1; 16]), now);
    node.own_mut().add(OwnSource::Listening, at("127.0.0.1", 3381));
    for (number, from) in [(2, "8.8.8.8"), (3, "7.7.7.7")] {
        node.opened(peer(number), Some(at(from, 3381)), false, now);
        node.observed("9.9.9.9".parse().unwrap(), peer(number));
    }
    node.own_mut().add(OwnSource::DialedBack, at("9.9.9.9", 1));
    assert_eq!(node.own_mut().list(&[Scope::Public]), [at("9.9.9.9", 1)]);
}

#[test]
fn a_punched_hole_frees_the_netgroup_of_the_relay() {
    let now = Now { at: Millis(0), unix_s: START_S };
    let relayed = Address { relay: Some(peer(9)), ..at("8.8.8.8", 3381) };
    let mut node = with_peer(relayed, false);
    node.opened_directly(peer(2), at("9.9.9.9", 4000));
    assert_eq!(node.links[&peer(2)].address, Some(at("9.9.9.9", 4000)));
    // A second direct connection changes nothing.
    node.opened_directly(peer(2), at("7.7.7.7", 4000));
    assert_eq!(node.links[&peer(2)].netgroup(), at("9.9.9.9", 4000).netgroup());
    assert_eq!(node.links[&peer(2)].since, now.at);
}

#[test]
fn a_fresh_node_asks_its_seeds_before_it_dials_those_who_dialed_it() {
    let now = |ms: u64| Now { at: Millis(ms), unix_s: START_S };
    let mut node = Discovery::new(setup(1, &[3], public), Book::new([1; 32], [1; 16]), now(0));
    // Hostile nodes come first, with their own records and those of others.
    for number in 100..148 {
        node.opened(peer(number), Some(public(number)), true, now(0));
        let records =
            vec![signed(number, &[public(number)], START_S), signed(number + 100, &[public(number + 100)], START_S)];
        node.told(peer(number), records, false, now(0));
    }
    assert!((40..=48).contains(&node.book().counts().0), "those who dial tell of themselves alone");
    let dialed = |node: &mut Discovery, now: Now| {
        node.tick(now, &|_, _| true);
        let outputs: Vec<Output> = std::iter::from_fn(|| node.poll_output()).collect();
        outputs
            .into_iter()
            .filter_map(|output| match output {
                Output::Dial { id, address, purpose, .. } => Some((id, address, purpose)),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    let first = dialed(&mut node, now(0));
    assert_eq!(first.iter().map(|(_, address, _)| address.clone()).collect::<Vec<_>>(), [public(3).to_string()]);
    assert!(dialed(&mut node, now(5_000)).is_empty(), "no other node before the seed has answered");
    node.dialed(first[0].0, peer(3));
    node.opened(peer(3), Some(public(3)), false, now(6_000));
    assert!(dialed(&mut node, now(6_000)).is_empty());
    node.told(peer(3), (300..428).map(|number| signed(number, &[public(number)], START_S)).collect(), true, now(6_100));
    let purposes: Vec<Purpose> =
        (0..8).flat_map(|step| dialed(&mut node, now(7_000 + 1_000 * step))).map(|dial| dial.2).collect();
    assert!(purposes.contains(&Purpose::Outbound), "{purposes:?}");
    // Without an answer, it continues after half a minute.
    let mut node = Discovery::new(setup(1, &[3], public), Book::new([1; 32], [1; 16]), now(0));
    node.opened(peer(100), Some(public(100)), true, now(0));
    node.told(peer(100), vec![signed(100, &[public(100)], START_S)], false, now(0));
    node.closed(peer(100));
    assert_eq!(dialed(&mut node, now(0)).len(), 1);
    assert!(dialed(&mut node, now(31_000)).iter().any(|dial| dial.2 == Purpose::Outbound));
}

#[test]
fn a_node_that_has_just_started_signs_its_record_before_it_asks() {
    let now = |ms: u64| Now { at: Millis(ms), unix_s: START_S };
    let asked = |node: &mut Discovery| {
        let outputs: Vec<Output> = std::iter::from_fn(|| node.poll_output()).collect();
        let told = outputs.iter().position(|output| matches!(output, Output::Tell(..)));
        (told, outputs.iter().position(|output| matches!(output, Output::Ask(_))))
    };
    let mut node = Discovery::new(setup(1, &[], public), Book::new([1; 32], [1; 16]), now(0));
    node.opened(peer(2), Some(at("192.168.1.9", 3381)), false, now(0));
    node.tick(now(0), &|_, _| true);
    assert_eq!(asked(&mut node), (None, None));
    // The node learns where it listens. It first sends its record to the peer, and its question once the peer has read
    // the record.
    node.own_mut().add(OwnSource::Listening, at("192.168.1.5", 3381));
    for ms in [250, 500] {
        node.tick(now(ms), &|_, _| true);
    }
    assert!(matches!(asked(&mut node), (Some(_), None)));
    node.heard(peer(2));
    assert!(matches!(asked(&mut node), (None, Some(_))));
    node.heard(peer(2));
    node.tick(now(3_000), &|_, _| true);
    assert_eq!(asked(&mut node).1, None, "it is asked once");
    // The node also asks a peer that does not confirm that it has read the record.
    let mut node = Discovery::new(setup(1, &[], public), Book::new([1; 32], [1; 16]), now(0));
    node.own_mut().add(OwnSource::Listening, at("192.168.1.5", 3381));
    node.tick(now(0), &|_, _| true);
    node.opened(peer(2), Some(at("192.168.1.9", 3381)), false, now(0));
    assert!(matches!(asked(&mut node), (Some(_), None)));
    node.tick(now(2_000), &|_, _| true);
    assert!(asked(&mut node).1.is_some());
    // A node without any address also asks.
    let mut node = Discovery::new(setup(1, &[], public), Book::new([1; 32], [1; 16]), now(0));
    node.opened(peer(2), Some(at("192.168.1.9", 3381)), false, now(0));
    node.tick(now(2_000), &|_, _| true);
    assert!(asked(&mut node).1.is_some());
}

/// Nodes at one address share a peer's budget for it. When nothing is left, the peer refuses.
#[test]
fn a_peer_that_refuses_is_asked_again_after_a_pause() {
    let now = |ms: u64| Now { at: Millis(ms), unix_s: START_S };
    let mut node = Discovery::new(setup(1, &[], public), Book::new([1; 32], [1; 16]), now(0));
    node.opened(peer(2), Some(at("45.1.1.1", 3381)), false, now(0));
    let mut asked_at = Vec::new();
    for ms in (0..120_000).step_by(250) {
        node.tick(now(ms), &|_, _| true);
        while let Some(output) = node.poll_output() {
            if matches!(output, Output::Ask(_)) {
                asked_at.push(ms);
                node.not_answered(peer(2), now(ms));
            }
        }
    }
    assert_eq!(asked_at, [2_000, 14_000, 36_000, 78_000]);
    // The node does not ask inbound peers.
    node.opened(peer(3), Some(at("46.1.1.1", 3381)), true, now(120_000));
    node.not_answered(peer(3), now(120_000));
    node.tick(now(140_000), &|_, _| true);
    assert!(std::iter::from_fn(|| node.poll_output()).all(|output| output != Output::Ask(peer(3))));
}
