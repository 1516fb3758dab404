//! The database away for ten days of main: the node's memory stays flat, its queue on disk takes what is told, and then the
//! database gets all of it. The queries of the repository find it by its indexes.
//!
//! There are as many shares as in half a day of main, spread over ten. `ARCHIVE_DAYS_THINNED=1` takes all.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod made_up;
mod panels;
mod parquet;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use archive::limits::{QUEUE_BYTES_MAX, QUEUE_ROWS};
use archive::patient::PatientWriter;
use archive::queue::Queue;
use archive::writer::Cursor;
use archive::{ArchiveUrl, LocalServer, export};
use made_up::{MAIN_PACE_MS, SHARES_PER_LINK, batch};
use panels::panels;
use sharechain::ChainParams;
use tokio_postgres::Client;

const DAYS: u64 = 10;

/// Shares a day on main.
const SHARES_PER_DAY: u64 = 86_400_000 / MAIN_PACE_MS;

/// Days for which the queue has room; `specs/archive.md` says so.
const DAYS_OF_ROOM: u64 = 60;

/// Growth of memory that is allowed for, bytes: allocators keep some.
const GROWTH_MAX: u64 = 16 << 20;

/// Queries that must look at everything: luck is about all of the pool's work, and a window has more links than this chain.
const WHOLE_HISTORY: [&str; 2] = ["luck", "window"];

/// Resident memory of this process, bytes.
fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap();
    text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4_096
}

/// Puts a day after the other into the queue, with a restart of the node every day. Returns the number of shares.
fn ten_days(folder: &Path, thinned: u64) -> u64 {
    let step = u64::try_from(QUEUE_ROWS).unwrap() / SHARES_PER_LINK * SHARES_PER_LINK;
    let (mut memory, mut done) = (Vec::new(), 0);
    for day in 1..=DAYS {
        let mut queue = Queue::open(folder).unwrap();
        assert_eq!(queue.position().unwrap_or(0), done);
        while done < day * SHARES_PER_DAY / thinned {
            queue.push(done + step, &batch(done, done + step, MAIN_PACE_MS * thinned)).unwrap();
            done += step;
        }
        memory.push(resident());
    }
    assert!(memory[9] < memory[1] + GROWTH_MAX, "memory is flat: {memory:?} bytes");
    done
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_days_without_the_database_wait_on_disk_and_then_are_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = LocalServer::create(&folder.path().join("pg"), &["fsync=off", "shared_buffers=256MB"]).unwrap();
    server.kill();
    let thinned = std::env::var("ARCHIVE_DAYS_THINNED").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    let path = folder.path().join("queue");
    let shares = ten_days(&path, thinned);
    let mut queue = Queue::open(&path).unwrap();
    let per_share = queue.bytes() / shares;
    println!("{shares} shares wait in {} files of {} bytes, {per_share} each", queue.waiting(), queue.bytes());
    assert!(QUEUE_BYTES_MAX / (per_share * SHARES_PER_DAY) >= DAYS_OF_ROOM, "{per_share} bytes a share");

    server.start().unwrap();
    let mut writer = PatientWriter::new(server.url().unwrap(), ChainParams::main(), Duration::ZERO);
    let before = resident();
    while let Some(queued) = queue.front().unwrap() {
        let cursor = Cursor { source: [7; 32], position: queued.position, digest: [0; 32] };
        writer.write(&queued.batch.unwrap(), &cursor, None).await.unwrap();
        queue.take().unwrap();
    }
    assert!(resident() < before + GROWTH_MAX, "{before} bytes became {}", resident());
    assert!(queue.bytes() < 2 << 20, "only the newest file stays: {} bytes", queue.bytes());
    let mut client = server.url().unwrap().connect().await.unwrap();
    check_places(&mut client).await;
    let sql =
        "select count(*), count(distinct id), (select count(*) from place), (select count(*) from link) from share";
    let row = client.query_one(sql, &[]).await.unwrap();
    let links = i64::try_from(shares / SHARES_PER_LINK).unwrap();
    let shares = i64::try_from(shares).unwrap();
    assert_eq!([0, 1, 2, 3].map(|at| row.get::<_, i64>(at)), [shares, shares, links, links]);
    check_order(&client).await;
    check_plans(&client).await;
    check_places(&mut client).await;
    check_month(&server.url().unwrap(), &client, &folder.path().join("month")).await;
    parquet::check_export(&server.url().unwrap(), &client, &folder.path().join("parquet")).await;
}

