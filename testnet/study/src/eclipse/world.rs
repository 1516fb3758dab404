//! Honest nodes that come and go, an attacker, and a node that restarts again and again.

use std::collections::{BTreeSet, HashMap};
use std::net::Ipv4Addr;

use ed25519_dalek::SigningKey;
use p2p_proto::book::Book;
use p2p_proto::discovery::{Discovery, Now, Output, Seed, Setup};
use p2p_proto::limits::{RECORD_LIFE_S_MAX, RECORDS_MAX};
use p2p_proto::record::{Address, Checked, Record, Scope, Transport};
use p2p_proto::{Millis, PeerId};
use rand::Rng;
use sim::rng::{SimRng, stream};

use super::Counts;

pub(super) const HONEST: usize = 1_000;
const HONEST_GROUPS: u32 = 500;
const HOSTS_A_GROUP: usize = 256;
const HOSTILE_MAX: usize = 16_384;
/// Hours from a restart to the next; the first life is a day.
pub(super) const LIFE_H: usize = 6;
/// Inbound connections of the attacker.
const INBOUND: usize = 48;
/// Records that each of them tells in a life, and how many in a minute: a record in ten seconds.
const TOLD_A_LIFE: usize = 1_000;
pub(super) const TOLD_A_MINUTE: usize = 6;
const POOL: [u8; 32] = [7; 32];
const START_S: u64 = 1_800_000_000;
const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 24 * HOUR_S;
/// Chance that an honest node goes offline within an hour, and that one comes back: 70% are online.
const LEAVES: f64 = 1.0 / 24.0;
const RETURNS: f64 = 0.7 / 0.3 / 24.0;

/// A node that can be dialed.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) record: Checked,
    address: Address,
    pub(super) is_hostile: bool,
    pub(super) is_online: bool,
}

/// All nodes but the victim.
#[derive(Debug)]
pub(super) struct Population {
    pub(super) nodes: Vec<Node>,
    by_address: HashMap<String, usize>,
    by_peer: HashMap<PeerId, usize>,
}

impl Population {
    /// Honest nodes first, then hostile ones in this number of netgroups.
    pub(super) fn new(groups: usize, rng: &mut SimRng) -> Self {
        let mut nodes = Vec::new();
        let mut used = BTreeSet::new();
        for number in 0..HONEST {
            let address = loop {
                let group = rng.random_range(0..HONEST_GROUPS);
                let ip = (20 << 24) + (group << 16) + rng.random_range(256..65_000);
                if used.insert(ip) {
                    break ip;
                }
            };
            nodes.push(node(number, address, false, rng.random_bool(0.7)));
        }
        let hosts = HOSTS_A_GROUP.min(HOSTILE_MAX / groups);
        for group in 0..u32::try_from(groups).unwrap_or(0) {
            for host in 0..u32::try_from(hosts).unwrap_or(0) {
                let ip = (100 << 24) + (1 << 24) + (group << 16) + host * 97 + 256;
                nodes.push(node(nodes.len(), ip, true, true));
            }
        }
        let by_address = nodes.iter().enumerate().map(|(at, node)| (node.address.to_string(), at)).collect();
        let by_peer = nodes.iter().enumerate().map(|(at, node)| (node.record.peer, at)).collect();
        Self { nodes, by_address, by_peer }
    }

    pub(super) fn hostile(&self, rng: &mut SimRng) -> usize {
        rng.random_range(HONEST..self.nodes.len())
    }

    /// An hour passes.
    pub(super) fn churn(&mut self, rng: &mut SimRng) {
        for node in self.nodes.iter_mut().take(HONEST) {
            let changes = if node.is_online { LEAVES } else { RETURNS };
            node.is_online ^= rng.random_bool(changes);
        }
    }

    /// Records that a node answers with, of which this part is hostile if the node itself is honest.
    pub(super) fn answer(&self, by: usize, hostile_part: f64, rng: &mut SimRng) -> Vec<usize> {
        let is_hostile = self.nodes[by].is_hostile;
        let one = |_| {
            if is_hostile || rng.random_bool(hostile_part) { self.hostile(rng) } else { rng.random_range(0..HONEST) }
        };
        (0..RECORDS_MAX).map(one).collect()
    }
}

