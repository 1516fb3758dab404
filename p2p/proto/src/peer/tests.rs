use super::{ParsePeerIdError, PeerId};

#[test]
fn reads_what_it_shows() {
    let peer = PeerId([7; 32]);
    assert!(peer.to_string().starts_with("12D3KooW"));
    assert_eq!(peer.to_string().parse(), Ok(peer));
    assert_eq!(PeerId::from_id_bytes(&peer.id_bytes()), Some(peer));
}

#[test]
fn refuses_other_text() {
    assert_eq!("0OIl".parse::<PeerId>(), Err(ParsePeerIdError::Base58));
    assert_eq!("".parse::<PeerId>(), Err(ParsePeerIdError::NotEd25519));
    // An RSA key's id.
    assert_eq!("QmcgpsyWgH8Y8ajJz1Cu72KnS5uo2Aa2LpzU7kinSupNKC".parse::<PeerId>(), Err(ParsePeerIdError::NotEd25519));
}
