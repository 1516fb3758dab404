//! Every state on a virtual clock, and properties of the machine.

mod clock;

use p2p_proto::netgroup::{Host, Netgroup};
use proptest::prelude::*;
use sharechain::ShareId;

use super::dwell::{Dwell, Patience};
use super::own::{OwnShares, SeenLink};
use super::read::Reading;
use super::*;
use crate::limits::{CHANCES, CLOCK_WRONG_S, DISK_LOW_BYTES, OWN_SHARES_MAX, QUIET_LINKS};

const MAIN: Policy = Policy {
    on_isolation: Reaction::Stop,
    on_censorship: Reaction::Stop,
    new_pool: false,
    public: true,
    link_interval_s: 10,
    listing_depth: 301,
};
const SOLO: Policy = Policy { on_isolation: Reaction::Solo, on_censorship: Reaction::Solo, ..MAIN };

/// A node whose facts the tests set. Each step is a second.
struct Node {
    machine: Isolation,
    facts: Facts,
    now_s: u64,
}

fn group(a: u8) -> Option<Netgroup> {
    Some(Host::of_ip([a, 1, 1, 1].into()).netgroup())
}

fn peer(a: u8) -> PeerFact {
    PeerFact { outbound: true, answers: true, netgroup: group(a), bitcoin_height: Some(800_000), newer: false }
}

impl Node {
    fn new(policy: Policy) -> Self {
        let bitcoin = BitcoinFacts { height: Some(800_000), unknown_blocks: 0, connections: Some(10) };
        let facts = Facts {
            peers: vec![peer(8), peer(9), peer(10)],
            in_sync: true,
            height: Height(1_000),
            bitcoin,
            disk_free_bytes: Some(2 * DISK_LOW_BYTES),
            ..Facts::default()
        };
        let mut node = Self { machine: Isolation::new(policy), facts, now_s: 0 };
        node.pass(60);
        assert_eq!(node.kinds(), []);
        node
    }

    /// Lets seconds pass, with a link every ten seconds.
    fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.facts.height.0 += u32::from(self.now_s.is_multiple_of(10));
            self.step();
        }
    }

    fn step(&mut self) {
        self.now_s += 1;
        self.machine.step(&self.facts, Millis(self.now_s * 1_000));
    }

    fn kinds(&self) -> Vec<Kind> {
        self.machine.states().iter().map(|state| state.kind).collect()
    }

    /// The state begins once `bad` has lasted `after_s` seconds, no earlier, and ends `calm_s` seconds after the
    /// earlier facts are back.
    fn begins_and_ends(&mut self, kind: Kind, after_s: u64, calm_s: u64, bad: impl Fn(&mut Facts)) {
        let well = self.facts.clone();
        bad(&mut self.facts);
        self.pass(after_s);
        assert_eq!(self.kinds(), [], "{kind:?} waits");
        self.pass(1);
        assert_eq!(self.kinds(), [kind], "{kind:?} holds");
        let state = &self.machine.states()[0];
        assert_eq!(state.since, Millis((self.now_s - after_s) * 1_000));
        assert!(!state.what.is_empty() && !state.todo.is_empty(), "{state:?}");
        let found = state.what.clone();
        self.facts = Facts { height: self.facts.height, ..well };
        self.pass(calm_s);
        assert_eq!(self.kinds(), [kind], "{kind:?} goes on");
        assert_eq!(self.machine.states()[0].what, found, "fine facts are no finding");
        self.pass(1);
        assert_eq!(self.kinds(), [], "{kind:?} ends");
    }
}

