//! The threat model is complete, and what it claims is tested.

use std::fs;

use crate::{CRATES, root, sources};

/// Attacks that the threat model must have rows for: the catalog of attacks on pools and share-chains.
const ATTACKS: &[&str] = &[
    "share-chain majority",
    "selfish mining",
    "share withholding and hoarding",
    "payout theft by a non-canonical coinbase",
    "foreign header replay",
    "duplicate and malleated share",
    "merkle tricks",
    "extranonce and version-rolling malleability",
    "wrong nBits",
    "minimum-difficulty headers (testnet4, regtest)",
    "stale prev_block",
    "unknown prev_block",
    "time-warp",
    "future times",
    "difficulty hopping at a retarget",
    "pool hopping",
    "oversized or slow messages",
    "taken connection slots",
    "memory by unfinished messages and unread streams",
    "orphan flood",
    "unknown-parent flood",
    "header flood with low work",
    "surplus of shares",
    "data withholding of listed shares",
    "eclipse and Sybil",
    "many identities of one host",
    "invalid work from new identities",
    "a log that fills the disk",
    "silent or invalid gossip",
    "a flood of the API",
    "deep private fork",
    "invalid template",
    "low-fee templates",
    "block withholding",
    "tail-draw grinding",
    "copies of a found block",
    "blocks of others",
];

#[test]
fn every_threat_has_a_row_and_every_test_it_names_exists() {
    let text = fs::read_to_string(root().join("specs/threats.md")).unwrap();
    let tables = &text[text.find("## Attacks\n").unwrap()..];
    let rows: Vec<Vec<&str>> = tables.lines().filter(|line| line.starts_with("| ")).map(cells).collect();
    let attacks: Vec<&str> = rows.iter().filter(|row| row.len() == 6).map(|row| row[0]).collect();
    assert_eq!(&attacks[1..], ATTACKS, "specs/threats.md lacks an attack, or names another");
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
