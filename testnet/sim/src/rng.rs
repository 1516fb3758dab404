//! Independent streams of randomness from one seed. A new stream does not change the others.

use bitcoin::hashes::{Hash, HashEngine, sha256};
use rand::SeedableRng;

/// The generator of all simulations. Its output for a seed never changes.
pub type SimRng = rand_chacha::ChaCha8Rng;

/// Returns the stream of a purpose, such as `"latency"`. `index` separates several users of one purpose.
#[must_use]
pub fn stream(seed: u64, purpose: &str, index: u64) -> SimRng {
    let mut engine = sha256::Hash::engine();
    engine.input(&seed.to_le_bytes());
    engine.input(&index.to_le_bytes());
    engine.input(purpose.as_bytes());
    SimRng::from_seed(sha256::Hash::from_engine(engine).to_byte_array())
}

/// Derives a seed for a part of a simulation, such as one run of several.
#[must_use]
pub fn derive(seed: u64, purpose: &str, index: u64) -> u64 {
    rand::RngCore::next_u64(&mut stream(seed, purpose, index))
}
