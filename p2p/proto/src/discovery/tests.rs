//! Nodes that discover each other over a simulated network: dials succeed if the other node is online at the address.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::*;
use crate::limits::*;
use crate::netgroup::Netgroup;
use crate::record::{Scope, Transport};
use crate::score::Misbehaviour;

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

/// Nodes and their connections.
struct World {
    now: Now,
    nodes: Vec<Option<Discovery>>,
    address: fn(usize) -> Address,
    /// Connections, from the node that dialed.
    links: BTreeSet<(usize, usize)>,
    dials: u64,
}

impl World {
    fn new(count: usize, seeds: &[usize], address: fn(usize) -> Address) -> Self {
        let now = Now { at: Millis(0), unix_s: START_S };
        let nodes = (0..count).map(|number| Some(start(number, seeds, address, None, now))).collect();
        Self { now, nodes, address, links: BTreeSet::new(), dials: 0 }
    }

    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds * 4 {
            self.now.at = self.now.at.plus(250);
            self.now.unix_s = START_S + self.now.at.0 / 1_000;
            for number in 0..self.nodes.len() {
                let now = self.now;
                let Some(node) = &mut self.nodes[number] else { continue };
                node.tick(now, &|_, _| true);
                while let Some(output) = self.nodes[number].as_mut().and_then(Discovery::poll_output) {
                    self.act(number, output);
                }
            }
        }
    }

    fn find(&self, address: &str) -> Option<usize> {
        (0..self.nodes.len())
            .find(|number| self.nodes[*number].is_some() && (self.address)(*number).to_string() == address)
    }

    fn linked(&self, a: usize, b: usize) -> bool {
        self.links.contains(&(a, b)) || self.links.contains(&(b, a))
    }

    fn number(&self, id: PeerId) -> usize {
        (0..self.nodes.len()).find(|number| peer(*number) == id).unwrap()
    }

    fn node(&mut self, number: usize) -> &mut Discovery {
        self.nodes[number].as_mut().unwrap()
    }

    fn act(&mut self, number: usize, output: Output) {
        let now = self.now;
        match output {
            Output::Dial { id, address, peer: expected, .. } => {
                self.dials += 1;
                let found = self
                    .find(&address)
                    .filter(|other| *other != number && expected.is_none_or(|id| id == peer(*other)));
                let Some(other) = found.filter(|other| !self.linked(number, *other)) else {
                    return self.node(number).dial_failed(id);
                };
                self.links.insert((number, other));
                let (to, from) = ((self.address)(other), Address { port: 50_000, ..(self.address)(number) });
                self.node(number).dialed(id, peer(other));
                self.node(other).opened(peer(number), Some(from), true, now);
                self.node(number).opened(peer(other), Some(to), false, now);
            }
            Output::Disconnect(id) => {
                let other = self.number(id);
                self.cut(number, other);
            }
            Output::Ask(id) => {
                let other = self.number(id);
                let records = self.node(other).answer(peer(number), now);
                assert_eq!(self.node(number).told(id, records, true, now), None);
            }
            Output::Tell(id, records) => {
                let other = self.number(id);
                if let Some(node) = &mut self.nodes[other] {
                    assert_eq!(node.told(peer(number), records, false, now), None);
                }
            }
            Output::LookUpSeeds => {}
        }
    }

    fn cut(&mut self, a: usize, b: usize) {
        self.links.remove(&(a, b));
        self.links.remove(&(b, a));
        for (number, other) in [(a, b), (b, a)] {
            if let Some(node) = &mut self.nodes[number] {
                node.closed(peer(other));
            }
        }
    }

    /// Kills a node. Returns its book.
    fn kill(&mut self, number: usize) -> Vec<u8> {
        for other in 0..self.nodes.len() {
            if self.linked(number, other) {
                self.cut(number, other);
            }
        }
        self.nodes[number].take().unwrap().book().encode(&POOL)
    }

    /// True if all running nodes are in one network.
    fn is_one(&self) -> bool {
        let running: Vec<usize> = (0..self.nodes.len()).filter(|number| self.nodes[*number].is_some()).collect();
        let mut reached = vec![running[0]];
        let mut looked_at = 0;
        while let Some(node) = reached.get(looked_at).copied() {
            looked_at += 1;
            reached.extend(
                running
                    .iter()
                    .copied()
                    .filter(|other| self.linked(node, *other) && !reached.contains(other))
                    .collect::<Vec<_>>(),
            );
        }
        reached.len() == running.len()
    }
}

#[test]
fn nodes_that_know_one_seed_form_one_network_without_it() {
    let mut world = World::new(12, &[0], public);
    world.run(90);
    assert!(
        (1..12).all(|number| world.node(number).numbers().book_new + world.node(number).numbers().book_tried >= 10)
    );
    world.kill(0);
    world.run(60);
    assert!(world.is_one());
    // A node that comes back knows the others from its book alone.
    let book = world.kill(5);
    world.run(5);
    let mut node = start(5, &[], public, Some(&book), world.now);
    node.setup.seeds.clear();
    world.nodes[5] = Some(node);
    world.run(10);
    assert!(world.is_one() && world.node(5).numbers().outbound >= 5, "{:?}", world.node(5).numbers());
}

