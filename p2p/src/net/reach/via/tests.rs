use libp2p::swarm::{ConnectionId, NetworkBehaviour};
use libp2p::{Multiaddr, PeerId};

use super::{Via, ViaLimit};
use p2p_proto::limits::{ONION_INBOUND_MAX, RELAYED_INBOUND_MAX};

fn admits(limit: &mut ViaLimit, local: &Multiaddr) -> bool {
    let id = ConnectionId::new_unchecked(0);
    limit.handle_established_inbound_connection(id, PeerId::random(), local, &Multiaddr::empty()).is_ok()
}

#[test]
fn relays_and_the_onion_service_do_not_take_every_slot() {
    let onion: Multiaddr = "/ip4/127.0.0.1/tcp/3382".parse().unwrap();
    let circuit: Multiaddr = "/ip4/45.1.1.1/tcp/3381/p2p-circuit".parse().unwrap();
    let direct: Multiaddr = "/ip4/45.1.1.2/tcp/3381".parse().unwrap();
    let mut limit = ViaLimit::new(Some(onion.clone()));
    for (via, local, max) in [(Via::Relay, circuit, RELAYED_INBOUND_MAX), (Via::Onion, onion, ONION_INBOUND_MAX)] {
        for number in 0..max {
            assert!(admits(&mut limit, &local), "{via:?} {number}");
            limit.open.insert(ConnectionId::new_unchecked(1_000 * max + number), via);
        }
        assert!(!admits(&mut limit, &local), "{via:?}");
        assert!(admits(&mut limit, &direct), "others are not affected");
    }
}
