use super::{ParsePeerIdError, PeerId};

#[test]
fn shows_and_reads_what_libp2p_shows() {
    let key = libp2p::identity::Keypair::ed25519_from_bytes([7; 32]).unwrap();
    let theirs = key.public().to_peer_id();
    let ours: PeerId = theirs.to_base58().parse().unwrap();
    assert_eq!(ours.to_string(), theirs.to_string());
    assert_eq!(ours.id_bytes().to_vec(), theirs.to_bytes());
    assert_eq!(PeerId::from_id_bytes(&theirs.to_bytes()), Some(ours));
}

#[test]
fn refuses_other_text() {
    assert_eq!("0OIl".parse::<PeerId>(), Err(ParsePeerIdError::Base58));
    assert_eq!("".parse::<PeerId>(), Err(ParsePeerIdError::NotEd25519));
    // An RSA key's id.
    assert_eq!("QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC".parse::<PeerId>(), Err(ParsePeerIdError::NotEd25519));
}
