//! The wallet's keys, which derive from a fixed public phrase.
//!
//! Coins of the test network have no value. A fixed set of keys lets a chain that was mined in advance pay a wallet
//! that exists only later.

use bitcoin::hashes::{Hash, sha256};
use bitcoin::key::CompressedPublicKey;
use bitcoin::secp256k1::{All, Secp256k1, SecretKey};
use bitcoin::{Address, KnownHrp, ScriptBuf};

/// Number of keys in the wallet, so that templates pay different scripts.
pub const KEY_COUNT: usize = 16;

/// Prefix of the hashed text from which secret keys derive; the key's number follows.
const PHRASE: &[u8] = b"shoal test network wallet, worth nothing";

/// One key and the P2WPKH output that it can spend.
#[derive(Debug, Clone)]
pub struct Key {
    /// Secret key that signs for the output.
    pub secret: SecretKey,
    /// Public key of the output, as in the witness.
    pub public: CompressedPublicKey,
    /// The output's script.
    pub script: ScriptBuf,
}

/// All keys of the wallet, with the signing context.
#[derive(Debug, Clone)]
pub struct Keys {
    keys: Vec<Key>,
    secp: Secp256k1<All>,
}

impl Keys {
    /// Derives every key from the fixed phrase.
    pub fn derive() -> Self {
        let secp = Secp256k1::new();
        let keys = (0..KEY_COUNT).map(|index| derive(&secp, index)).collect();
        Self { keys, secp }
    }

    /// Returns the key with this number. Numbers wrap around.
    pub fn get(&self, index: usize) -> &Key {
        &self.keys[index % KEY_COUNT]
    }

    /// Returns the number of the key that can spend `script`, if any.
    pub fn position(&self, script: &bitcoin::Script) -> Option<usize> {
        self.keys.iter().position(|key| key.script.as_script() == script)
    }

    /// Returns the address of the key with this number, in the test network's format.
    pub fn address(&self, index: usize) -> Address {
        Address::p2wpkh(&self.get(index).public, KnownHrp::Testnets)
    }

    /// Returns the signing context.
    pub fn secp(&self) -> &Secp256k1<All> {
        &self.secp
    }
}

fn derive(secp: &Secp256k1<All>, index: usize) -> Key {
    let mut preimage = PHRASE.to_vec();
    preimage.push(index as u8);
    let digest = sha256::Hash::hash(&preimage).to_byte_array();
    let secret =
        SecretKey::from_slice(&digest).expect("a SHA-256 digest is a valid secret key, except for one in 2^128");
    let public = CompressedPublicKey(secret.public_key(secp));
    let script = ScriptBuf::new_p2wpkh(&public.wpubkey_hash());
    Key { secret, public, script }
}
