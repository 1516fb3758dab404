use std::time::Instant;

use super::*;
use crate::link::Rate;
use crate::network::NetworkOptions;

fn plan(link: LinkOptions) -> Plan {
    Plan::new(&NetworkOptions { link: Some(link), ..NetworkOptions::of(5, 1) }).unwrap()
}

#[test]
fn the_floor_is_what_the_lines_take() {
    // Each node dials the three before it, so A and E are the only nodes that are two hops apart.
    let link = LinkOptions {
        latency: Duration::from_millis(100),
        latency_of: vec![("B".to_owned(), Duration::from_millis(500))],
        rate: Some(Rate(800_000)),
        ..LinkOptions::default()
    };
    let floors = floors(&plan(link.clone()), &link);
    assert_eq!(floors[0][0], Duration::ZERO);
    assert_eq!((floors[0][2].as_millis(), floors[2][0].as_millis()), (102, 102));
    assert_eq!(floors[0][1].as_millis(), 502, "the slower end counts");
    assert_eq!(floors[0][4].as_millis(), 204, "over C or D, not over B");
}

#[test]
fn every_passage_has_its_floor() {
    let link = LinkOptions { latency: Duration::from_millis(100), ..LinkOptions::default() };
    let floors = floors(&plan(link.clone()), &link);
    let passage = |to, took| Passage { from: 0, to, at: Instant::now(), took: Duration::from_millis(took) };
    let found = propagation(&[passage(1, 110), passage(2, 130), passage(4, 260)], &floors);
    assert_eq!(found, Propagation { samples: 3, p50_ms: 130, p99_ms: 260, floor_p50_ms: 100, floor_p99_ms: 200 });
    assert_eq!(propagation(&[], &floors), Propagation::default());
}
