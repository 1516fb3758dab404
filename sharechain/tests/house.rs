//! The house rules: who may import whom, what may be named where, and that code and specification have the same rules.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each crate's name and folder.
const CRATES: [(&str, &str); 6] = [
    ("sharechain", "sharechain"),
    ("recording", "sharechain/recording"),
    ("p2p", "p2p"),
    ("stratum", "stratum"),
    ("node", "node"),
    ("testnet", "testnet"),
];

fn root() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).parent().unwrap().to_path_buf()
}

/// All Rust files below a folder, as paths from the workspace's root with their text.
fn sources(folder: &str) -> Vec<(String, String)> {
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

/// Those files that are part of the program, not of its tests.
fn program(folder: &str) -> Vec<(String, String)> {
    sources(folder).into_iter().filter(|(name, _)| !name.contains("/tests")).collect()
}

/// Code without comments and without what stands in quotation marks: a log filter may name a library.
fn code(text: &str) -> impl Iterator<Item = String> {
    let bare =
        |line: &str| line.split("//").next().unwrap_or_default().split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
    text.lines().map(bare)
}

/// True when `word` stands alone somewhere in the line.
fn names(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| !line[..at].ends_with(part) && !line[at + word.len()..].starts_with(part))
}

/// Asserts that a word is named in no file of a folder except for those that `allowed` lets through.
fn assert_named_only(folder: &str, word: &str, allowed: impl Fn(&str) -> bool) {
    for (name, text) in program(folder) {
        let named = code(&text).any(|line| names(&line, word));
        assert!(!named || allowed(&name), "{name} must not name {word}");
    }
}

#[test]
fn crates_import_in_one_direction() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("sharechain", &[][..]),
        ("recording", &["sharechain"]),
        ("p2p", &["sharechain"]),
        ("stratum", &[]),
        ("node", &["p2p", "stratum", "recording", "sharechain"]),
        ("testnet", &["node", "p2p", "stratum", "recording", "sharechain"]),
    ]);
    for (importer, folder) in CRATES {
        let allowed = allowed[importer];
        for (other, _) in CRATES.iter().filter(|(other, _)| *other != importer && !allowed.contains(other)) {
            let path = format!("{other}::");
            for (name, text) in program(&format!("{folder}/src")) {
                let imports = code(&text).any(|line| {
                    line.match_indices(&path)
                        .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "_:".contains(c)))
                });
                assert!(!imports, "{name} must not import {other}");
            }
        }
    }
}

#[test]
fn heavy_libraries_stay_behind_one_door() {
    for other in ["sharechain/src", "stratum/src", "node/src", "testnet/src"] {
        assert_named_only(other, "libp2p", |_| false);
    }
    assert_named_only("p2p/src", "libp2p", |name| name == "p2p/src/net.rs" || name.starts_with("p2p/src/net/"));
    for other in ["sharechain/src", "sharechain/recording/src", "p2p/src", "stratum/src", "testnet/src"] {
        assert_named_only(other, "rocksdb", |_| false);
    }
    assert_named_only("node/src", "rocksdb", |name| name.starts_with("node/src/store/"));
    assert_named_only("sharechain/src", "tokio", |_| false);
    assert_named_only("p2p/src", "tokio", |name| name == "p2p/src/net.rs" || name.starts_with("p2p/src/net/"));
    assert_named_only("stratum/src", "tokio", |name| {
        ["client", "connection", "pool", "server"].iter().any(|shell| name.starts_with(&format!("stratum/src/{shell}")))
    });
}

#[test]
fn consensus_is_pure() {
    for word in ["f32", "f64", "HashSet", "SystemTime", "Instant", "async", "unsafe", "tracing", "println"] {
        assert_named_only("sharechain/src", word, |_| false);
    }
    for map in ["HashMap", "HashTrieMap", "HashTrieMapSync"] {
        assert_named_only("sharechain/src", map, |name| name == "sharechain/src/id_map.rs");
    }
    assert_named_only("sharechain/src", "rpds", |name| {
        ["sharechain/src/id_map.rs", "sharechain/src/ordered.rs"].contains(&name)
    });
    assert_named_only("sharechain/src", "rand", |_| false);
    for (name, text) in program("sharechain/src") {
        let impure = ["std::net", "std::fs", "std::io", "std::env", "std::thread", "std::process"];
        let line = code(&text).find(|line| impure.iter().any(|module| line.contains(module)));
        assert_eq!(line, None, "{name} does I/O");
    }
}

/// The modules of the top level that each of them imports.
fn imports_of(folder: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut imports = BTreeMap::<String, BTreeSet<String>>::new();
    for (name, text) in program(folder) {
        let module = name[folder.len() + 1..].split(['/', '.']).next().unwrap().to_owned();
        if module == "lib" || module == "main" {
            continue;
        }
        let entry = imports.entry(module.clone()).or_default();
        for line in code(&text) {
            for (at, start) in line.match_indices("crate::") {
                let rest = &line[at + start.len()..];
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                entry.insert(rest[..end].to_owned());
            }
        }
        entry.remove(&module);
    }
    let modules: BTreeSet<String> = imports.keys().cloned().collect();
    imports.values_mut().for_each(|imported| imported.retain(|module| modules.contains(module)));
    imports
}

