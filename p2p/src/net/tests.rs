use libp2p::identity::Keypair;

use super::parse_address;
use p2p_proto::PeerId;

#[test]
fn peers_have_the_ids_that_libp2p_gives_them() {
    let theirs = Keypair::ed25519_from_bytes([7; 32]).unwrap().public().to_peer_id();
    let ours: PeerId = theirs.to_base58().parse().unwrap();
    assert_eq!(ours.to_string(), theirs.to_string());
    assert_eq!(ours.id_bytes().to_vec(), theirs.to_bytes());
}

#[test]
fn addresses_are_over_tcp_or_quic() {
    let peer = PeerId([7; 32]);
    for text in ["/ip4/0.0.0.0/tcp/0", "/ip6/::1/udp/5/quic-v1", "/dns4/pool.example/tcp/3381"] {
        parse_address(text).unwrap();
        parse_address(&format!("{text}/p2p/{peer}")).unwrap();
        parse_address(&format!("{text}/ws")).unwrap_err();
    }
    parse_address(&format!("/p2p/{peer}")).unwrap_err();
}
