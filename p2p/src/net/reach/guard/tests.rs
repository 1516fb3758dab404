use super::may_dial;
use libp2p::Multiaddr;

fn all(texts: &[&str]) -> Vec<Multiaddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn a_hole_is_punched_to_one_public_machine() {
    assert!(may_dial(&all(&["/ip4/45.3.1.1/tcp/3381", "/ip4/45.3.1.1/udp/3381/quic-v1"])));
    assert!(may_dial(&all(&["/ip4/45.3.1.1/tcp/3381", "/ip6/2a00::1/tcp/3381", "/ip6/2a00::2/tcp/3381"])));
    assert!(!may_dial(&all(&["/ip4/45.3.1.1/tcp/1", "/ip4/45.3.1.2/tcp/1", "/ip4/45.3.1.3/tcp/1"])));
}

#[test]
fn a_peer_cannot_make_this_node_dial_its_own_network() {
    for text in ["/ip4/192.168.1.1/tcp/80", "/ip4/127.0.0.1/tcp/8332", "/ip6/fd00::1/tcp/80", "/dns4/a.example/tcp/80"]
    {
        assert!(!may_dial(&all(&["/ip4/45.3.1.1/tcp/3381", text])), "{text}");
        assert!(!may_dial(&all(&[text])), "{text}");
    }
}
