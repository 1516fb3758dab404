//! Tagged hashes after [BIP-0340](https://github.com/bitcoin/bips/blob/master/bip-0340.mediawiki): one tag for each use,
//! so that bytes hashed for one purpose mean nothing for another.

use bitcoin::hashes::{Hash, HashEngine, sha256};

/// What a hash is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// The id of a network's constants.
    Params,
    /// The commitment in a coinbase's last output.
    Commitment,
    /// The list of a link.
    SharesRoot,
    /// The draw of the tail.
    Draw,
}

impl Tag {
    const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Params => b"shoal/params",
            Self::Commitment => b"shoal/commitment",
            Self::SharesRoot => b"shoal/shares",
            Self::Draw => b"shoal/draw",
        }
    }

    /// An engine that has `SHA256(tag) || SHA256(tag)` behind it.
    #[must_use]
    pub fn engine(self) -> sha256::HashEngine {
        keyed_engine(&sha256::Hash::hash(self.bytes()).to_byte_array())
    }

    /// The tagged hash of `parts`, one after the other.
    #[must_use]
    pub fn hash(self, parts: &[&[u8]]) -> [u8; 32] {
        let mut engine = self.engine();
        for part in parts {
            engine.input(part);
        }
        sha256::Hash::from_engine(engine).to_byte_array()
    }
}

/// An engine that has one whole SHA-256 block, `key || key`, behind it: whoever hashes many short messages under one
/// key pays for that block once.
#[must_use]
pub fn keyed_engine(key: &[u8; 32]) -> sha256::HashEngine {
    let mut engine = sha256::Hash::engine();
    engine.input(key);
    engine.input(key);
    engine
}
