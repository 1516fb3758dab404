//! Grinding of the draw by addresses: the miner splits its work over many addresses.

use bitcoin::hashes::{Hash, hash160};
use bitcoin::{Script, ScriptBuf, WPubkeyHash};
use rand::Rng;
use serde::Deserialize;

use super::{Strategy, View};

/// A miner that splits its work over many addresses.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GrindAddresses {
    /// Number of addresses.
    pub addresses: u32,
}

impl Default for GrindAddresses {
    fn default() -> Self {
        Self { addresses: 64 }
    }
}

impl GrindAddresses {
    /// Returns one of the addresses of the miner that owns `script`.
    #[must_use]
    pub fn address(script: &Script, index: u32) -> ScriptBuf {
        let hash = hash160::Hash::hash(&[script.as_bytes(), &index.to_le_bytes()].concat());
        ScriptBuf::new_p2wpkh(&WPubkeyHash::from_raw_hash(hash))
    }
}

impl Strategy for GrindAddresses {
    fn payout(&mut self, view: &mut View<'_>) -> ScriptBuf {
        let index = view.rng.random_range(0..self.addresses.max(1));
        Self::address(view.script, index)
    }

    fn is_honest(&self) -> bool {
        true
    }
}
