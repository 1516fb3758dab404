mod cost;
mod toy;

use toy::{Heard, Toy, toys};

use super::*;
use crate::scenario::{Claim, Scenario};
use crate::transport::{Distances, LineKind};

const MINUTE: Micros = Micros::from_secs(60);

fn even(count: usize) -> Transport {
    Transport::new(vec![LineKind::Fibre.line(); count], Distances::Even(Micros::from_millis(40)))
}

/// Creates a world of `count` toys that know each other. Each has one miner with a hash per second. All are started.
fn world(count: usize, seed: u64) -> World<Toy> {
    let miners: Vec<_> = (0..count).map(|index| (NodeId::of(index), 1.0)).collect();
    let mut world = World::new(toys(count, 10.0), toy::Nothing, &miners, even(count), seed);
    world.connect(&Topology::everyone(count));
    world.plan(&Plan::new((0..count).map(|index| (Micros::ZERO, Action::Start(NodeId::of(index)))).collect()));
    world
}

/// Returns the times at which a node heard that a connection is up or down.
fn lines(toy: &Toy, up: bool) -> Vec<Micros> {
    let told = toy.heard.iter().filter(|(_, heard)| matches!(heard, Heard::Line(_, is_up) if *is_up == up));
    told.map(|(at, _)| *at).collect()
}

#[test]
fn the_same_seed_makes_the_same_world() {
    let storm = Scenario::parse(include_str!("../../../scenarios/storm.toml")).unwrap();
    let run = |seed| {
        let drawn = storm.draw(seed);
        let mut world = drawn.world(toys(drawn.nodes.len(), 400.0), toy::Nothing, seed);
        world.run(drawn.duration);
        (world.steps(), world.nodes.into_iter().map(|toy| toy.heard).collect::<Vec<_>>())
    };
    let first = run(1);
    assert!(first.0 > 10_000);
    assert!(first == run(1), "the same");
    assert!(first != run(2), "another seed, another world");
}

#[test]
fn lines_come_and_go_by_turns_and_are_there_in_the_end() {
    for seed in 0..40 {
        let scenario = Scenario::random(seed);
        let drawn = scenario.draw(seed);
        let mut world = drawn.world(toys(drawn.nodes.len(), 4_000.0), toy::Nothing, seed);
        world.run(drawn.duration);
        let ended = scenario.faults.iter().all(|fault| fault.end_s() + 120.0 < scenario.duration_s);
        for (index, toy) in world.nodes.iter().enumerate() {
            assert_eq!(toy.confusion, None, "seed {seed}, node {index}");
            let id = NodeId::of(index);
            if ended && world.schedule.is_up(id) {
                let running = (0..drawn.nodes.len()).filter(|peer| world.schedule.is_up(NodeId::of(*peer)));
                assert_eq!(toy.peers.len(), running.count() - 1, "seed {seed}, node {index}");
            }
        }
    }
}

#[test]
fn proofs_are_found_as_often_as_their_work_says() {
    let mut world = world(4, 1);
    world.run(Micros::from_secs(4_000));
    let count = |toy: &Toy| toy.heard.iter().filter(|(_, heard)| *heard == Heard::Found).count();
    let found: usize = world.nodes.iter().map(count).sum();
    // Four hashes per second, ten per proof.
    assert!(found.abs_diff(1_600) < 160, "{found}");
}

#[test]
fn hash_rate_comes_and_goes() {
    let mut world = world(1, 1);
    let rates = [(100, 100.0), (200, 0.0), (300, 1.0)];
    let actions = rates.map(|(at, rate)| (Micros::from_secs(at), Action::Hashrate(MinerId(0), rate)));
    world.plan(&Plan::new(actions.to_vec()));
    world.run(Micros::from_secs(400));
    let within = |from, to| {
        let times =
            world.nodes[0].heard.iter().filter(|(_, heard)| *heard == Heard::Found).map(|(at, _)| at.whole_secs());
        times.filter(|at| (from..to).contains(at)).count()
    };
    assert!((2..30).contains(&within(0, 100)));
    assert!((850..1_150).contains(&within(100, 200)));
    assert_eq!(within(200, 300), 0);
    assert!((2..30).contains(&within(300, 400)));
}

