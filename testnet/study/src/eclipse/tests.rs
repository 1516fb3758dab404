use super::{naive, world};

#[test]
fn a_restart_is_not_an_eclipse() {
    let counts = world::run(32, 5, 8);
    assert_eq!((counts.restarts, counts.eclipsed), (8, 0), "{counts:?}");
    assert!(counts.peers >= 8 * 12, "the node finds peers: {counts:?}");
    // The attack is one: without buckets it succeeds.
    let counts = naive::run(32, 5, 8);
    assert!(counts.eclipsed >= 4, "{counts:?}");
}
