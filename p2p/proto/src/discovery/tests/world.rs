//! Nodes that discover each other over a simulated network: dials succeed if the other node is online at the address.

use std::collections::BTreeSet;

use super::*;
use crate::netgroup::Netgroup;

/// Nodes and their connections.
struct World {
    now: Now,
    nodes: Vec<Option<Discovery>>,
    address: fn(usize) -> Address,
    /// Connections, starting with the node that dialed.
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
                    self.node(number).heard(id);
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
    // A node that comes back finds the others with its book alone.
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

#[test]
fn seeds_are_asked_only_when_the_book_gives_nothing() {
    let mut world = World::new(4, &[], public);
    // A book whose nodes are online needs no seed.
    let mut node = start(0, &[3], public, None, world.now);
    for number in 1..3 {
        let record = Record::sign(&key(number), POOL, &[public(number)], "", (START_S, DAY_S)).unwrap();
        node.book.add(record, Netgroup::Ip4([50, 1]), START_S);
    }
    let book = node.book().encode(&POOL);
    world.nodes[0] = Some(start(0, &[3], public, Some(&book), world.now));
    world.run(60);
    assert!(world.linked(0, 1) && world.linked(0, 2) && !world.links.contains(&(0, 3)));
    // With a book whose nodes are gone, the node asks seeds after ten seconds.
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
    // While this node has no connection at all, failed dials do not count against other nodes.
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