fn node(number: usize, ip: u32, is_hostile: bool, is_online: bool) -> Node {
    let mut seed = [3; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    let address = Address::of_ip(Ipv4Addr::from(ip).into(), 3381, Transport::Tcp);
    let record = Record::sign(&SigningKey::from_bytes(&seed), POOL, &[address], "", (START_S, RECORD_LIFE_S_MAX));
    Node { record: record.expect("it has an address"), address, is_hostile, is_online }
}

/// When the attacker begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begins {
    /// An hour after the node's first start.
    Later,
    /// Before the node's first second.
    First,
}

struct World {
    population: Population,
    victim: Discovery,
    /// What honest nodes answer from; their answers have the hostile part of the victim's own book if there is none.
    elder: Option<Book>,
    seeds: Vec<Seed>,
    rng: SimRng,
    now_ms: u64,
    links: BTreeSet<usize>,
    /// Hostile nodes with inbound connections.
    inbound: Vec<usize>,
}

fn victim(book: Book, seeds: Vec<Seed>, now: Now) -> Discovery {
    let setup = Setup {
        key: SigningKey::from_bytes(&[1; 32]),
        pool: POOL,
        user_agent: String::new(),
        is_on: true,
        tells_local: false,
        seeds,
        has_dns_seeds: false,
    };
    Discovery::new(setup, book, now)
}

/// Simulates one world. Counts its first start, if the attacker is there, and its restarts.
pub(super) fn run(groups: usize, seed: u64, restarts: usize, begins: Begins) -> [Counts; 2] {
    let mut rng = stream(seed, "eclipse", 0);
    let population = Population::new(groups, &mut rng);
    let seeds: Vec<Seed> = (0..3)
        .map(|_| &population.nodes[rng.random_range(0..HONEST)])
        .map(|node| Seed { address: node.address.to_string(), peer: Some(node.record.peer) })
        .collect();
    let book = Book::new(rng.random(), rng.random());
    let now = Now { at: Millis(0), unix_s: START_S };
    let victim = victim(book, seeds.clone(), now);
    let (links, inbound) = (BTreeSet::new(), Vec::new());
    let mut world = World { population, victim, elder: None, seeds, rng, now_ms: 0, links, inbound };
    let (mut start, mut counts) = (Counts::default(), Counts::default());
    world.live(1);
    world.attack();
    world.live(23);
    if begins == Begins::First {
        world.begin_anew();
        world.minutes(5, 250);
        world.count(&mut start);
        world.live(24);
    }
    for _ in 0..restarts {
        world.restart();
        world.minutes(5, 250);
        world.count(&mut counts);
        world.live(LIFE_H);
    }
    [start, counts]
}

impl World {
    fn now(&self) -> Now {
        Now { at: Millis(self.now_ms), unix_s: START_S + self.now_ms / 1_000 }
    }

    /// The attacker connects.
    fn attack(&mut self) {
        self.inbound.clear();
        while self.inbound.len() < INBOUND {
            let hostile = self.population.hostile(&mut self.rng);
            if self.links.insert(hostile) {
                self.inbound.push(hostile);
                let Node { record, address, .. } = self.population.nodes[hostile].clone();
                let now = self.now();
                self.victim.opened(record.peer, Some(Address { port: 50_000, ..address }), true, now);
                self.victim.learn(record.peer, record, false, now);
            }
        }
    }

    /// Runs for some hours. The attacker tells its records first, others renew theirs in the course of it.
    fn live(&mut self, hours: usize) {
        for hour in 0..hours {
            for minute in 0..60 {
                if !self.inbound.is_empty() && (hour * 60 + minute) * TOLD_A_MINUTE < TOLD_A_LIFE {
                    self.flood();
                }
                self.renewals(HONEST / 720);
                self.minutes(1, 10_000);
            }
            self.population.churn(&mut self.rng);
            self.close_gone();
        }
    }

    fn flood(&mut self) {
        let now = self.now();
        for from in self.inbound.clone() {
            let from = self.population.nodes[from].record.peer;
            for _ in 0..TOLD_A_MINUTE {
                let about = self.population.hostile(&mut self.rng);
                self.victim.learn(from, self.population.nodes[about].record.clone(), false, now);
            }
        }
    }

    /// Some honest nodes' records arrive, through an honest peer if there is one.
    fn renewals(&mut self, count: usize) {
        let honest: Vec<usize> = self.links.iter().copied().filter(|link| *link < HONEST).collect();
        for _ in 0..count {
            let about = self.rng.random_range(0..HONEST);
            if honest.is_empty() || !self.population.nodes[about].is_online {
                continue;
            }
            let from = self.population.nodes[honest[self.rng.random_range(0..honest.len())]].record.peer;
            let now = self.now();
            self.victim.learn(from, self.population.nodes[about].record.clone(), false, now);
        }
    }

