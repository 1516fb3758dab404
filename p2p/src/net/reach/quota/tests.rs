use std::time::{Duration, Instant};

use libp2p::{Multiaddr, PeerId};

use super::{Circuits, Reservations};
use p2p_proto::limits::{
    CIRCUIT_S, CIRCUIT_STARTS_MAX, CIRCUITS_PER_HOST_MAX, CIRCUITS_PER_NETGROUP_MAX, RESERVATIONS_MAX,
    RESERVATIONS_PER_HOST_MAX, RESERVATIONS_PER_NETGROUP_MAX,
};

fn at(a: usize, b: usize, c: usize) -> Multiaddr {
    format!("/ip4/45.{a}.{b}.{c}/tcp/3381").parse().unwrap()
}

#[test]
fn identities_of_one_host_get_two_reservations() {
    let reservations = Reservations::default();
    let granted = (0..1_000).filter(|_| reservations.grant(PeerId::random(), &at(1, 1, 1))).count();
    assert_eq!(granted, RESERVATIONS_PER_HOST_MAX);
    let granted = (0..1_000).filter(|n| reservations.grant(PeerId::random(), &at(1, 2, n % 250))).count();
    assert_eq!(granted, RESERVATIONS_PER_NETGROUP_MAX - RESERVATIONS_PER_HOST_MAX);
    let granted = (0..1_000).filter(|n| reservations.grant(PeerId::random(), &at(2 + n % 200, 1, 1))).count();
    assert_eq!(granted, RESERVATIONS_MAX - RESERVATIONS_PER_NETGROUP_MAX);
}

#[test]
fn a_reservation_is_renewed_in_place_and_ends() {
    let reservations = Reservations::default();
    let peers = [PeerId::random(), PeerId::random(), PeerId::random()];
    assert!(reservations.grant(peers[0], &at(1, 1, 1)));
    assert!(reservations.grant(peers[1], &at(1, 1, 1)));
    assert!(reservations.grant(peers[0], &at(1, 1, 1)), "renewed");
    assert!(!reservations.grant(peers[2], &at(1, 1, 1)));
    reservations.end(&peers[0]);
    assert!(reservations.grant(peers[2], &at(1, 1, 1)));
}

#[test]
fn circuits_are_few_by_host_and_netgroup() {
    let (mut circuits, start) = (Circuits::default(), Instant::now());
    assert_eq!((0..100).filter(|_| circuits.open(&at(1, 1, 1), start)).count(), CIRCUITS_PER_HOST_MAX);
    let more = (0..100).filter(|n| circuits.open(&at(1, 2, *n), start)).count();
    assert_eq!(more, CIRCUITS_PER_NETGROUP_MAX - CIRCUITS_PER_HOST_MAX);
    let more = (0..1_000).filter(|n| circuits.open(&at(2 + n % 250, 1, 1), start)).count();
    assert_eq!(more, CIRCUIT_STARTS_MAX - CIRCUITS_PER_NETGROUP_MAX);
    assert!(circuits.open(&at(1, 1, 1), start + Duration::from_secs(CIRCUIT_S)));
}
