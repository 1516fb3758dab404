//! Runs a fuzz target over its committed corpus and over altered copies of it, without instrumentation.

use std::path::PathBuf;

/// Number of altered copies of each input.
const COPIES: u64 = 200;

/// Pseudorandom generator (xorshift64*) with a fixed seed, so that failures are reproducible.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap_or_default()
    }
}

/// Runs `target` over `fuzz/corpus/NAME` of the crate under test.
///
/// # Panics
/// If the target panics, with the name of the file, or if there is no corpus.
pub fn run(name: &str, target: fn(&[u8])) {
    let folder = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo tells where the crate is");
    let corpus = PathBuf::from(folder).join("fuzz/corpus").join(name);
    let entries = std::fs::read_dir(&corpus).unwrap_or_else(|error| panic!("{}: {error}", corpus.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a folder can be listed").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", corpus.display());
    for (seed, path) in (1..).zip(paths) {
        let data = std::fs::read(&path).expect("a file of the corpus can be read");
        target(&data);
        let mut rng = Rng(seed);
        for copy in 0..COPIES {
            let altered = altered(&data, &mut rng);
            let result = std::panic::catch_unwind(|| target(&altered));
            assert!(result.is_ok(), "copy {copy} of {}: {altered:02x?}", path.display());
        }
    }
}

/// Returns a copy with a few random changes: bytes replaced, cut off, duplicated or inserted.
fn altered(data: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = data.to_vec();
    for _ in 0..=rng.next() % 4 {
        let at = rng.next() % (bytes.len() + 1);
        let byte = u8::try_from(rng.next() % 256).unwrap_or_default();
        match rng.next() % 4 {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, byte),
            2 => bytes.extend_from_within(at..),
            _ => {
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte;
                }
            }
        }
    }
    bytes
}
