use libp2p::Multiaddr;
use libp2p::core::ConnectedPoint;

use super::IpLimit;
use p2p_proto::limits::INBOUND_PER_IP_MAX;

fn inbound(from: &str) -> (ConnectedPoint, Multiaddr) {
    let remote: Multiaddr = from.parse().unwrap();
    (ConnectedPoint::Listener { local_addr: Multiaddr::empty(), send_back_addr: remote.clone() }, remote)
}

#[test]
fn counts_by_address_and_subnet() {
    let mut limit = IpLimit::default();
    let (endpoint, remote) = inbound("/ip6/2001:db8::1/tcp/5");
    for _ in 0..INBOUND_PER_IP_MAX {
        limit.check(&remote).unwrap();
        limit.opened(&endpoint);
    }
    let (_, neighbour) = inbound("/ip6/2001:db8::ffff:2/udp/9/quic-v1");
    assert!(limit.check(&neighbour).is_err(), "the same /64");
    limit.check(&inbound("/ip6/2001:db8:0:1::1/tcp/5").1).unwrap();
    limit.closed(&endpoint);
    limit.check(&neighbour).unwrap();
}

#[test]
fn loopback_is_free_and_nothing_is_left_behind() {
    let mut limit = IpLimit::default();
    let (local, _) = inbound("/ip4/127.0.0.1/tcp/5");
    let (other, _) = inbound("/ip4/192.0.2.7/tcp/5");
    for _ in 0..100 {
        limit.opened(&local);
    }
    assert!(limit.counts.is_empty());
    limit.opened(&other);
    limit.closed(&other);
    assert!(limit.counts.is_empty());
}