#[test]
fn cuts_are_noticed_late_and_healed_soon() {
    let mut world = world(4, 2);
    let cut = Micros::from_secs(100);
    let heal = Micros::from_secs(400);
    world.plan(&Plan::new(vec![(cut, Action::Groups(vec![0, 0, 1, 1])), (heal, Action::Groups(vec![0; 4]))]));
    world.run(Micros::from_secs(600));
    for toy in &world.nodes {
        let (lost, found) = (lines(toy, false), lines(toy, true));
        assert_eq!((lost.len(), found.len()), (2, 5));
        assert!(lost.iter().all(|at| (cut + Micros::from_secs(10)..=cut + Micros::from_secs(30)).contains(at)));
        assert!(found[..3].iter().all(|at| *at <= Micros::from_secs(2)));
        assert!(found[3..].iter().all(|at| (heal..=heal + Micros::from_secs(30)).contains(at)));
        assert_eq!(toy.confusion, None);
        assert_eq!(toy.peers.len(), 3);
    }
    // Messages did not pass in the meantime.
    let crossed = world.nodes[0]
        .heard
        .iter()
        .any(|(at, heard)| matches!(heard, Heard::Message(from) if from.index() > 1) && (cut..heal).contains(at));
    assert!(!crossed);
}

#[test]
fn the_dead_hear_nothing_and_start_anew() {
    let mut world = world(3, 3);
    world.schedule.crash(NodeId(0), MINUTE);
    world.schedule.start(NodeId(0), MINUTE + MINUTE);
    world.run(Micros::from_secs(300));
    let dead = &world.nodes[0];
    let silent = dead.heard.iter().filter(|(at, _)| (MINUTE..MINUTE + MINUTE).contains(at));
    assert_eq!(silent.map(|(_, heard)| heard).collect::<Vec<_>>(), [&Heard::Crash]);
    let starts = dead.heard.iter().filter(|(_, heard)| *heard == Heard::Start);
    assert_eq!(starts.count(), 2);
    assert!(dead.heard.iter().any(|(at, heard)| *at > MINUTE + MINUTE && *heard == Heard::Found), "it mines again");
    assert!(lines(dead, false).is_empty(), "what died had no connections to lose");
    for other in &world.nodes[1..] {
        let noticed = lines(other, false)[0];
        assert!((MINUTE..=MINUTE + Micros::from_secs(30)).contains(&noticed));
        assert_eq!(other.peers.len(), 2);
    }
}

#[test]
fn nodes_act_out_what_only_they_can() {
    let mut world = world(2, 4);
    let faults = [NodeFault::ClockStep(-5), NodeFault::BitcoindClaims(Some(Claim::MadeUpTip))];
    world.plan(&Plan::new(faults.map(|fault| (MINUTE, Action::Node(NodeId(1), fault))).to_vec()));
    world.run(MINUTE + MINUTE);
    assert_eq!(world.nodes[0].faults, []);
    assert_eq!(world.nodes[1].faults, faults);
}

#[test]
fn only_the_first_copy_is_an_event() {
    let mut world = world(3, 5);
    world.run(MINUTE);
    let before = world.schedule.transport().traffic(NodeId(2)).received_bytes;
    world.nodes.iter_mut().for_each(|toy| toy.heard.clear());
    let mut earliest = Micros::NEVER;
    let message = Arc::new(0);
    for from in [NodeId(0), NodeId(1), NodeId(0)] {
        let last = earliest;
        world.schedule.send_copy(from, NodeId(2), &message, 1_000_000, &mut earliest);
        assert!(earliest <= last);
    }
    let end = earliest + Micros::from_millis(1);
    world.run(end);
    let copies = world.nodes[2].heard.iter().filter(|(at, _)| *at == earliest).count();
    assert_eq!(copies, 1);
    let received = world.schedule.transport().traffic(NodeId(2)).received_bytes - before;
    assert!(received >= 2_000_000, "{received}");
}
