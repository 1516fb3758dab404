//! Runs every case of `specs/vectors/rules.json` and compares the verdicts with the model's. Every rule has a case.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use recording::Replay;
use serde_json::Value;

/// Rules without a case in any file, because no known input breaks them.
const NO_VECTOR: [&str; 1] = ["SC-901"];

fn specs() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../specs")
}

fn vectors() -> Value {
    serde_json::from_str(&fs::read_to_string(specs().join("vectors/rules.json")).unwrap()).unwrap()
}

/// Text of a recording.
fn text(lines: &[&[Value]]) -> String {
    lines.iter().flat_map(|part| part.iter()).map(|line| format!("{line}\n")).collect()
}

#[test]
fn every_case_is_judged_as_the_model_judges_it() {
    let vectors = vectors();
    let keys: Vec<&String> = vectors.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["about", "cases", "setups"]);
    let cases = vectors["cases"].as_array().unwrap();
    assert!(cases.len() > 200, "{} cases", cases.len());
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for case in cases {
        let setup = case["setup"].as_str().unwrap();
        used.insert(setup);
        let text = text(&[vectors["setups"][setup].as_array().unwrap(), case["lines"].as_array().unwrap()]);
        let name = format!("{}, {}", case["rule"].as_str().unwrap(), case["name"].as_str().unwrap());
        match Replay::of(text.as_bytes(), |_| {}) {
            Ok(replay) => wrong.extend(replay.differences().iter().map(|difference| format!("{name}: {difference}"))),
            Err(error) => wrong.push(format!("{name}: {error}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let setups: BTreeSet<&str> = vectors["setups"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(used, setups, "every setup is used");
}

/// The table of `specs/vectors/README.md`: rules of the files other than `rules.json`.
fn rules_elsewhere() -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(specs().join("vectors/README.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let file = cells[1].trim_matches('`').to_owned();
        let rules = cells[3].split_whitespace().filter(|word| word.starts_with("SC-") && file != "rules.json");
        (file.clone(), rules.map(str::to_owned).collect())
    })
    .collect()
}

#[test]
fn every_rule_has_a_vector() {
    let table = fs::read_to_string(specs().join("rules.md")).unwrap();
    let rules: BTreeSet<String> =
        table.lines().filter(|line| line.starts_with("| SC-")).map(|line| line[2..8].to_owned()).collect();
    assert!(rules.len() > 40, "{rules:?}");
    let vectors = vectors();
    let cases = vectors["cases"].as_array().unwrap().iter().map(|case| case["rule"].as_str().unwrap().to_owned());
    let mut shown: BTreeSet<String> = cases.filter(|rule| rule.starts_with("SC-")).collect();
    shown.extend(rules_elsewhere().into_values().flatten());
    shown.extend(NO_VECTOR.map(str::to_owned));
    assert_eq!(rules, shown, "each rule of rules.md has a vector, and no vector is of another rule");
}

#[test]
fn every_file_of_vectors_is_in_the_table() {
    let files = fs::read_dir(specs().join("vectors")).unwrap().map(|entry| entry.unwrap().file_name());
    let files = files.map(|name| name.into_string().unwrap()).filter(|name| name.ends_with(".json"));
    assert_eq!(files.collect::<BTreeSet<_>>(), rules_elsewhere().into_keys().collect());
}