    fn close_gone(&mut self) {
        let gone: Vec<usize> =
            self.links.iter().copied().filter(|link| !self.population.nodes[*link].is_online).collect();
        for link in gone {
            self.links.remove(&link);
            self.victim.closed(self.population.nodes[link].record.peer);
        }
    }

    fn restart(&mut self) {
        let bytes = self.victim.book().encode(&POOL);
        self.links.clear();
        self.now_ms += HOUR_S * 1_000;
        self.population.churn(&mut self.rng);
        let book = Book::decode(&bytes, &POOL, self.rng.random()).expect("it was just written");
        self.victim = victim(book, self.seeds.clone(), self.now());
        self.attack();
    }

    /// A node that knows nobody starts among honest ones whose books are like the victim's was, and the attacker is faster
    /// than its seeds.
    fn begin_anew(&mut self) {
        self.elder = Some(self.victim.book().clone());
        self.links.clear();
        let book = Book::new(self.rng.random(), self.rng.random());
        self.victim = victim(book, self.seeds.clone(), self.now());
        self.attack();
        self.flood();
    }

    /// Records that a node answers with.
    fn answer(&mut self, by: usize) -> Vec<usize> {
        match self.elder.as_mut().filter(|_| by < HONEST) {
            Some(elder) => {
                let told = elder.sample(RECORDS_MAX, &[Scope::Public], START_S + self.now_ms / 1_000);
                told.iter().map(|record| self.population.by_peer[&record.peer]).collect()
            }
            None => {
                let part = self.hostile_part();
                self.population.answer(by, part, &mut self.rng)
            }
        }
    }

    fn minutes(&mut self, minutes: u64, tick_ms: u64) {
        for _ in 0..minutes * 60_000 / tick_ms {
            self.now_ms += tick_ms;
            let now = self.now();
            self.victim.tick(now, &|_, _| true);
            while let Some(output) = self.victim.poll_output() {
                self.act(output);
            }
        }
    }

    fn act(&mut self, output: Output) {
        let now = self.now();
        match output {
            Output::Dial { id, address, .. } => {
                let there = self.population.by_address.get(&address).copied();
                let online = there.filter(|there| self.population.nodes[*there].is_online);
                let Some(there) = online.filter(|there| self.links.insert(*there)) else {
                    return self.victim.dial_failed(id);
                };
                let Node { record, address, .. } = self.population.nodes[there].clone();
                self.victim.dialed(id, record.peer);
                self.victim.opened(record.peer, Some(address), false, now);
            }
            Output::Disconnect(peer) => {
                self.links.remove(&self.population.by_peer[&peer]);
                self.victim.closed(peer);
            }
            Output::Ask(peer) => {
                for about in self.answer(self.population.by_peer[&peer]) {
                    self.victim.learn(peer, self.population.nodes[about].record.clone(), true, now);
                }
            }
            Output::Tell(..) | Output::LookUpSeeds => {}
        }
    }

    fn known(&self) -> (usize, usize) {
        let book = self.victim.book();
        let known = |node: &&Node| book.entry(&node.record.peer).is_some();
        let hostile = self.population.nodes.iter().skip(HONEST).filter(known).count();
        let (new, tried) = book.counts();
        (new + tried, hostile)
    }

    /// Hostile part of what the victim itself would answer.
    fn hostile_part(&self) -> f64 {
        let told = self.victim.book().clone().sample(RECORDS_MAX, &[Scope::Public], self.now().unix_s);
        let hostile = told.iter().filter(|record| self.population.by_peer[&record.peer] >= HONEST).count();
        super::as_f64(hostile) / super::as_f64(told.len().max(1))
    }

    fn count(&self, counts: &mut Counts) {
        let outbound: Vec<PeerId> = self.victim.outbound_peers().collect();
        let hostile = outbound.iter().filter(|peer| self.population.by_peer[peer] >= HONEST).count();
        counts.count(outbound.len(), hostile);
        let (known, known_hostile) = self.known();
        counts.known += known;
        counts.known_hostile += known_hostile;
    }
}

const _: () = assert!(DAY_S * 22 < 30 * DAY_S);
