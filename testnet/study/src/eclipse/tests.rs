use super::world::Begins;
use super::{naive, world};

#[test]
fn a_restart_is_not_an_eclipse() {
    let [_, counts] = world::run(32, 5, 8, Begins::Later);
    assert_eq!((counts.restarts, counts.eclipsed), (8, 0), "{counts:?}");
    assert!(counts.peers >= 8 * 12, "the node finds peers: {counts:?}");
    // The attack is one: without buckets it succeeds.
    let counts = naive::run(32, 5, 8);
    assert!(counts.eclipsed >= 4, "{counts:?}");
}

#[test]
fn an_attacker_who_is_there_first_does_not_eclipse_a_new_node() {
    let [start, restarts] = world::run(32, 5, 4, Begins::First);
    assert_eq!((start.restarts, start.eclipsed, restarts.restarts, restarts.eclipsed), (1, 0, 4, 0));
    assert!(start.peers >= 12 && restarts.peers >= 4 * 12, "the node finds peers: {start:?}, {restarts:?}");
}
