use super::*;
use bitcoin::constants::genesis_block;

#[test]
fn hashes_like_the_reference_for_any_nonce() {
    let mut header = genesis_block(bitcoin::Network::Signet).header;
    let mut hasher = HeaderHasher::new(&header);
    for nonce in [0, 1, 52_613_770, u32::MAX] {
        header.nonce = nonce;
        assert_eq!(hasher.hash(nonce), header.block_hash());
    }
}

#[test]
fn finds_the_nonce_of_the_genesis_block() {
    let header = genesis_block(bitcoin::Network::Signet).header;
    let mut hasher = HeaderHasher::new(&header);
    let start = header.nonce - 1000;
    assert_eq!(hasher.search(header.target(), start, 2000), Some(header.nonce));
    assert_eq!(hasher.search(header.target(), start, 1000), None);
}