/// The files of one month are made without a look at the shares of another.
async fn check_month(url: &ArchiveUrl, client: &Client, folder: &Path) {
    let read = async || {
        // What a connection read is counted at its end.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let sql = "select seq_tup_read::int8 from pg_stat_user_tables where relname = 'share_2026_11'";
        client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0)
    };
    let before = read().await;
    let written = export(url, folder, Some("2026-10".parse().unwrap()), |_| {}).await.unwrap();
    assert!(written.iter().all(|file| file.rows > 0 || !file.path.to_str().unwrap().contains("share")), "{written:?}");
    assert_eq!(read().await, before);
}

/// What the server does for a batch does not grow with the chain: of places and links it reads no more than the batch's own.
async fn check_places(client: &mut Client) {
    let tx = client.transaction().await.unwrap();
    let whole =
        "select coalesce(sum(seq_tup_read), 0)::int8 from pg_stat_xact_user_tables where relname in ('place', 'link')";
    // What earlier transactions read may be among it.
    let before: i64 = tx.query_one(whole, &[]).await.unwrap().get(0);
    // Often enough that the server plans once for all calls.
    for _ in 0..10 {
        let sql = "delete from place where height = (select max(height) from place)";
        assert_eq!(tx.execute(sql, &[]).await.unwrap(), 1);
        let sql = "select place_tip((select id from link order by height desc limit 1))";
        assert!(tx.query_one(sql, &[]).await.unwrap().get::<_, Option<i32>>(0).is_some());
    }
    let after: i64 = tx.query_one(whole, &[]).await.unwrap().get(0);
    assert_eq!(after - before, 0, "rows of whole tables were read");
    tx.rollback().await.unwrap();
}

/// Rows lie in the order of their times and heights, whatever their keys, so that parts of the chain are on few pages. The server
/// fills gaps of earlier pages with some. In the order of keys, half of all rows would come before the last.
async fn check_order(client: &Client) {
    for (table, column) in [("share", "time"), ("link", "height")] {
        let sql = format!(
            "select count(*) filter (where this < last), count(*) from (
                select {column} as this, lag({column}) over (partition by tableoid order by ctid) as last from {table}
            ) as rows"
        );
        let row = client.query_one(&sql, &[]).await.unwrap();
        let (apart, all): (i64, i64) = (row.get(0), row.get(1));
        assert!(apart * 20 < all, "{table}: {apart} of {all} rows");
    }
}

/// The queries of the repository, and the panels of its dashboard for one day: each with its name.
fn statements() -> Vec<(String, String)> {
    let folder = Path::new(&std::env::var("CARGO_MANIFEST_DIR").unwrap()).join("queries");
    let mut all = panels("2026-11-03T00:00:00Z", "2026-11-04T00:00:00Z");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.push((path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(&path).unwrap()));
    }
    all
}

/// True if a plan reads a whole table of those that grow, or a whole index by keys, which lie anywhere.
fn reads_whole(plan: &[&str]) -> bool {
    let of_table = |line: &str| ["share", "link", "place"].iter().any(|of| line.contains(&format!("Seq Scan on {of}")));
    let of_index = |lines: &[&str]| lines[0].contains("_pkey on share") && !lines[1].contains("Index Cond: (key = ");
    plan.iter().any(|line| of_table(line)) || plan.windows(2).any(of_index)
}

/// No query of the repository, and no panel, reads all shares, links or places where it needs a few: neither with the
/// server's default cost of a page nor with that of solid-state disks.
async fn check_plans(client: &Client) {
    client.batch_execute("analyze").await.unwrap();
    let mut slow = BTreeSet::new();
    for cost in ["4", "1.1"] {
        client.batch_execute(&format!("set random_page_cost = {cost}")).await.unwrap();
        for (name, sql) in statements() {
            let plan = client.query(&format!("explain {sql}"), &[]).await.unwrap();
            let plan: Vec<&str> = plan.iter().map(|row| row.get(0)).collect();
            if reads_whole(&plan) && !WHOLE_HISTORY.contains(&&*name) {
                println!("{name}:\n{}", plan.join("\n"));
                slow.insert(name);
            }
        }
    }
    client.batch_execute("reset random_page_cost").await.unwrap();
    assert_eq!(slow, BTreeSet::new(), "these queries read whole tables");
}
