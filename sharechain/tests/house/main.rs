//! The house rules: which crates may import which, which names may occur where, how long files and functions may be,
//! and that code and specification have the same rules.
//!
//! ```text
//! crates.rs        who depends on whom, from the manifests; which library stays behind which door
//! circles.rs       no circles among files
//! size.rs          files and functions stay short
//! print.rs         programs print without a panic
//! pure.rs          consensus has no clock, I/O, floats or order of a hash table
//! rules.rs         every rule has an error, a check, a row and a test
//! threats.rs       every threat has a row, and every test that it names exists
//! architecture.rs  the names in specs/architecture.md exist, and its table has every channel
//! bounds.rs        specs/bounds.md has every bound of the code and of its libraries
//! ```

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod architecture;
mod bounds;
mod circles;
mod crates;
mod print;
mod pure;
mod rules;
mod size;
mod threats;

use std::fs;
use std::path::{Path, PathBuf};

/// Each package's name and folder.
pub(crate) const CRATES: [(&str, &str); 12] = [
    ("sharechain", "sharechain"),
    ("recording", "sharechain/recording"),
    ("testkit", "sharechain/testkit"),
    ("p2p-proto", "p2p/proto"),
    ("p2p", "p2p"),
    ("stratum", "stratum"),
    ("node-core", "node/core"),
    ("archive", "node/archive"),
    ("node", "node"),
    ("sim", "testnet/sim"),
    ("study", "testnet/study"),
    ("testnet", "testnet"),
];

pub(crate) fn root() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).parent().unwrap().to_path_buf()
}

/// All Rust files below a folder: paths from the workspace's root, and texts.
pub(crate) fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
                found.push((name, fs::read_to_string(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

/// The files that are part of the program, not of its tests.
pub(crate) fn program(folder: &str) -> Vec<(String, String)> {
    sources(folder).into_iter().filter(|(name, _)| !name.contains("/tests")).collect()
}

/// Code without comments and string literals: a log filter may name a library.
pub(crate) fn code(text: &str) -> impl Iterator<Item = String> {
    let bare =
        |line: &str| line.split("//").next().unwrap_or_default().split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
    text.lines().map(bare)
}

/// True if the line has `word` as a whole word.
pub(crate) fn names(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(part) && !line[at + word.len()..].starts_with(part))
}

/// Asserts that no file of a folder names a word, except for the files that `allowed` accepts.
pub(crate) fn assert_named_only(folder: &str, word: &str, allowed: impl Fn(&str) -> bool) {
    for (name, text) in program(folder) {
        let named = code(&text).any(|line| names(&line, word));
        assert!(!named || allowed(&name), "{name} must not name {word}");
    }
}
