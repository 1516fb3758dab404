use libp2p::core::ConnectedPoint;
use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};

use super::{Denied, Slots, Traffic, host_of};
use p2p_proto::limits::{INBOUND_CLOSING_MAX, INBOUND_MAX, INBOUND_PER_HOST_MAX};
use p2p_proto::message::Topic;

/// Lets in one more connection from an address, with a new identity.
fn connect(slots: &mut Slots, number: usize, from: &str) -> Result<PeerId, Denied> {
    let remote: Multiaddr = from.parse().unwrap();
    slots.make_room(&remote)?;
    let peer = PeerId::random();
    let endpoint = ConnectedPoint::Listener { local_addr: Multiaddr::empty(), send_back_addr: remote };
    slots.opened(ConnectionId::new_unchecked(number), peer, &endpoint);
    Ok(peer)
}

fn close(slots: &mut Slots, number: usize) {
    slots.by_id.remove(&ConnectionId::new_unchecked(number));
}

#[test]
fn counts_by_address_and_subnet() {
    let mut slots = Slots::new(Traffic::default());
    for number in 0..INBOUND_PER_HOST_MAX {
        connect(&mut slots, number, "/ip6/2001:db8::1/tcp/5").unwrap();
    }
    let neighbor = "/ip6/2001:db8::ffff:2/udp/9/quic-v1";
    let host = host_of(&neighbor.parse().unwrap());
    assert_eq!(connect(&mut slots, 100, neighbor), Err(Denied::Host(host)), "the same /64");
    connect(&mut slots, 100, "/ip6/2001:db8:0:1::1/tcp/5").unwrap();
    close(&mut slots, 3);
    connect(&mut slots, 101, neighbor).unwrap();
}

#[test]
fn a_full_node_evicts_one_for_each_newcomer_and_waits_for_those_that_close() {
    let mut slots = Slots::new(Traffic::default());
    for number in 0..INBOUND_MAX as usize {
        connect(&mut slots, number, "/ip4/127.0.0.1/tcp/5").unwrap();
    }
    assert!(slots.evicted.is_empty());
    let useful = slots.by_id[&ConnectionId::new_unchecked(50)].peer;
    slots.delivered(&useful, Topic::Shares);
    for newcomer in 0..INBOUND_CLOSING_MAX as usize {
        connect(&mut slots, 200 + newcomer, "/ip4/127.0.0.2/tcp/5").unwrap();
        assert_eq!(slots.evicted.len(), newcomer + 1);
    }
    assert!(slots.evicted.iter().all(|(peer, _)| *peer != useful));
    assert_eq!(connect(&mut slots, 300, "/ip4/127.0.0.2/tcp/5"), Err(Denied::Closing));
    let (_, gone) = slots.evicted[0];
    slots.by_id.remove(&gone);
    connect(&mut slots, 300, "/ip4/127.0.0.2/tcp/5").unwrap();
}
