use libp2p::Multiaddr;

use super::{Redial, Source};
use p2p_proto::limits::{EXPLICIT_PEERS_MAX, REDIAL_MS, REDIAL_MS_MAX, REDIAL_STABLE_MS};
use p2p_proto::{Millis, PeerId};

const PEER: PeerId = PeerId([1; 32]);

fn address(port: u16) -> Multiaddr {
    format!("/ip4/192.0.2.1/tcp/{port}").parse().unwrap()
}

#[test]
fn pauses_double_up_to_a_bound() {
    let mut redial = Redial::default();
    assert!(redial.add(address(1), None, Source::Explicit, Millis(0)));
    let (mut now, mut pauses) = (Millis(0), Vec::new());
    for _ in 0..8 {
        assert_eq!(redial.due(now, |_| false).len(), 1);
        assert!(redial.due(now, |_| false).is_empty(), "not while dialling");
        redial.failed(&address(1), now);
        let before = now;
        while redial.by_address[&address(1)].next_at > now {
            now = now.plus(100);
        }
        pauses.push(now.since(before));
    }
    assert_eq!(pauses[..4], [REDIAL_MS, 2 * REDIAL_MS, 4 * REDIAL_MS, 8 * REDIAL_MS]);
    assert_eq!(pauses.last(), Some(&REDIAL_MS_MAX));
}

#[test]
fn a_lasting_connection_shortens_the_pause() {
    let mut redial = Redial::default();
    redial.add(address(1), None, Source::Explicit, Millis(0));
    for _ in 0..5 {
        redial.failed(&address(1), Millis(0));
    }
    redial.connected(&address(1), PEER, Millis(0));
    redial.lost(PEER, Millis(REDIAL_STABLE_MS));
    assert!(redial.due(Millis(REDIAL_STABLE_MS), |_| false).is_empty());
    assert_eq!(redial.due(Millis(REDIAL_STABLE_MS + REDIAL_MS), |_| false), vec![(address(1), Some(PEER))]);
    redial.failed(&address(1), Millis(0));
    redial.hasten(PEER, Millis(1));
    assert!(redial.due(Millis(1), |_| true).is_empty(), "not while connected otherwise");
    assert_eq!(redial.due(Millis(1), |_| false).len(), 1);
}

#[test]
fn bounded() {
    let mut redial = Redial::default();
    for port in 0..EXPLICIT_PEERS_MAX {
        assert!(redial.add(address(u16::try_from(port).unwrap()), None, Source::Explicit, Millis(0)));
    }
    assert!(!redial.add(address(9_999), None, Source::Explicit, Millis(0)));
    assert!(redial.add(address(9_999), Some(PEER), Source::Mdns, Millis(0)));
    redial.expire(&address(9_999));
    redial.expire(&address(1));
    assert_eq!(redial.by_address.len(), EXPLICIT_PEERS_MAX);
}

#[test]
fn named_peers_are_added_and_removed_while_the_node_runs() {
    let mut redial = Redial::default();
    assert!(redial.add(address(1), Some(PEER), Source::Mdns, Millis(0)));
    assert_eq!(redial.remove_explicit(&address(1)), None, "the operator did not name it");
    // A peer that the operator names does not expire, even if mDNS found it first.
    assert!(redial.add(address(1), Some(PEER), Source::Explicit, Millis(0)));
    redial.expire(&address(1));
    assert_eq!(redial.explicit(|_| true).collect::<Vec<_>>(), [(&address(1), true)]);
    for port in 2..=64 {
        assert!(redial.add(address(port), None, Source::Explicit, Millis(0)));
    }
    assert!(!redial.add(address(65), None, Source::Explicit, Millis(0)));
    assert_eq!(redial.remove_explicit(&address(1)), Some(Some(PEER)));
    assert!(redial.add(address(65), None, Source::Explicit, Millis(0)));
    assert_eq!(redial.explicit(|_| true).count(), EXPLICIT_PEERS_MAX);
}