#[test]
fn each_state_begins_and_ends_after_its_time() {
    let mut node = Node::new(MAIN);
    node.begins_and_ends(Kind::NoPeers, 30, 30, |facts| facts.peers.clear());
    node.begins_and_ends(Kind::Unlisted, 0, 30, |facts| facts.own = OwnFacts { judged: 4, left_out: 2 });
    node.begins_and_ends(Kind::Hashrate, 600, 600, |facts| facts.rates.hashrate = Some([24, 100]));
    node.begins_and_ends(Kind::Hashrate, 600, 600, |facts| facts.rates.hashrate = Some([401, 100]));
    node.begins_and_ends(Kind::ShareRate, 600, 600, |facts| facts.rates.shares = Some([3_839, 7_680]));
    node.begins_and_ends(Kind::Clock, 60, 60, |facts| facts.clock.link_age_s = Some(46));
    node.begins_and_ends(Kind::Clock, 60, 60, |facts| facts.clock.link_age_s = Some(-16));
    node.begins_and_ends(Kind::Clock, 60, 60, |facts| facts.clock.proofs_ahead = 8);
    node.begins_and_ends(Kind::Clock, 60, 60, |facts| facts.clock.bitcoind_s = Some(-61));
    node.begins_and_ends(Kind::Clock, 60, 60, |facts| facts.clock.bitcoind_peers_s = Some(61));
    node.begins_and_ends(Kind::Clock, 60, 60, |facts| facts.clock.blocks_s = Some(-61));
    node.begins_and_ends(Kind::Disk, 60, 60, |facts| facts.disk_free_bytes = Some(DISK_LOW_BYTES - 1));
    node.begins_and_ends(Kind::Bitcoind, 300, 60, |facts| facts.bitcoin.height = Some(799_998));
    node.begins_and_ends(Kind::Bitcoind, 300, 60, |facts| facts.bitcoin.unknown_blocks = 2);
    node.begins_and_ends(Kind::BitcoindAlone, 300, 0, |facts| facts.bitcoin.connections = Some(0));
    node.begins_and_ends(Kind::OneNetgroup, 600, 60, |facts| facts.peers = vec![peer(8); 5]);
    node.begins_and_ends(Kind::Outdated, 0, 60, |facts| facts.too_old = Some(3));
    node.begins_and_ends(Kind::Outdated, 0, 60, |facts| facts.peers.iter_mut().for_each(|peer| peer.newer = true));
    assert_eq!(node.machine.work(), Work::Pool);
}

#[test]
fn a_tip_that_stands_still_beside_peers_is_told_and_stops_nobody() {
    let mut node = Node::new(MAIN);
    let limit_s = u64::from(QUIET_LINKS) * 10;
    for _ in 0..limit_s - 10 {
        node.step();
    }
    assert_eq!(node.kinds(), []);
    for _ in 0..11 {
        node.step();
    }
    assert_eq!((node.kinds(), node.machine.work()), (vec![Kind::StaleTip], Work::Pool));
    node.pass(11);
    assert_eq!(node.kinds(), []);
    node.facts.peers.clear();
    (0..limit_s + 60).for_each(|_| node.step());
    assert_eq!(node.kinds(), [Kind::NoPeers], "without peers, that is what is wrong");
}

#[test]
fn work_for_the_pool_ends_after_30_link_intervals_without_peers_and_comes_back() {
    for (policy, work) in [(MAIN, Work::Stop(Cause::Isolation)), (SOLO, Work::Solo(Cause::Isolation))] {
        let mut node = Node::new(policy);
        let well = std::mem::take(&mut node.facts.peers);
        node.pass(300);
        assert_eq!(node.machine.work(), Work::Pool, "a short cut costs nothing");
        node.pass(1);
        assert_eq!(node.machine.work(), work);
        assert!(node.machine.reason().unwrap().contains("no peer has been connected for 300 s"));
        node.facts.peers = well;
        node.pass(30);
        assert_eq!(node.machine.work(), work, "a peer must stay");
        node.pass(1);
        assert_eq!((node.machine.work(), node.machine.reason()), (Work::Pool, None));
    }
}

#[test]
fn solo_work_lasts_until_the_node_has_what_it_missed() {
    let mut node = Node::new(SOLO);
    let well = std::mem::take(&mut node.facts.peers);
    node.pass(301);
    (node.facts.peers, node.facts.in_sync) = (well, false);
    node.pass(500);
    assert_eq!((node.machine.work(), node.kinds()), (Work::Solo(Cause::Isolation), vec![]));
    node.facts.in_sync = true;
    node.pass(1);
    assert_eq!(node.machine.work(), Work::Pool);
}

#[test]
fn peers_that_come_and_go_or_never_answer_do_not_hide_a_cut() {
    let mut node = Node::new(MAIN);
    let well = node.facts.peers.clone();
    for round in 0..11 {
        node.facts.peers.clear();
        node.pass(25);
        assert_eq!(node.machine.work(), Work::Pool, "round {round}");
        node.facts.peers.clone_from(&well);
        node.pass(2);
    }
    node.facts.peers = vec![PeerFact { answers: false, ..peer(8) }; 30];
    node.pass(5);
    assert_eq!(node.machine.work(), Work::Stop(Cause::Isolation));
    assert!(node.machine.states()[0].what.contains("30 connected, but none of them answers"));
}

#[test]
fn a_new_pool_works_alone_and_says_so() {
    let mut node = Node::new(Policy { new_pool: true, ..MAIN });
    node.facts.peers.clear();
    node.pass(100_000);
    assert_eq!((node.kinds(), node.machine.work()), (vec![Kind::NoPeers], Work::Pool));
    assert!(node.machine.states()[0].what.contains("new_pool"));
}

