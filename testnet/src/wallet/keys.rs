//! The wallet's keys: public by design, derived from a fixed phrase.
//!
//! Coins of the test network are worth nothing, and a fixed key set lets a chain that was mined in
//! advance pay a wallet that exists only later.

use bitcoin::hashes::{Hash, sha256};
use bitcoin::key::CompressedPublicKey;
use bitcoin::secp256k1::{All, Secp256k1, SecretKey};
use bitcoin::{Address, KnownHrp, ScriptBuf};

/// Number of keys in the wallet: enough that templates pay different scripts.
pub const KEY_COUNT: usize = 16;

/// What the secret keys are hashed from, before the key's number.
const PHRASE: &[u8] = b"shoal test network wallet, worth nothing";

/// One key and the P2WPKH output that it can spend.
#[derive(Debug, Clone)]
pub struct Key {
    /// Signs for the output.
    pub secret: SecretKey,
    /// The output's public key, as the witness shows it.
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

    /// The key with this number; numbers wrap around.
    pub fn get(&self, index: usize) -> &Key {
        &self.keys[index % KEY_COUNT]
    }

    /// The number of the key that can spend `script`, if there is one.
    pub fn position(&self, script: &bitcoin::Script) -> Option<usize> {
        self.keys.iter().position(|key| key.script.as_script() == script)
    }

    /// The address of the key with this number, as the test network writes it.
    pub fn address(&self, index: usize) -> Address {
        Address::p2wpkh(&self.get(index).public, KnownHrp::Testnets)
    }

    /// The signing context.
    pub fn secp(&self) -> &Secp256k1<All> {
        &self.secp
    }
}

fn derive(secp: &Secp256k1<All>, index: usize) -> Key {
    let mut preimage = PHRASE.to_vec();
    preimage.push(index as u8);
    let digest = sha256::Hash::hash(&preimage).to_byte_array();
    let secret = SecretKey::from_slice(&digest).expect("a SHA-256 digest is a valid secret key but for one in 2^128");
    let public = CompressedPublicKey(secret.public_key(secp));
    let script = ScriptBuf::new_p2wpkh(&public.wpubkey_hash());
    Key { secret, public, script }
}
