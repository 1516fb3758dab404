//! Code and specification have the same rules.

use std::collections::BTreeSet;
use std::fs;

use crate::{program, root, sources};

/// Every `SC-` with three digits in a text.
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
    // SC-901 is for sums that leave their range. No known input does that.
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
