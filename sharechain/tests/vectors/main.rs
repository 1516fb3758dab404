//! The test vectors in `specs/vectors`, field by field. The model writes them. `recording/tests/rules.rs` reads
//! `rules.json`, which consists of recordings.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "only tests see this, and may panic")]

mod draw;
mod files;
mod headers;
mod payout_proof;
mod proof;
mod signals;
mod state;
mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use files::{Case, FILES};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../specs/vectors")
}

/// Files that tests of other crates read, and where.
const ELSEWHERE: [(&str, &str); 1] = [("rules.json", "recording/tests/rules.rs")];

#[test]
fn every_vector_is_read_and_holds() {
    let mut known: BTreeSet<String> = FILES.iter().map(|(name, _)| format!("{name}.json")).collect();
    for (name, test) in ELSEWHERE {
        let test = folder().join("../../sharechain").join(test);
        assert!(fs::read_to_string(test).unwrap().contains(&format!("vectors/{name}")), "{name} is read");
        known.insert(name.to_owned());
    }
    let entries = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let found: BTreeSet<String> = entries.filter(|name| name.ends_with(".json")).collect();
    assert_eq!(found, known, "each file of vectors is read, and none is missing");
    for (name, check) in FILES {
        let text = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        let file: Value = serde_json::from_str(&text).unwrap();
        let cases = file["cases"].as_array().unwrap();
        assert!(!cases.is_empty(), "{name}");
        for (number, case) in cases.iter().enumerate() {
            let mut case = Case::new(format!("{name}, case {number}"), case);
            check(&mut case);
            case.assert_all_read();
        }
    }
}

/// Checks the vectors again with a program that was written from `specs/protocol.md` and shares no code with this one.
#[test]
fn a_second_implementation_agrees() {
    let output = Command::new("python3").arg(folder().join("check.py")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
