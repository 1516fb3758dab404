//! Fills an archive with made-up history at main's pace, and says how many shares and rows a second it takes and how many bytes a
//! share has.
//!
//! `cargo run --release -p archive --example fill -- FOLDER 10000000` starts a PostgreSQL in a new folder; its disk is
//! synced as usual.

#![allow(clippy::unwrap_used, reason = "an example may panic")]

#[path = "../tests/made_up/mod.rs"]
mod made_up;

use std::path::Path;
use std::time::Instant;

use archive::LocalServer;
use archive::writer::{Cursor, Writer};
use made_up::{MAIN_PACE_MS, SHARES_PER_LINK, batch};
use sharechain::ChainParams;
use tokio_postgres::Client;

/// Shares of one transaction: 50,000 rows of tables with their links and places.
const SHARES_PER_BATCH: u64 = 1_428 * SHARES_PER_LINK;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, count] = &arguments[..] else { panic!("give a folder to create, and a number of shares") };
    let count: u64 = count.parse().unwrap();
    let settings = ["shared_buffers=2GB", "max_wal_size=8GB", "checkpoint_timeout=15min", "work_mem=64MB"];
    let server = LocalServer::create(Path::new(folder), &settings).unwrap();
    let url = server.url().unwrap();
    let mut writer = Writer::open(&url, &ChainParams::main()).await.unwrap();
    let (began, mut making, mut done, mut told) = (Instant::now(), 0.0, 0, (0, 0.0));
    while done < count {
        let made = Instant::now();
        let end = done + SHARES_PER_BATCH;
        let batch = batch(done, end, MAIN_PACE_MS);
        making += made.elapsed().as_secs_f64();
        let new =
            writer.write(&batch, &Cursor { source: [7; 32], position: end, digest: [0; 32] }, None).await.unwrap();
        assert_eq!(new, end - done);
        done = end;
        if done - told.0 >= 1_000_000 || done >= count {
            let seconds = began.elapsed().as_secs_f64() - making;
            let (all, last) = (done as f64 / seconds, (done - told.0) as f64 / (seconds - told.1));
            println!("{done} shares in {seconds:.1} s: {all:.0} a second, {last:.0} since the last line");
            told = (done, seconds);
        }
    }
    let client = url.connect().await.unwrap();
    client.batch_execute("checkpoint").await.unwrap();
    tell_rows(&client, began.elapsed().as_secs_f64() - making).await;
    tell_bytes(&client, done as f64).await;
}

/// Says how many rows were written in some seconds: those of tables, and what arrays of links hold, which views show as rows.
async fn tell_rows(client: &Client, seconds: f64) {
    let sql = "select (select count(*) from share) + (select count(*) from place),
        count(*), sum(octet_length(list) / 32 + cardinality(credit_scripts))::int8 from link";
    let row = client.query_one(sql, &[]).await.unwrap();
    let [others, links, shown] = [0, 1, 2].map(|at| row.get::<_, i64>(at) as f64);
    let rows = others + links;
    println!("{rows} rows of tables in {seconds:.1} s, all on disk: {:.0} a second", rows / seconds);
    println!("with {shown} listed shares and credits: {:.0} a second", (rows + shown) / seconds);
}

async fn tell_bytes(client: &Client, shares: f64) {
    client.batch_execute("analyze").await.unwrap();
    let sql = "select relname::text, sum(pg_table_size(oid))::bigint, sum(pg_indexes_size(oid))::bigint from (
        select coalesce(inhparent::regclass::text, c.relname) as relname, c.oid from pg_class c
        left join pg_inherits on inhrelid = c.oid where relkind = 'r' and relnamespace = 'shoal'::regnamespace
        ) as tables group by relname order by 2 desc limit 3";
    for row in client.query(sql, &[]).await.unwrap() {
        let (name, table, indexes): (&str, i64, i64) = (row.get(0), row.get(1), row.get(2));
        let of = |bytes: i64| bytes as f64 / shares;
        println!("{name}: {:.1} bytes a share, and {:.1} in indexes", of(table), of(indexes));
    }
}
