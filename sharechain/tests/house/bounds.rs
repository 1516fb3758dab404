//! Holds `specs/bounds.md` to the code: the page lists every constant of a `limits.rs` and every bound that the code
//! sets in a library.
//!
//! With `BOUNDS=write`, the test rewrites the rows of the constants. The rows of libraries are written by hand.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use crate::root;

/// Files with the bounds of each crate.
const LIMITS: &[&str] = &[
    "sharechain/src/limits.rs",
    "p2p/proto/src/limits.rs",
    "p2p/proto/src/limits/connections.rs",
    "p2p/proto/src/limits/discovery.rs",
    "p2p/proto/src/limits/reach.rs",
    "stratum/src/limits.rs",
    "node/core/src/limits.rs",
    "node/archive/src/limits.rs",
    "node/src/limits.rs",
    "node/src/limits/bitcoind.rs",
    "node/src/limits/events.rs",
    "node/src/limits/miners.rs",
    "node/src/limits/network.rs",
    "node/src/limits/store.rs",
    "node/src/api/limits.rs",
    "testnet/src/limits.rs",
];

/// Files that set up libraries with queues, caches or buffers of their own.
const SETTERS: [&str; 4] =
    ["p2p/src/net.rs", "p2p/src/net/behaviour.rs", "p2p/src/net/transport.rs", "p2p/src/net/meter/yamux.rs"];

/// How the names of library settings that bound something begin.
const SETTING: [&str; 9] = [
    "with_max_",
    "set_max_",
    "max_",
    "with_per_",
    "with_idle_",
    "with_cache_",
    "with_request_",
    "history_",
    "duplicate_",
];

/// Settings that bound something and whose names say it differently.
const OTHER_SETTINGS: [&str; 3] = ["connection_handler_queue_len", "handshake_timeout", "prune_backoff"];

/// Where the rows of the constants begin.
const MARK: &str = "## Constants\n";

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Unit of a constant, by its name and type.
fn unit(name: &str, kind: &str) -> &'static str {
    let has = |part: &str| name.split('_').any(|word| word == part);
    match () {
        () if kind.contains("Duration") => "time",
        () if name.ends_with("BYTES_PER_S") => "bytes/s",
        () if has("BYTES") => "bytes",
        () if has("MS") => "ms",
        () if has("PERCENT") => "%",
        () if name.ends_with("_PER_MIN") => "per minute",
        () if name.ends_with("_PER_S") || name.ends_with("_PER_SECOND") => "per second",
        () if has("S") || has("SECONDS") => "s",
        () if has("CHARS") => "characters",
        () if has("LINKS") => "links",
        () => "count",
    }
}

/// A doc comment as text of a table: without links.
fn plain(doc: &str) -> String {
    let mut text = String::new();
    let mut rest = doc;
    while let Some((before, link)) = rest.split_once("[`") {
        text.push_str(before);
        let Some((name, after)) = link.split_once("`]") else { break };
        let _ = write!(text, "`{name}`");
        rest = after.strip_prefix('(').and_then(|target| target.split_once(')')).map_or(after, |(_, after)| after);
    }
    text.push_str(rest);
    text.replace('|', "\\|")
}

/// Rows of one file: name, value, unit, and what it bounds with the reason.
fn rows(file: &str) -> String {
    let text = read(file);
    let (mut rows, mut doc, mut value) = (String::new(), String::new(), String::new());
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("///") {
            doc.push_str(comment);
        } else if !value.is_empty() || line.starts_with("pub") && line.contains("const ") {
            value.push_str(line);
            value.push(' ');
        } else {
            doc.clear();
        }
        if let Some(constant) = value.trim_end().strip_suffix(';') {
            let (head, expression) = constant.split_once(" =").unwrap();
            let (name, kind) = head.split_once("const ").unwrap().1.split_once(':').unwrap();
            assert!(!doc.is_empty(), "{name} in {file} has no reason");
            let (unit, reason) = (unit(name, kind), plain(doc.trim()));
            writeln!(rows, "| `{name}` | `{}` | {unit} | {reason} |", expression.trim().replace('|', "\\|")).unwrap();
            (doc, value) = (String::new(), String::new());
        }
    }
    rows
}

fn constants() -> String {
    let mut text = MARK.to_owned();
    for file in LIMITS {
        write!(text, "\n### `{file}`\n| constant | value | unit | what it bounds, and why |\n|---|---|---|---|\n")
            .unwrap();
        text.push_str(&rows(file));
    }
    text
}

#[test]
fn every_bound_of_the_code_is_in_the_table() {
    let (page, path) = (read("specs/bounds.md"), root().join("specs/bounds.md"));
    let at = page.find(MARK).expect("specs/bounds.md has the rows of the constants");
    let expected = constants();
    if std::env::var("BOUNDS").is_ok_and(|value| value == "write") {
        fs::write(path, format!("{}{expected}", &page[..at])).unwrap();
        return;
    }
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let (code, table) = (lines(&expected), lines(&page[at..]));
    let missing: Vec<_> = code.difference(&table).collect();
    let stale: Vec<_> = table.difference(&code).collect();
    assert!(missing.is_empty() && stale.is_empty(), "missing: {missing:#?}\nstale: {stale:#?}\nBOUNDS=write fixes it");
    assert_eq!(page[at..], expected, "the rows are in another order; BOUNDS=write fixes it");
}

#[test]
fn every_file_with_bounds_is_read() {
    let mut folders = vec![root()];
    let mut found = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if name == "limits.rs" || path.parent().unwrap().ends_with("src/limits") {
                found.insert(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    assert_eq!(found, LIMITS.iter().map(|file| (*file).to_owned()).collect());
}

/// Settings of libraries in the code: file and name.
fn settings_of_code() -> BTreeSet<(String, String)> {
    let mut settings = BTreeSet::new();
    for file in SETTERS {
        for line in read(file).lines().map(|line| line.split("//").next().unwrap_or_default()) {
            for part in line.split('.').skip(1) {
                let name: String = part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let behind = part[name.len()..].trim_start();
                let is_set = behind.starts_with('(') || behind.starts_with("= ");
                let bounds = SETTING.iter().any(|start| name.starts_with(start)) || OTHER_SETTINGS.contains(&&*name);
                if is_set && bounds {
                    settings.insert((file.to_owned(), name));
                }
            }
        }
    }
    settings
}

#[test]
fn every_library_setting_is_in_the_table() {
    let page = read("specs/bounds.md");
    let table = &page[page.find("## Libraries\n").unwrap()..page.find(MARK).unwrap()];
    let mut settings = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| `p2p/")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [file, name, value, reason] = cells[..] else { panic!("{row} has not four cells") };
        assert!(!value.is_empty() && !reason.is_empty(), "{row} has an empty cell");
        let [file, name] = [file, name].map(|cell| cell.trim_matches('`').to_owned());
        let code: String = read(&file).split_whitespace().collect();
        let set = |value: &str| {
            let value: String = value.split_whitespace().collect();
            code.contains(&format!("{name}({value}")) || code.contains(&format!("{name}={value}"))
        };
        assert!(set(value.trim_matches('`')), "{file} does not set {name} to {value}");
        settings.insert((file, name));
    }
    assert_eq!(settings, settings_of_code());
}