#[test]
fn outbound_connections_reach_the_target_in_as_many_netgroups() {
    let mut world = World::new(40, &[0, 1], public);
    world.run(240);
    for number in 2..40 {
        let numbers = world.node(number).numbers();
        let all = world.node(number).links.len();
        assert!(numbers.outbound == OUTBOUND_TARGET || all > 30, "{number}: {numbers:?}, {all} links");
    }
}

#[test]
fn no_two_outbound_peers_are_in_one_netgroup() {
    // 30 nodes in three netgroups.
    fn crowded(number: usize) -> Address {
        at(&format!("{}.1.1.{}", 20 + number % 3, number), 3381)
    }
    let mut world = World::new(30, &[0], crowded);
    world.run(120);
    for number in 1..30 {
        let outbound: Vec<PeerId> = world.node(number).outbound_peers().collect();
        let groups: BTreeSet<Netgroup> = outbound.iter().map(|id| crowded(world.number(*id)).netgroup()).collect();
        assert_eq!(groups.len(), outbound.len(), "node {number}");
    }
    assert!(world.is_one());
}

#[test]
fn nodes_of_one_machine_find_each_other() {
    fn loopback(number: usize) -> Address {
        at("127.0.0.1", 4_000 + u16::try_from(number).unwrap())
    }
    let mut world = World::new(8, &[0], loopback);
    world.run(40);
    for number in 0..8 {
        assert!(world.node(number).links.len() >= 5, "{number}: {} links", world.node(number).links.len());
    }
    world.kill(0);
    world.run(10);
    assert!(world.is_one());
}

/// A node that is connected with one peer, which dialed it or was dialed from outside.
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

