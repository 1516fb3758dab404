use ed25519_dalek::SigningKey;
use libp2p::Multiaddr;
use libp2p::core::transport::ListenerId;
use libp2p::swarm::ConnectionId;

use super::{How, Tracker};
use p2p_proto::discovery::OwnSource;
use p2p_proto::limits::{
    CONFIRMED_MS, OBSERVED_PER_NETGROUP_MAX, OBSERVERS_MAX, RELAY_PAUSE_MS, RELAY_WAIT_MS, RELAYS_MAX,
};
use p2p_proto::netgroup::Netgroup;
use p2p_proto::{Millis, PeerId};

const OWN: &str = "/ip4/45.3.1.1/tcp/3381";
const NOW: Millis = Millis(10_000);

fn address(text: &str) -> Multiaddr {
    text.parse().unwrap()
}

fn peer(number: u8) -> PeerId {
    PeerId([number; 32])
}

fn netgroup(number: u8) -> Netgroup {
    Netgroup::Ip4([45, number])
}

fn of_peer(number: u8) -> Multiaddr {
    address(&format!("/ip4/45.{number}.1.1/tcp/40000"))
}

fn dial_back(tracker: &mut Tracker, number: u8, said: &str) {
    tracker.asked(peer(number), NOW);
    assert!(tracker.came(peer(number), ConnectionId::new_unchecked(1), &of_peer(number), NOW).is_none());
    assert!(tracker.said(peer(number), &address(said), NOW).is_some());
}

#[test]
fn a_claim_without_a_connection_counts_for_nothing() {
    let mut tracker = Tracker::default();
    tracker.asked(peer(1), NOW);
    assert!(tracker.said(peer(1), &address(OWN), NOW).is_none());
    assert!(!tracker.is_public());
    assert!(tracker.said(peer(2), &address(OWN), NOW).is_none(), "a peer that was not asked");
    assert!(tracker.came(peer(1), ConnectionId::new_unchecked(1), &address("/ip4/192.168.1.9/tcp/5"), NOW).is_none());
    assert!(!tracker.is_public(), "a peer in the local network is no proof");
}

#[test]
fn identities_of_one_netgroup_confirm_once() {
    let mut tracker = Tracker::default();
    for number in 10..20 {
        tracker.asked(peer(number), NOW);
        tracker.came(peer(number), ConnectionId::new_unchecked(1), &of_peer(1), NOW);
        tracker.said(peer(number), &address(OWN), NOW);
    }
    dial_back(&mut tracker, 2, OWN);
    let shown = tracker.shown(false);
    assert_eq!(shown.addresses.len(), 1);
    assert_eq!(shown.addresses[0].how, How::DialedBack { netgroups: 2 });
}

#[test]
fn a_peer_cannot_give_this_node_somebody_elses_address() {
    let mut tracker = Tracker::default();
    for number in 1..4 {
        tracker.observed(netgroup(number), &address("/ip4/45.3.1.1/tcp/51234"));
    }
    dial_back(&mut tracker, 9, "/ip4/46.1.1.1/tcp/3381");
    assert!(!tracker.is_public());
    dial_back(&mut tracker, 9, OWN);
    assert!(tracker.is_public());
}

#[test]
fn reports_of_own_addresses_are_bounded_by_netgroup() {
    let mut tracker = Tracker::default();
    assert!(tracker.observed(netgroup(1), &address(OWN)).is_some());
    assert!(tracker.observed(netgroup(1), &address(OWN)).is_none(), "known");
    assert!(tracker.observed(netgroup(1), &address("/ip4/192.168.0.1/tcp/1")).is_none());
    for port in 1..1_000 {
        tracker.observed(netgroup(1), &address(&format!("/ip4/45.3.1.1/tcp/{port}")));
    }
    assert_eq!(tracker.observed[&netgroup(1)].len(), OBSERVED_PER_NETGROUP_MAX);
    for number in 0..=255 {
        tracker.observed(netgroup(number), &address(OWN));
    }
    assert_eq!(tracker.observed.len(), OBSERVERS_MAX);
}

