//! The miners' payout addresses: one for each, with the same script in every network.

use bitcoin::hashes::{Hash, sha256};
use bitcoin::key::CompressedPublicKey;
use bitcoin::secp256k1::{Secp256k1, SecretKey};
use bitcoin::{Address, KnownHrp};

/// Prefix of the hashed text from which secret keys derive; the miner's number follows. Coins of the test network have
/// no value.
const PHRASE: &[u8] = b"shoal test network miner, worth nothing";

/// Returns the payout address of the miner with this number: P2WPKH for even numbers, P2TR for odd ones.
pub(crate) fn address(number: usize, hrp: KnownHrp) -> Address {
    let secp = Secp256k1::new();
    let digest = sha256::Hash::hash(&[PHRASE, &number.to_le_bytes()].concat());
    let secret = SecretKey::from_slice(&digest.to_byte_array())
        .expect("a SHA-256 digest is a valid secret key, except for one in 2^128");
    if number.is_multiple_of(2) {
        Address::p2wpkh(&CompressedPublicKey(secret.public_key(&secp)), hrp)
    } else {
        Address::p2tr(&secp, secret.x_only_public_key(&secp).0, None, hrp)
    }
}