/// Everything that the node says to its peer within a minute.
fn said(node: &mut Discovery, peer: PeerId) -> Vec<Record> {
    let mut out = node.answer(peer, Now { at: Millis(1_000), unix_s: START_S + 1 });
    for second in 1..60 {
        let now = Now { at: Millis(second * 1_000), unix_s: START_S + second };
        node.tick(now, &|_, _| true);
        while let Some(output) = node.poll_output() {
            if let Output::Tell(_, records) = output {
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
    // What local peers told is in the book.
    let mut node = with_peer(at("8.8.8.8", 50_000), true);
    node.opened(peer(3), Some(at("192.168.1.9", 3381)), false, now);
    assert_eq!(node.told(peer(3), vec![signed(4, &[at("192.168.1.7", 3381)], START_S)], true, now), None);
    assert!(node.book().entry(&peer(4)).is_some());
    node.closed(peer(3));
    assert_eq!(narrowest(&said(&mut node, peer(2))), Some(Scope::Public));
    // Outbound, too.
    let mut node = with_peer(at("8.8.8.8", 3381), false);
    assert_eq!(narrowest(&said(&mut node, peer(2))), Some(Scope::Public));
    // A peer behind a proxy on this machine, or a container's network, is not local because it seems so.
    for seeming in ["127.0.0.1", "172.17.0.1"] {
        let mut node = with_peer(at(seeming, 50_000), true);
        assert_eq!(narrowest(&said(&mut node, peer(2))), Some(Scope::Public), "{seeming}");
    }
    // A local peer is told addresses of its own scope, and no narrower ones.
    let mut node = with_peer(at("192.168.1.9", 3381), false);
    assert_eq!(narrowest(&said(&mut node, peer(2))), Some(Scope::Private));
    let mut node = with_peer(at("127.0.0.1", 3381), false);
    assert_eq!(narrowest(&said(&mut node, peer(2))), Some(Scope::Loopback));
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
    // An answer that was asked for is taken whole, once.
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
    // The same again, or one that was signed soon after, goes no further.
    let waiting: usize = node.links.values().map(|link| link.waiting.len()).sum();
    for record in [signed(5, &[at("9.9.9.9", 3381)], START_S), signed(5, &[at("9.9.9.9", 3382)], START_S + 60)] {
        node.told(peer(10), vec![record], false, now);
    }
    assert_eq!(node.links.values().map(|link| link.waiting.len()).sum::<usize>(), waiting);
    // Old news, and what was asked for, goes nowhere.
    node.told(peer(2), vec![signed(6, &[at("9.8.8.8", 3381)], START_S - 2 * RECORD_FRESH_S)], false, now);
    node.told(peer(2), vec![signed(7, &[at("9.7.7.7", 3381)], START_S)], true, now);
    assert_eq!((told(&node, peer(6)), told(&node, peer(7))), (0, 0));
    assert!(node.book().entry(&peer(6)).is_some() && node.book().entry(&peer(7)).is_some());
}

#[test]
fn an_observed_address_counts_once_two_netgroups_agree() {
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
    assert_eq!(listed(&mut node), [at("9.9.9.9", 3381)]);
    node.own_mut().use_observed(false);
    assert_eq!(listed(&mut node), []);
}

#[test]
fn seeds_are_asked_only_when_the_book_gives_nothing() {
    let mut world = World::new(4, &[], public);
    // A book whose nodes are there needs no seed.
    let mut node = start(0, &[3], public, None, world.now);
    for number in 1..3 {
        let record = Record::sign(&key(number), POOL, &[public(number)], "", (START_S, DAY_S)).unwrap();
        node.book.add(record, Netgroup::Ip4([50, 1]), START_S);
    }
    world.nodes[0] = Some(node);
    world.run(60);
    assert!(world.linked(0, 1) && world.linked(0, 2) && !world.links.contains(&(0, 3)));
    // One whose nodes are gone asks seeds after ten seconds.
    let book = world.kill(0);
    world.kill(1);
    world.kill(2);
    world.nodes[0] = Some(start(0, &[3], public, Some(&book), world.now));
    world.run(SEED_WAIT_MS / 1_000 - 1);
    assert!(!world.linked(0, 3));
    world.run(3);
    assert!(world.linked(0, 3));
}

#[test]
fn anchors_are_dialed_first_and_kept_while_they_are_few() {
    let mut world = World::new(60, &[0], public);
    world.run(600);
    let anchors = world.node(30).book().anchors().to_vec();
    assert_eq!(anchors.len(), ANCHORS);
    let book = world.kill(30);
    world.nodes[30] = Some(start(30, &[], public, Some(&book), world.now));
    world.run(3);
    // An anchor may have dialed first.
    assert!(anchors.iter().all(|anchor| world.linked(30, world.number(*anchor))), "{anchors:?}");
    assert!(world.node(30).book().anchors().iter().all(|anchor| anchors.contains(anchor)));
}

#[test]
fn a_stale_tip_exchanges_one_peer_and_no_anchor() {
    let mut world = World::new(60, &[0], public);
    world.run(300);
    let number = (0..60).find(|number| world.nodes[*number].as_ref().unwrap().outbound() == OUTBOUND_TARGET).unwrap();
    let before: BTreeSet<PeerId> = world.node(number).outbound_peers().collect();
    let anchors = world.node(number).book().anchors().to_vec();
    let now = world.now;
    for useful in before.iter().skip(1) {
        world.node(number).useful(*useful, Now { at: now.at.plus(1), ..now });
    }
    world.node(number).set_stale(true);
    world.run(ROTATE_MS / 1_000 + 60);
    let after: BTreeSet<PeerId> = world.node(number).outbound_peers().collect();
    assert!(anchors.iter().all(|anchor| after.contains(anchor)));
    let gone: Vec<_> = before.difference(&after).collect();
    assert!(gone.len() <= 2 && after.len() >= OUTBOUND_TARGET - 1, "{} gone, {} left", gone.len(), after.len());
    assert!(!gone.is_empty() || after.len() > OUTBOUND_TARGET);
}

#[test]
fn a_node_alone_does_not_dial_in_a_loop() {
    let mut world = World::new(1, &[], public);
    let mut node = start(0, &[], public, None, world.now);
    for number in 1..20 {
        let record = Record::sign(&key(number), POOL, &[public(number)], "", (START_S, DAY_S)).unwrap();
        node.book.add(record, Netgroup::Ip4([50, 1]), START_S);
    }
    world.nodes[0] = Some(node);
    world.run(600);
    // Up to 19 nodes, each at most every 15 s.
    assert!(world.dials <= 19 * 41 && world.dials > 19, "{} dials", world.dials);
    // Without any connection, no failure is the others' fault.
    let blamed = |number: &usize| {
        world.nodes[0].as_ref().unwrap().book().entry(&peer(*number)).is_some_and(|entry| entry.attempts() > 0)
    };
    assert_eq!((1..20).find(blamed), None);
}

#[test]
fn a_node_that_discovers_nobody_says_and_dials_nothing() {
    let mut world = World::new(3, &[0], public);
    world.run(20);
    let mut off = setup(5, &[0], public);
    off.is_on = false;
    let now = world.now;
    let mut node = Discovery::new(off, Book::new([1; 32], [1; 16]), now);
    node.own_mut().add(OwnSource::Configured, public(5));
    node.opened(peer(0), Some(public(0)), false, now);
    node.tick(now, &|_, _| true);
    assert_eq!(node.poll_output(), None);
    assert_eq!(node.answer(peer(0), now), []);
    node.told(peer(0), vec![signed(7, &[public(7)], now.unix_s)], true, now);
    assert_eq!(node.book().counts(), (0, 0));
}
