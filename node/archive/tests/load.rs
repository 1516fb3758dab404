//! Recordings of simulated networks in a real PostgreSQL: the database has what the recordings show, with any number of loaders
//! and of repetitions.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod network;
mod panels;
mod parquet;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use archive::batch::{Batch, EventRow};
use archive::writer::{Cursor, Writer};
use archive::{ArchiveError, ArchiveUrl, LocalServer, load};
use network::check::check;
use network::{FAST, Network};
use panels::panels;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

#[tokio::test(flavor = "multi_thread")]
async fn two_loaders_archive_a_network_once_as_its_recordings_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let network = Network::cut_in_two(folder.path());
    let server = LocalServer::create(&folder.path().join("pg"), &FAST).unwrap();
    let url = server.url().unwrap();
    let [one, other] = [0, 1].map(|index| network.recorded[index].path.clone());
    let (first, second) = tokio::join!(load(&url, &one, 1_000, |_| {}), load(&url, &other, 1_000, |_| {}));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!((first.differences, second.differences), (0, 0));
    let client = url.connect().await.unwrap();
    check(&client, &network).await;

    // Once more, from the end and from the beginning: nothing changes.
    let again = load(&url, &one, 1_000, |_| {}).await.unwrap();
    assert_eq!((again.skipped, again.new_proofs), (again.lines, 0));
    client.batch_execute("truncate source").await.unwrap();
    let again = load(&url, &other, 1_000, |_| {}).await.unwrap();
    assert_eq!((again.skipped, again.proofs, again.new_proofs), (0, second.proofs, 0));
    check(&client, &network).await;
    assert_eq!(model_differences(&one), 0);
    check_queries(&client, &network).await;
    write_events(&url, &network).await;
    parquet::check_export(&url, &client, &folder.path().join("parquet")).await;

    // The first line and a proof without its parents: nothing is valid, and each attempt reports it.
    let text = fs::read_to_string(&one).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let proof = lines.iter().rposition(|line| line.starts_with("{\"proof\"")).unwrap();
    let orphan = folder.path().join("orphan.jsonl");
    fs::write(&orphan, [lines[0], lines[proof], ""].join("\n")).unwrap();
    for _ in 0..2 {
        let refused = load(&url, &orphan, 1_000, |_| {}).await;
        assert!(matches!(refused, Err(ArchiveError::NothingValid { lines: 2, .. })), "{refused:?}");
    }

    check_strangers(&server, &client, &one, folder.path()).await;
    client.batch_execute("update pool set consensus_id = decode(repeat('ab', 32), 'hex')").await.unwrap();
    let refused = load(&url, &one, 1_000, |_| {}).await;
    assert!(matches!(refused, Err(ArchiveError::OtherPool { .. })), "{refused:?}");
}

/// Writes events of two nodes, twice.
async fn write_events(url: &ArchiveUrl, network: &Network) {
    let chain = network.recorded[0].chain();
    let mut writer = Writer::open(url, chain.params()).await.unwrap();
    let (time, mut batch) = (chain.link(&chain.tip()).unwrap().time.0, Batch::default());
    for (number, page) in [(1, None), (2, Some("/peers".to_owned()))] {
        let (sentence, details) = (format!("event {number}"), format!("{{\"some\": {number}}}"));
        batch.event(EventRow { number, time, kind: "work".to_owned(), sentence, page, details });
    }
    for node in [[3; 32], [4; 32], [3; 32]] {
        let cursor = Cursor { source: node, position: 1, digest: [0; 32] };
        writer.write(&batch, &cursor, None).await.unwrap();
    }
}

/// A user without rights, an empty database, and the schema of a newer program: each error names its cause.
async fn check_strangers(server: &LocalServer, client: &Client, recording: &Path, folder: &Path) {
    client.batch_execute("create role stranger login").await.unwrap();
    for name in ["stranger@", "postgres@"] {
        let text = server.url_text().replace("postgres@", name);
        let text = if name == "stranger@" { text } else { text.replace("/archive", "/postgres") };
        let refused = archive::export(&text.parse().unwrap(), folder, None, |_| {}).await;
        assert!(matches!(refused, Err(ArchiveError::Empty)), "{text}: {refused:?}");
    }
    // A user who owns the schema, and may create none.
    let own = "create role loader login; grant loader to postgres; grant usage, create on schema shoal to loader; \
        grant all on all tables in schema shoal to loader; grant all on all sequences in schema shoal to loader";
    client.batch_execute(own).await.unwrap();
    let loader = server.url_text().replace("postgres@", "loader@").parse().unwrap();
    let loaded = load(&loader, recording, 1_000, |_| {}).await.unwrap();
    assert_eq!(loaded.new_proofs, 0);

    client.batch_execute("insert into refinery_schema_history values (99, 'x', 'x', 'x')").await.unwrap();
    let refused = load(&server.url().unwrap(), recording, 1_000, |_| {}).await;
    assert!(matches!(refused, Err(ArchiveError::Newer { found: 99, .. })), "{refused:?}");
    let refused = archive::export(&server.url().unwrap(), folder, None, |_| {}).await;
    assert!(matches!(refused, Err(ArchiveError::Version { found: 99, .. })), "{refused:?}");
    client.batch_execute("delete from refinery_schema_history where version = 99").await.unwrap();
}

/// The queries of the repository run as a reader, and a reader writes nothing.
async fn check_queries(client: &Client, network: &Network) {
    client.batch_execute("set role shoal_reader").await.unwrap();
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("queries");
    let mut rows = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let found = client.query(&fs::read_to_string(&path).unwrap(), &[]).await;
        rows.insert(name.clone(), found.unwrap_or_else(|error| panic!("{name}: {error:?}")));
    }
    let is_empty = |name: &str| ["never_listed", "orphaned_blocks"].contains(&name);
    let empty: Vec<_> = rows.iter().filter(|(name, rows)| rows.is_empty() && !is_empty(name)).collect();
    assert!(empty.is_empty() && rows.len() >= 10, "{empty:?} of {}", rows.len());
    let sum = |name: &str, column: &str| rows[name].iter().map(|row| row.get::<_, i64>(column)).sum::<i64>();
    let left: usize = network.reorganizations().into_iter().map(|(.., left)| left).sum();
    assert_eq!(sum("reorganizations", "links"), i64::try_from(left).unwrap());
    let shares = client.query_one("select count(*) from share", &[]).await.unwrap().get::<_, i64>(0);
    assert_eq!(sum("hash_rate_by_miner", "shares"), shares, "the network ran for less than a day");
    check_panels(client).await;
    let refused = client.batch_execute("delete from share").await;
    assert_eq!(refused.unwrap_err().code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
    client.batch_execute("reset role").await.unwrap();
}

/// Each panel of the dashboard has a query that runs and finds something.
async fn check_panels(client: &Client) {
    let panels = panels("1970-01-01T00:00:00Z", "2106-01-01T00:00:00Z");
    assert_eq!(panels.len(), 6);
    for (title, sql) in panels {
        let rows = client.query(&sql, &[]).await.unwrap_or_else(|error| panic!("{title}: {error:?}"));
        assert!(!rows.is_empty(), "{title}");
    }
}

/// Number of differences that the Python model finds in a recording.
fn model_differences(path: &Path) -> usize {
    let script = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../specs/model/replay.py");
    let output = Command::new("python3").arg(script).arg(path).arg("--json").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split("\"line\":").count() - 1
}