#[test]
fn a_hidden_node_takes_relays_in_different_netgroups_and_leaves_them() {
    let mut tracker = Tracker::default();
    for (number, text) in [(1, "/ip4/45.1.1.1/tcp/1"), (2, "/ip4/45.1.1.2/tcp/1"), (3, "/ip4/45.2.1.1/tcp/1")] {
        tracker.offers(peer(number), address(text));
    }
    assert!(tracker.wants_relay(NOW).is_none(), "not known to be hidden");
    tracker.asked(peer(1), NOW);
    tracker.not_reached(peer(1), Some(netgroup(1)), NOW);
    let mut listeners = Vec::new();
    while let Some((relay, at)) = tracker.wants_relay(NOW) {
        let listener = ListenerId::next();
        tracker.reserving(listener, relay, &at);
        assert!(tracker.reserved(listener, &address(OWN)));
        listeners.push(listener);
    }
    assert_eq!(listeners.len(), RELAYS_MAX);
    let relays = |tracker: &Tracker| tracker.shown(false).addresses.len();
    assert_eq!(relays(&tracker), RELAYS_MAX);
    assert!(tracker.closed(listeners[0], NOW));
    assert!(tracker.wants_relay(NOW).is_none(), "after a pause");
    assert_eq!(tracker.wants_relay(NOW.plus(RELAY_PAUSE_MS)).unwrap().0, peer(2), "another one");
    dial_back(&mut tracker, 9, OWN);
    assert_eq!(tracker.needless(), [listeners[1]]);
}

#[test]
fn a_dial_back_counts_for_an_hour_and_a_failed_one_ends_it() {
    let mut tracker = Tracker::default();
    dial_back(&mut tracker, 1, OWN);
    tracker.tick(NOW.plus(CONFIRMED_MS - 1));
    assert!(tracker.is_public());
    tracker.asked(peer(2), NOW);
    tracker.not_reached(peer(2), Some(netgroup(2)), NOW);
    assert!(tracker.is_public(), "one that does not reach this node cannot undo what another proved");
    tracker.asked(peer(1), NOW);
    tracker.not_reached(peer(1), Some(netgroup(1)), NOW);
    assert!(!tracker.is_public());
    dial_back(&mut tracker, 1, OWN);
    tracker.tick(NOW.plus(CONFIRMED_MS));
    assert!(!tracker.is_public());
    tracker.offers(peer(1), address("/ip4/45.1.1.1/tcp/1"));
    assert!(tracker.wants_relay(Millis(RELAY_WAIT_MS)).is_some(), "no peer has reached it");
}

#[test]
fn what_is_known_of_own_addresses_goes_into_the_record() {
    let mut tracker = Tracker::default();
    dial_back(&mut tracker, 1, OWN);
    tracker.mapped(address("/ip4/45.3.1.1/udp/4000/quic-v1"), true);
    tracker.onion("/onion3/2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid:3381".to_owned());
    let relay = crate::net::ids::theirs(PeerId(*SigningKey::from_bytes(&[1; 32]).verifying_key().as_bytes())).unwrap();
    tracker.reserving(ListenerId::next(), peer(9), &of_peer(9));
    let listener = ListenerId::next();
    tracker.reserving(listener, peer(8), &of_peer(8));
    tracker.reserved(listener, &address(&format!("/ip4/45.8.1.1/tcp/3381/p2p/{relay}/p2p-circuit/p2p/{relay}")));
    let told = tracker
        .for_record()
        .map(|(source, addresses)| (source, addresses.iter().map(ToString::to_string).collect::<Vec<_>>()));
    let expected = [
        (OwnSource::DialedBack, OWN.to_owned()),
        (OwnSource::Mapped, "/ip4/45.3.1.1/udp/4000/quic-v1".to_owned()),
        (OwnSource::Onion, "/onion3/2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid:3381".to_owned()),
        (OwnSource::Relayed, format!("/ip4/45.8.1.1/tcp/3381/p2p/{relay}/p2p-circuit")),
    ];
    assert_eq!(told, expected.map(|(source, address)| (source, vec![address])));
}