#[test]
fn no_claim_of_peers_takes_work_from_miners() {
    let mut node = Node::new(SOLO);
    for peer in &mut node.facts.peers {
        (peer.bitcoin_height, peer.newer, peer.netgroup) = (Some(u32::MAX), true, group(8));
    }
    node.facts.clock = ClockFacts {
        link_age_s: Some(i64::MIN + 1),
        proofs_ahead: u32::MAX,
        bitcoind_s: Some(i64::MAX),
        template_s: Some(i64::MAX),
        bitcoind_peers_s: Some(i64::MIN + 1),
        blocks_s: None,
    };
    node.facts.rates = Rates { hashrate: Some([0, u64::MAX]), shares: Some([u64::MAX, 0]) };
    node.pass(10_000);
    assert_eq!(node.machine.work(), Work::Pool);
    let warned = [Kind::Hashrate, Kind::ShareRate, Kind::Clock, Kind::Bitcoind, Kind::OneNetgroup, Kind::Outdated];
    assert_eq!(node.kinds(), warned);
}

/// Peers learn of most blocks a moment before bitcoind does.
#[test]
fn a_bitcoind_on_another_branch_is_not_said_to_be_one_block_behind_now_and_then() {
    let mut node = Node::new(MAIN);
    node.facts.bitcoin.unknown_blocks = 2;
    node.pass(301);
    for second in 0..60 {
        node.facts.bitcoin.height = Some(800_000 - u32::from(second % 20 < 3));
        node.pass(1);
        let [state] = node.machine.states() else { panic!("one state holds: {:?}", node.kinds()) };
        assert!(state.what.ends_with("it is on another branch"), "{}", state.what);
    }
}

#[test]
fn outbound_peers_and_the_median_say_where_bitcoin_is() {
    let mut node = Node::new(MAIN);
    // Inbound liars, and one outbound liar of three.
    let liar = PeerFact { outbound: false, bitcoin_height: Some(900_000), ..peer(11) };
    node.facts.peers.extend([liar; 20]);
    node.facts.peers[0].bitcoin_height = Some(900_000);
    assert_eq!(read::blocks_behind(&node.facts), Some(0));
    node.facts.peers[1].bitcoin_height = Some(900_000);
    assert_eq!(read::blocks_behind(&node.facts), Some(100_000));
    node.facts.peers.retain(|peer| !peer.outbound);
    assert_eq!(read::blocks_behind(&node.facts), Some(100_000), "without outbound peers, all count");
    node.facts.peers.clear();
    assert_eq!(read::blocks_behind(&node.facts), None);
}

/// A pool of two: this node's share comes first, then a link every ten seconds.
struct Pool {
    own: OwnShares,
    height: u32,
    now: Millis,
}

fn id(number: u32) -> ShareId {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    ShareId(bytes)
}

impl Pool {
    fn new() -> Self {
        let mut pool = Self { own: OwnShares::default(), height: 1_000_000, now: Millis(0) };
        pool.own.heard(true, pool.now);
        pool.links(5, &[]);
        pool
    }

    fn links(&mut self, count: u32, list: &[ShareId]) {
        for _ in 0..count {
            self.link(list, true, true);
        }
    }

    fn link(&mut self, list: &[ShareId], had_room: bool, live: bool) {
        self.height += 1;
        self.now = self.now.plus(10_000);
        let (link, parent) = (id(self.height), id(self.height - 1));
        let link = SeenLink { id: link, parent, height: Height(self.height), list, had_room, live };
        self.own.link(link, 301, |_| true, self.now);
    }

    fn facts(&self) -> [u32; 2] {
        let OwnFacts { judged, left_out } = self.own.facts();
        [judged, left_out]
    }
}

#[test]
fn shares_that_others_leave_out_are_counted_and_those_listed_late_are_not() {
    let mut pool = Pool::new();
    (1..=4).for_each(|number| pool.own.found(id(number), false, pool.now));
    pool.links(2, &[]);
    // The first chance is the link whose parent came more than 30 s later.
    pool.links(CHANCES, &[]);
    assert_eq!(pool.facts(), [0, 0]);
    pool.link(&[id(1)], true, true);
    assert_eq!(pool.facts(), [1, 0]);
    pool.links(2, &[]);
    assert_eq!(pool.facts(), [4, 3]);
    pool.link(&[id(2), id(3)], true, true);
    assert_eq!(pool.facts(), [4, 1]);
}

#[test]
fn links_without_room_own_links_and_links_of_a_download_are_no_chances() {
    let mut pool = Pool::new();
    pool.own.found(id(1), false, pool.now);
    for _ in 0..100 {
        pool.link(&[], false, true);
        pool.link(&[], true, false);
        pool.own.found(id(pool.height + 1), true, pool.now);
        pool.link(&[], true, true);
    }
    assert_eq!(pool.facts(), [0, 0]);
    // Shares found without peers count from the time when there are peers.
    pool.own.heard(false, pool.now);
    pool.links(20, &[]);
    pool.own.heard(true, pool.now);
    pool.links(CHANCES + 2, &[]);
    assert_eq!(pool.facts(), [0, 0]);
    pool.links(3, &[]);
    assert_eq!(pool.facts(), [1, 1]);
}

