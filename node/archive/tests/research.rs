//! The answers in `specs/archive.md`, computed again from the recordings in the repository. `RESEARCH=write` writes them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use archive::{LocalServer, load};
use tokio_postgres::{Client, SimpleQueryMessage};

/// The recordings.
const RECORDINGS: [&str; 2] = ["testnet", "week"];

/// Names in the comment above each table: the recording and the query.
const MARK: &str = "<!-- answer: ";

fn folder() -> PathBuf {
    Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("research")
}

/// A recording of the repository in an archive of its own.
async fn archived(name: &str, temp: &Path) -> (LocalServer, Client) {
    let file = temp.join(format!("{name}.jsonl"));
    let program = "import lzma, shutil, sys\nshutil.copyfileobj(lzma.open(sys.argv[1]), open(sys.argv[2], 'wb'))";
    let packed = folder().join(format!("{name}.jsonl.xz"));
    let unpacked = Command::new("python3").args(["-c", program]).arg(packed).arg(&file).status();
    assert!(unpacked.unwrap().success(), "{name} is unpacked");
    let server = LocalServer::create(&temp.join(name), &["fsync=off", "shared_buffers=64MB"]).unwrap();
    let loaded = load(&server.url().unwrap(), &file, 50_000, |_| {}).await.unwrap();
    assert_eq!(loaded.differences, 0, "{name} is valid");
    let client = server.url().unwrap().connect().await.unwrap();
    client.batch_execute("analyze; set time zone 'UTC'").await.unwrap();
    (server, client)
}

/// What a query finds, as lines of a table.
async fn table(client: &Client, query: &str) -> Vec<String> {
    let sql = fs::read_to_string(folder().join(format!("{query}.sql"))).unwrap();
    let found = client.simple_query(&sql).await.unwrap_or_else(|error| panic!("{query}: {error:?}"));
    let line = |cells: Vec<&str>| format!("| {} |", cells.join(" | "));
    let mut lines = Vec::new();
    for message in &found {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                lines.push(line(columns.iter().map(|column| column.name()).collect()));
                lines.push(format!("|{}", "---|".repeat(columns.len())));
            }
            SimpleQueryMessage::Row(row) => {
                lines.push(line((0..row.len()).map(|at| row.get(at).unwrap_or("-")).collect()));
            }
            _ => {}
        }
    }
    assert!(lines.len() > 2, "{query} finds something");
    lines
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answers_of_the_specification_are_what_the_queries_find() {
    let temp = tempfile::tempdir().unwrap();
    let [testnet, week] = RECORDINGS.map(|name| archived(name, temp.path()));
    let ((_testnet_server, testnet), (_week_server, week)) = tokio::join!(testnet, week);
    let path = folder().join("../../../specs/archive.md");
    let text = fs::read_to_string(&path).unwrap();
    let (mut computed, mut asked) = (Vec::new(), BTreeSet::new());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        computed.push(line.to_owned());
        let Some(mark) = line.strip_prefix(MARK) else { continue };
        let (recording, query) = mark.trim_end_matches(" -->").split_once(' ').unwrap();
        let client = if recording == RECORDINGS[0] { &testnet } else { &week };
        while lines.next_if(|line| line.starts_with('|')).is_some() {}
        computed.extend(table(client, query).await);
        asked.insert(format!("{query}.sql"));
    }
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let queries: BTreeSet<String> = files.filter(|name| name.ends_with(".sql")).collect();
    assert_eq!(asked, queries, "each query of the folder answers something in the text");
    assert!(queries.len() >= 5, "{queries:?}");
    let computed = computed.join("\n") + "\n";
    if std::env::var("RESEARCH").is_ok_and(|value| value == "write") {
        fs::write(&path, &computed).unwrap();
    }
    let differs = text.lines().zip(computed.lines()).find(|(told, found)| told != found);
    assert_eq!(differs, None, "the text differs from what the queries find; RESEARCH=write corrects it");
    assert_eq!(text.lines().count(), computed.lines().count(), "RESEARCH=write corrects it");
}
