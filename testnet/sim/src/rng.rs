//! Independent streams of randomness from one seed, so that a new user of randomness does not disturb the others.

use bitcoin::hashes::{Hash, HashEngine, sha256};
use rand::SeedableRng;

/// The generator of all simulations; its output for a seed is fixed for good.
pub type SimRng = rand_chacha::ChaCha8Rng;

/// The stream of a purpose, such as `"latency"`, and of the `index`-th of those that share it.
#[must_use]
pub fn stream(seed: u64, purpose: &str, index: u64) -> SimRng {
    let mut engine = sha256::Hash::engine();
    engine.input(&seed.to_le_bytes());
    engine.input(&index.to_le_bytes());
    engine.input(purpose.as_bytes());
    SimRng::from_seed(sha256::Hash::from_engine(engine).to_byte_array())
}

/// A seed for a part of what `seed` decides, such as one run of several.
#[must_use]
pub fn derive(seed: u64, purpose: &str, index: u64) -> u64 {
    rand::RngCore::next_u64(&mut stream(seed, purpose, index))
}