#[test]
fn modules_of_the_consensus_import_in_no_circle() {
    let mut left = imports_of("sharechain/src");
    while !left.is_empty() {
        let free: Vec<String> =
            left.iter().filter(|(_, imports)| imports.is_empty()).map(|(name, _)| name.clone()).collect();
        assert!(!free.is_empty(), "these import each other in a circle: {left:#?}");
        for module in free {
            left.remove(&module);
            left.values_mut().for_each(|imports| imports.retain(|imported| *imported != module));
        }
    }
}

/// Every `SC-` and three digits in a text.
fn rules_in(text: &str) -> BTreeSet<String> {
    let numbers = text.match_indices("SC-").filter_map(|(at, _)| text.get(at..at + 6));
    numbers.filter(|rule| rule[3..].chars().all(|c| c.is_ascii_digit())).map(str::to_owned).collect()
}

#[test]
fn every_rule_has_an_error_a_check_and_a_row() {
    let files = program("sharechain/src");
    let error = &files.iter().find(|(name, _)| name == "sharechain/src/error.rs").unwrap().1;
    let of_errors = rules_in(error);
    let mut checked = BTreeSet::new();
    for (_, text) in files.iter().filter(|(name, _)| name != "sharechain/src/error.rs") {
        let comments = text.lines().filter(|line| line.trim_start().starts_with("// SC-"));
        checked.extend(comments.flat_map(rules_in));
    }
    // SC-901 stands for sums that leave their range; nothing is known to make them do that.
    let unchecked: Vec<_> = of_errors.iter().filter(|rule| *rule != "SC-901" && !checked.contains(*rule)).collect();
    assert!(unchecked.is_empty(), "no check says that it enforces {unchecked:?}");

    let table = fs::read_to_string(root().join("specs/rules.md")).unwrap();
    let rows: BTreeSet<String> =
        table.lines().filter(|line| line.starts_with("| SC-")).flat_map(|line| rules_in(&line[..8])).collect();
    let in_code: BTreeSet<String> = files.iter().flat_map(|(_, text)| rules_in(text)).collect();
    assert_eq!(rows, in_code, "specs/rules.md and the code name different rules");
    for line in table.lines().filter(|line| line.starts_with("| SC-")) {
        for path in line.split('`').filter(|part| part.ends_with(".rs")) {
            assert!(
                root().join("sharechain/src").join(path).exists(),
                "specs/rules.md names {path}, which does not exist"
            );
        }
    }
}

#[test]
fn every_rule_that_can_be_broken_has_a_test() {
    let files = program("sharechain/src");
    let error = &files.iter().find(|(name, _)| name == "sharechain/src/error.rs").unwrap().1;
    let variants = error.lines().filter_map(|line| line.trim().strip_prefix("Self::")?.split(['(', ' ']).next());
    let tests: String = sources("sharechain/tests").into_iter().map(|(_, text)| text).collect();
    for variant in variants.collect::<BTreeSet<_>>().into_iter().filter(|variant| *variant != "Overflow") {
        assert!(tests.contains(&format!("RuleError::{variant}")), "no test expects {variant}");
    }
}

#[test]
fn files_and_functions_stay_short() {
    for (name, text) in CRATES.iter().flat_map(|(_, folder)| program(&format!("{folder}/src"))) {
        assert!(text.lines().count() <= 400, "{name} has more than 400 lines: what is the second thing in it?");
    }
}

/// What the threat model must have a row for: the catalogue of attacks on pools and share-chains.
const ATTACKS: [&str; 27] = [
    "share-chain majority",
    "selfish mining",
    "share withholding and hoarding",
    "payout theft by a non-canonical coinbase",
    "foreign header replay",
    "duplicate and malleated share",
    "merkle tricks",
    "extranonce and version-rolling malleability",
    "wrong nBits",
    "stale prev_block",
    "unknown prev_block",
    "time-warp",
    "future times",
    "difficulty hopping at a retarget",
    "pool hopping",
    "oversized or slow messages",
    "orphan flood",
    "unknown-parent flood",
    "header flood with low work",
    "surplus of shares",
    "data withholding of listed shares",
    "eclipse and Sybil",
    "deep private fork",
    "invalid template",
    "low-fee templates",
    "block withholding",
    "tail-draw grinding",
];

#[test]
fn every_threat_has_a_row_and_every_test_it_names_exists() {
    let text = fs::read_to_string(root().join("specs/threats.md")).unwrap();
    let tables = &text[text.find("## The catalogue").unwrap()..];
    let rows: Vec<Vec<&str>> = tables.lines().filter(|line| line.starts_with("| ")).map(cells).collect();
    let of_catalogue: Vec<&str> = rows.iter().filter(|row| row.len() == 6).map(|row| row[0]).collect();
    assert_eq!(of_catalogue[1..], ATTACKS, "specs/threats.md lacks an attack, or names another");
    let code: String = CRATES.iter().flat_map(|(_, folder)| sources(folder)).map(|(_, text)| text).collect();
    for row in rows.iter().filter(|row| row.last() != Some(&"tests")) {
        let tests: Vec<&str> = row.last().unwrap().split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "no test of {}", row[0]);
        for test in tests {
            assert!(code.contains(&format!("fn {test}(")), "{} names {test}, which is no test", row[0]);
        }
    }
    let own: String = sources("sharechain/tests/attacks").into_iter().map(|(_, text)| text).collect();
    let of_suite = own.split("#[test]\nfn ").skip(1).filter_map(|rest| rest.split('(').next());
    for test in of_suite {
        assert!(text.contains(&format!("`{test}`")), "specs/threats.md does not name {test}");
    }
}

/// The cells of a row of a table.
fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}