#[test]
fn what_cannot_be_listed_any_more_is_no_evidence_so_censored_miners_are_tried_again() {
    let mut pool = Pool::new();
    (1..=8).for_each(|number| pool.own.found(id(number), false, pool.now));
    pool.links(CHANCES + 10, &[]);
    assert_eq!(pool.facts(), [8, 8]);
    pool.height += 1;
    let link =
        SeenLink { id: id(9), parent: id(8), height: Height(pool.height), list: &[], had_room: true, live: true };
    pool.own.link(link, 301, |_| false, pool.now);
    assert_eq!(pool.facts(), [0, 0]);
}

#[test]
fn watched_shares_are_bounded() {
    let mut pool = Pool::new();
    for number in 0..3 * OWN_SHARES_MAX {
        pool.own.found(id(u32::try_from(number).unwrap()), true, pool.now);
    }
    pool.links(CHANCES + 10, &[]);
    assert_eq!(pool.facts()[0] as usize, OWN_SHARES_MAX);
}

fn reading() -> impl Strategy<Value = Reading> {
    prop_oneof![Just(Reading::Bad), Just(Reading::Fine), Just(Reading::Unsure)]
}

proptest! {
    /// With any readings, a state lasts at least as long as its end takes, and two starts are at least a start and an
    /// end apart.
    #[test]
    fn no_state_flaps(
        readings in proptest::collection::vec((reading(), 1..20_u64), 0..300), begin_ms in 1..50_u64, end_ms in 1..50_u64,
    ) {
        let (mut dwell, mut now, mut was_on) = (Dwell::NEW, 0, false);
        let (mut begun, mut ended): (Option<u64>, Option<u64>) = (None, None);
        for (reading, pass) in readings {
            now += pass;
            let since = dwell.step(reading, Patience { begin_ms, end_ms }, Millis(now));
            prop_assert_eq!(since.is_some(), dwell.is_on());
            match (was_on, dwell.is_on()) {
                (false, true) => {
                    prop_assert!(reading == Reading::Bad && dwell.bad_for(Millis(now)) >= begin_ms);
                    prop_assert!(ended.is_none_or(|ended| now >= ended + begin_ms));
                    begun = Some(now);
                }
                (true, false) => {
                    prop_assert!(reading == Reading::Fine && begun.is_some_and(|begun| now >= begun + end_ms));
                    ended = Some(now);
                }
                _ => {}
            }
            was_on = dwell.is_on();
        }
        // It follows lasting changes.
        for reading in [Reading::Bad, Reading::Fine] {
            dwell.step(reading, Patience { begin_ms, end_ms }, Millis(now + 1));
            now += 1 + begin_ms.max(end_ms);
            dwell.step(reading, Patience { begin_ms, end_ms }, Millis(now));
            prop_assert_eq!(dwell.is_on(), reading == Reading::Bad);
        }
    }

    /// With a peer that answers and shares that are listed, no other fact stops or changes miners' work.
    #[test]
    fn only_proof_stops_work(
        hashrate in any::<Option<[u64; 2]>>(), shares in any::<Option<[u64; 2]>>(), age_s in any::<Option<i64>>(),
        heights in any::<[Option<u32>; 4]>(), flags in any::<[bool; 4]>(), unknown_blocks in any::<u32>(),
    ) {
        let mut node = Node::new(SOLO);
        let age_s = age_s.filter(|age_s| *age_s != i64::MIN);
        let [a, b, c, own] = heights;
        let claim = |bitcoin_height, newer| PeerFact { bitcoin_height, newer, answers: true, ..PeerFact::default() };
        node.facts.peers = vec![claim(a, flags[0]), claim(b, flags[1]), claim(c, flags[2])];
        node.facts.rates = Rates { hashrate, shares };
        node.facts.clock = ClockFacts {
            link_age_s: age_s.map(|age_s| age_s.min(CLOCK_WRONG_S)),
            proofs_ahead: unknown_blocks,
            bitcoind_s: age_s.map(|age_s| age_s.max(-CLOCK_WRONG_S)),
            template_s: age_s,
            bitcoind_peers_s: age_s,
            blocks_s: age_s.map(|age_s| age_s.max(-CLOCK_WRONG_S)),
        };
        node.facts.bitcoin = BitcoinFacts { height: own, unknown_blocks, connections: Some(0) };
        node.facts.in_sync = flags[3];
        node.pass(1_000);
        prop_assert_eq!(node.machine.work(), Work::Pool);
    }
}
