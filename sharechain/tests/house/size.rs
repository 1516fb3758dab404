//! Files and functions stay short, and every crate has a map of its modules.

use crate::{CRATES, program};

/// Most lines of a file. A longer file usually has a second subject.
const FILE_LINES_MAX: usize = 400;

/// Most lines of a function, including its signature and braces.
const FUNCTION_LINES_MAX: usize = 70;

#[test]
fn files_stay_short() {
    for (name, text) in CRATES.iter().flat_map(|(_, folder)| program(&format!("{folder}/src"))) {
        let lines = text.lines().count();
        assert!(lines <= FILE_LINES_MAX, "{name} has {lines} lines: what is the second thing in it?");
    }
}

/// The first line, the name and the length of each function of a formatted file. A function ends at the brace in the
/// column where its signature begins.
fn functions(text: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (first, line) in lines.iter().enumerate() {
        let trimmed = line.trim_start();
        let signature = trimmed.split_once("fn ").filter(|(before, _)| {
            before.split_whitespace().all(|word| {
                word.starts_with("pub") || ["const", "async", "unsafe", "extern"].contains(&word) || word.ends_with(')')
            })
        });
        let Some((_, rest)) = signature else { continue };
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let end = format!("{}}}", &line[..line.len() - trimmed.len()]);
        // A declaration without a body ends with a semicolon before any brace opens.
        let length = lines[first..].iter().position(|line| *line == end);
        let declared = lines[first..].iter().position(|line| line.ends_with(';')).unwrap_or(usize::MAX);
        let opened = lines[first..].iter().position(|line| line.ends_with('{')).unwrap_or(usize::MAX);
        if let Some(length) = length.filter(|_| opened < declared) {
            found.push((first + 1, name, length + 1));
        }
    }
    found
}

#[test]
fn functions_stay_short() {
    let mut seen = 0;
    for (name, text) in CRATES.iter().flat_map(|(_, folder)| program(&format!("{folder}/src"))) {
        for (line, function, lines) in functions(&text) {
            seen += 1;
            assert!(lines <= FUNCTION_LINES_MAX, "{name}:{line}: {function} has {lines} lines");
        }
    }
    assert!(seen > 2_000, "the functions of the workspace are found: {seen}");
}

#[test]
fn every_crate_maps_all_its_modules() {
    for (name, folder) in CRATES {
        let files = program(&format!("{folder}/src"));
        let (_, text) = files.iter().find(|(file, _)| *file == format!("{folder}/src/lib.rs")).unwrap();
        let map: String = text.lines().filter(|line| line.starts_with("//!")).collect::<Vec<_>>().join("\n");
        let modules = text.lines().filter_map(|line| {
            let line = line.strip_prefix("pub(crate) ").or(line.strip_prefix("pub ")).unwrap_or(line);
            line.strip_prefix("mod ")?.strip_suffix(';')
        });
        for module in modules.filter(|module| *module != "tests") {
            let named =
                [format!(" {module}.rs"), format!(" {module}/"), format!("[`{module}`]"), format!("`{module}`")];
            assert!(named.iter().any(|name| map.contains(name)), "{name}: lib.rs does not map {module}");
        }
    }
}
