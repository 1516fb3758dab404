//! Holds `specs/architecture.md` to the code: the names in it exist, and its table has a row for every channel.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::root;

/// Folders of all crates.
const WORKSPACE: [&str; 5] = ["sharechain", "p2p", "stratum", "node", "testnet"];

/// Folders whose channels are in the table.
const WITH_CHANNELS: [&str; 6] =
    ["node/src", "node/core/src", "node/archive/src", "p2p/src", "p2p/proto/src", "stratum/src"];

/// Constructors of channels, and the table's names for their kinds. `oneshot` channels are exempt, since every answer
/// goes through its own.
const CONSTRUCTORS: [(&str, &str); 6] = [
    ("mpsc::channel", "mpsc"),
    ("mpsc::unbounded_channel", "unbounded"),
    ("watch::channel", "watch"),
    ("watch::Sender::new", "watch"),
    ("broadcast::channel", "broadcast"),
    ("broadcast::Sender::new", "broadcast"),
];

/// File, kind, and capacity of a channel.
type Channel = (String, String, String);

fn architecture() -> String {
    fs::read_to_string(root().join("specs/architecture.md")).unwrap()
}

/// Code of the Rust files below a folder, without comments, by path from the workspace's root. Only files in a `src` count,
/// and no tests.
fn program(folder: &str) -> Vec<(String, String)> {
    let code = |text: String| {
        text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
    };
    let files = crate::program(folder).into_iter().filter(|(name, _)| name.contains("/src/"));
    files.map(|(name, text)| (name, code(text))).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// Names in backticks, and identifiers in diagrams: words with an underscore, words with a capital after a lowercase
/// letter, and paths with `::`.
fn names(text: &str) -> BTreeSet<String> {
    let identifier = |name: &&str| {
        let humped = name.chars().zip(name.chars().skip(1)).any(|(a, b)| a.is_lowercase() && b.is_uppercase());
        humped || name.contains('_') || name.contains("::")
    };
    let mut names = BTreeSet::new();
    for (index, part) in text.split("```").enumerate() {
        if index % 2 == 0 {
            names.extend(part.split('`').skip(1).step_by(2).map(str::to_owned));
        } else {
            let spans = part.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':');
            names.extend(spans.map(|span| span.trim_matches(':')).filter(identifier).map(str::to_owned));
        }
    }
    names
}

#[test]
fn every_name_in_the_architecture_exists() {
    let files: Vec<_> = WORKSPACE.iter().flat_map(|folder| program(folder)).collect();
    let files: Vec<BTreeSet<&str>> = files.iter().map(|(_, code)| words(code).collect()).collect();
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let exists = |name: &str| {
        let is_path = name.contains('/') || name.ends_with(".md") || name.ends_with(".rs");
        let is_crate = manifest.contains(&format!("\n{name} = {{ path = "));
        // The parts of `Type::function` must occur in one file.
        let is_code = || files.iter().any(|words| name.split("::").all(|part| words.contains(part)));
        if is_path { root().join(name).exists() } else { is_crate || is_code() }
    };
    let text = architecture();
    let missing: Vec<_> = names(&text).into_iter().filter(|name| !exists(name)).collect();
    assert!(missing.is_empty(), "specs/architecture.md names what does not exist: {missing:#?}");
}

/// The last part of a constructor's argument, such as `ENGINE_QUEUE` in `mpsc::channel(limits::ENGINE_QUEUE)`.
fn argument(behind: &str) -> &str {
    let behind = behind.strip_prefix("::<").and_then(|rest| rest.split_once('>')).map_or(behind, |(_, rest)| rest);
    let argument = behind.strip_prefix('(').and_then(|rest| rest.split(')').next()).unwrap_or("not called here");
    argument.rsplit("::").next().unwrap_or_default().trim()
}

/// Number of places in the code that create each channel.
fn channels_of_code() -> BTreeMap<Channel, usize> {
    let mut channels = BTreeMap::new();
    for (file, code) in WITH_CHANNELS.iter().flat_map(|folder| program(folder)) {
        for (constructor, kind) in CONSTRUCTORS {
            for (at, _) in code.match_indices(constructor) {
                let capacity = match kind {
                    "watch" => "newest",
                    "unbounded" => "none",
                    _ => argument(&code[at + constructor.len()..]),
                };
                *channels.entry((file.clone(), kind.to_owned(), capacity.to_owned())).or_default() += 1;
            }
        }
    }
    channels
}

/// Number of rows of the table for each channel.
fn channels_of_table() -> BTreeMap<Channel, usize> {
    let text = architecture();
    let table = &text[text.find("## 5. Channels").unwrap()..];
    let mut channels = BTreeMap::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(|cell| cell.trim()).collect();
        let [file, kind, capacity, from, to, carries, full] = cells[..] else { panic!("{row} has not seven cells") };
        assert!([from, to, carries, full].iter().all(|cell| !cell.is_empty()), "{row} has an empty cell");
        if kind != "oneshot" {
            let channel = [file, kind, capacity].map(|cell| cell.trim_matches('`').to_owned());
            *channels.entry(channel.into()).or_default() += 1;
        }
    }
    channels
}

#[test]
fn every_channel_of_the_code_is_in_the_architecture() {
    let (code, table) = (channels_of_code(), channels_of_table());
    let lacks = |of: &BTreeMap<Channel, usize>, other: &BTreeMap<Channel, usize>| -> Vec<String> {
        let differ = of.iter().filter(|(channel, count)| other.get(channel) != Some(count));
        differ.map(|((file, kind, capacity), count)| format!("{count} x {file}, {kind}, {capacity}")).collect()
    };
    let (missing, extra) = (lacks(&code, &table), lacks(&table, &code));
    assert!(missing.is_empty() && extra.is_empty(), "the code has {missing:#?}, specs/architecture.md has {extra:#?}");
    assert!(code.values().sum::<usize>() > 20, "the search still finds channels: {code:#?}");
}
