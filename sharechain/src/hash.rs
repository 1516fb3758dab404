//! Tagged hashes as in [BIP-0340](https://github.com/bitcoin/bips/blob/master/bip-0340.mediawiki). Each use has its own
//! tag, so a hash made for one purpose is worthless for another.

use bitcoin::hashes::{Hash, HashEngine, sha256};

/// Purpose of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// Consensus id: the hash of a network's constants.
    Params,
    /// Commitment in the last output of a coinbase.
    Commitment,
    /// Root of a link's list.
    SharesRoot,
    /// Lottery among the small dues.
    Draw,
    /// State commitment of a link.
    State,
    /// Leaf of a tree of weights.
    WeightLeaf,
    /// Inner node of a tree of weights.
    WeightNode,
    /// Leaf of the history: a link.
    LinkLeaf,
    /// Inner node of the history.
    LinkNode,
    /// State of the upgrades.
    Signals,
}

impl Tag {
    /// State of SHA-256 after `SHA256(tag) || SHA256(tag)`, which the compiler computes.
    const fn midstate(self) -> sha256::Midstate {
        match self {
            Self::Params => const { sha256::Midstate::hash_tag(b"shoal/params") },
            Self::Commitment => const { sha256::Midstate::hash_tag(b"shoal/commitment") },
            Self::SharesRoot => const { sha256::Midstate::hash_tag(b"shoal/shares") },
            Self::Draw => const { sha256::Midstate::hash_tag(b"shoal/draw") },
            Self::State => const { sha256::Midstate::hash_tag(b"shoal/state") },
            Self::WeightLeaf => const { sha256::Midstate::hash_tag(b"shoal/leaf") },
            Self::WeightNode => const { sha256::Midstate::hash_tag(b"shoal/node") },
            Self::LinkLeaf => const { sha256::Midstate::hash_tag(b"shoal/link") },
            Self::LinkNode => const { sha256::Midstate::hash_tag(b"shoal/history") },
            Self::Signals => const { sha256::Midstate::hash_tag(b"shoal/signals") },
        }
    }

    /// SHA-256 engine that has hashed `SHA256(tag) || SHA256(tag)`.
    #[must_use]
    pub fn engine(self) -> sha256::HashEngine {
        sha256::HashEngine::from_midstate(self.midstate(), sha256::HashEngine::BLOCK_SIZE)
    }

    /// Tagged hash of the concatenation of `parts`.
    #[must_use]
    pub fn hash(self, parts: &[&[u8]]) -> [u8; 32] {
        let mut engine = self.engine();
        for part in parts {
            engine.input(part);
        }
        sha256::Hash::from_engine(engine).to_byte_array()
    }
}

/// SHA-256 engine that has hashed `key || key`, exactly one block. Hashing many short messages under one key then costs
/// that block only once.
#[must_use]
pub fn keyed_engine(key: &[u8; 32]) -> sha256::HashEngine {
    let mut engine = sha256::Hash::engine();
    engine.input(key);
    engine.input(key);
    engine
}
