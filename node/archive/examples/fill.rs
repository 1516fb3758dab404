//! Fills an archive with made-up history at main's pace, and says how many shares a second it takes and how many bytes one has.
//!
//! `cargo run --release -p archive --example fill -- FOLDER 10000000` starts a PostgreSQL in a new folder; its disk is
//! synced as usual. The proofs are no proofs: only their form and their number are those of a year.

#![allow(clippy::unwrap_used, reason = "an example may panic")]

use std::path::Path;
use std::time::Instant;

use archive::LocalServer;
use archive::batch::{Batch, CreditRow, LinkRow, ShareRow};
use archive::writer::{Cursor, Writer};
use bitcoin::ScriptBuf;
use bitcoin::hashes::{Hash, sha256};
use sharechain::{ChainParams, ShareId, U256};

/// Shares that a link lists, with itself.
const SHARES_PER_LINK: u64 = 33;

/// Milliseconds from one share to the next: 276,000 a day.
const MS_PER_SHARE: u64 = 313;

/// Miners. One in two shares comes from the first tenth of them.
const MINERS: u64 = 2_000;

/// 1 November 2026.
const BEGINS: u64 = 1_793_491_200;

/// Shares of one transaction: 50,000 rows with their links.
const SHARES_PER_BATCH: u64 = 48_000;

fn id(kind: u8, number: u64) -> ShareId {
    ShareId(sha256::Hash::hash(&[&[kind][..], &number.to_le_bytes()].concat()).to_byte_array())
}

fn miner(number: u64) -> u64 {
    let [a, b, c, ..] = id(2, number).0;
    let of = if a < 128 { MINERS / 10 } else { MINERS };
    u64::from(u16::from_be_bytes([b, c])) % of
}

fn script(miner: u64) -> ScriptBuf {
    let hash = id(3, miner).0;
    ScriptBuf::from_bytes([&[0, 20], &hash[..20]].concat())
}

/// The shares from `first` up to `end`, and the links that list them.
fn batch(first: u64, end: u64) -> Batch {
    let mut batch = Batch::default();
    for link in first / SHARES_PER_LINK..end / SHARES_PER_LINK {
        let numbers = link * SHARES_PER_LINK..(link + 1) * SHARES_PER_LINK;
        let mut credits: Vec<CreditRow> = Vec::new();
        let mut list = Vec::new();
        for number in numbers {
            let is_link = (number + 1) % SHARES_PER_LINK == 0;
            let own = if is_link { id(0, link + 1) } else { id(1, number) };
            let script = batch.script(&script(miner(number)));
            let weight = 3_504_881_374_004_u128;
            match credits.iter_mut().find(|row| row.script == script) {
                Some(row) => (row.proofs, row.weight) = (row.proofs + 1, row.weight + weight),
                None => credits.push(CreditRow { script, proofs: 1, weight }),
            }
            let time = u32::try_from(BEGINS + number * MS_PER_SHARE / 1_000).unwrap();
            let height = u32::try_from(link + 1).unwrap();
            let bitcoin_height = 920_000 + height / 58;
            batch.share(ShareRow {
                id: own,
                parent: id(0, link),
                time,
                height,
                bitcoin_height,
                coinbase_value: 312_500_000 + number % 9_000_000,
                script,
                weight,
                hashes: 141_893_231_005_917 + u128::from(link),
                is_link,
                is_block: false,
            });
            if !is_link {
                list.push(own);
                continue;
            }
            batch.link(LinkRow {
                id: own,
                parent: id(0, link),
                time,
                height,
                bitcoin_height,
                previous_block: id(4, u64::from(bitcoin_height)),
                state_root: id(5, link).0,
                chain_work: U256::from(4_682_476_623_195_261_u64) * U256::from(link + 1),
                link_hashes: U256::from(4_682_476_623_195_261_u64),
                share_hashes: U256::from(141_893_231_005_917_u64),
                list: Some(std::mem::take(&mut list)),
                credits: std::mem::take(&mut credits),
            });
            batch.set_tip(own);
        }
    }
    batch
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, count] = &arguments[..] else { panic!("give a folder to create, and a number of shares") };
    let count: u64 = count.parse().unwrap();
    let settings = ["shared_buffers=2GB", "max_wal_size=8GB", "checkpoint_timeout=15min", "work_mem=64MB"];
    let server = LocalServer::create(Path::new(folder), &settings).unwrap();
    let url = server.url().unwrap();
    let mut writer = Writer::open(&url, &ChainParams::main()).await.unwrap();
    let (began, mut making, mut done, mut told) = (Instant::now(), 0.0, 0, 0);
    while done < count {
        let made = Instant::now();
        let end = done + SHARES_PER_BATCH / SHARES_PER_LINK * SHARES_PER_LINK;
        let batch = batch(done, end);
        making += made.elapsed().as_secs_f64();
        let new =
            writer.write(&batch, &Cursor { source: [7; 32], position: end, digest: [0; 32] }, None).await.unwrap();
        assert_eq!(new, end - done);
        done = end;
        if done - told >= 1_000_000 || done >= count {
            told = done;
            let seconds = began.elapsed().as_secs_f64() - making;
            println!("{done} shares in {seconds:.1} s: {:.0} shares a second", done as f64 / seconds);
        }
    }
    let client = url.connect().await.unwrap();
    client.batch_execute("analyze").await.unwrap();
    let sql = "select relname::text, sum(pg_table_size(oid))::bigint, sum(pg_indexes_size(oid))::bigint from (
        select coalesce(inhparent::regclass::text, c.relname) as relname, c.oid from pg_class c
        left join pg_inherits on inhrelid = c.oid where relkind = 'r' and relnamespace = 'shoal'::regnamespace
        ) as tables group by relname order by 2 desc limit 3";
    for row in client.query(sql, &[]).await.unwrap() {
        let (name, table, indexes): (&str, i64, i64) = (row.get(0), row.get(1), row.get(2));
        let of = |bytes: i64| bytes as f64 / done as f64;
        println!("{name}: {:.1} bytes a share, and {:.1} in indexes", of(table), of(indexes));
    }
}
