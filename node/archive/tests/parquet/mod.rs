//! Exports an archive, and reads the files back with DuckDB: counts and sums are those of SQL.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use archive::{ArchiveError, ArchiveUrl, Month, export};
use serde_json::Value;
use tokio_postgres::Client;

/// Path of the Python with DuckDB. The Makefile installs and sets it.
const PYTHON: &str = "SHOAL_PAGES_PYTHON";

/// What is asked of a table: of PostgreSQL, and of its files.
const SUMS: [(&str, &str, &str); 7] = [
    (
        "share",
        "select count(*), sum(extract(epoch from time))::bigint, sum(height), sum(bitcoin_height), sum(coinbase_value),
            sum(octet_length(script.script)), sum(weight), sum(hashes), count(*) filter (where is_link),
            count(*) filter (where is_block), count(distinct id), sum(parent), min(encode(id, 'hex')), max(encode(script.script, 'hex'))
            from share join script on script.number = share.script",
        "select count(*), sum(epoch_us(time) // 1000000), sum(height), sum(bitcoin_height), sum(coinbase_value),
            sum(octet_length(script)), sum(weight), sum(hashes), count(*) filter (where is_link),
            count(*) filter (where is_block), count(distinct id), sum(parent), min(lower(hex(id))), max(lower(hex(script)))
            from share",
    ),
    (
        "link",
        "select count(*), sum(link.height), sum(chain_work), sum(link_hashes), sum(share_hashes), count(list),
            count(place.link), count(distinct id), min(encode(parent, 'hex')), max(encode(state_root, 'hex')),
            max(encode(previous_block, 'hex'))
            from link left join place on place.link = link.key",
        "select count(*), sum(height), sum(chain_work), sum(link_hashes), sum(share_hashes),
            count(*) filter (where has_list), count(*) filter (where is_main), count(distinct id), min(lower(hex(parent))),
            max(lower(hex(state_root))), max(lower(hex(previous_block))) from link",
    ),
    (
        "listing",
        "select count(*), sum(height), sum(position), count(distinct share), min(encode(share, 'hex')) from listing",
        "select count(*), sum(height), sum(position), count(distinct share), min(lower(hex(share))) from listing",
    ),
    (
        "credit",
        "select count(*), sum(height), sum(proofs), sum(weight), count(distinct script) from credit",
        "select count(*), sum(height), sum(proofs), sum(weight), count(distinct script) from credit",
    ),
    (
        "payout",
        "select count(*), sum(payout.value_sat), sum(position), count(*) filter (where drawn), count(distinct block),
            sum(block.height), count(distinct script) from payout join block on block.hash = payout.block",
        "select count(*), sum(value_sat), sum(position), count(*) filter (where drawn), count(distinct block),
            sum(bitcoin_height), count(distinct script) from payout",
    ),
    (
        "reorganization",
        "select count(*), sum(fork_height), sum(left_links), sum(entered_links), min(encode(old_tip, 'hex')),
            max(encode(new_tip, 'hex')) from reorganization",
        "select count(*), sum(fork_height), sum(left_links), sum(entered_links), min(lower(hex(old_tip))),
            max(lower(hex(new_tip))) from reorganization",
    ),
    (
        "event",
        "select count(*), sum(extract(epoch from time))::bigint, sum(number), min(encode(node, 'hex')), max(kind), max(sentence),
            max(page), sum(length(details::text)), max(details::text) from event",
        "select count(*), sum(epoch_us(time) // 1000000), sum(number), min(lower(hex(node))), max(kind), max(sentence),
            nullif(max(page), ''), sum(length(details)), max(details) from event",
    ),
];

/// Asks DuckDB about the files, once for each table.
const ASK: &str = "
import duckdb, json, sys
found = []
for table, sql in json.loads(sys.argv[2]):
    duckdb.sql(f\"create view {table} as select * from read_parquet('{sys.argv[1]}/{table}-*.parquet')\")
    found.append([None if value is None else str(value) for value in duckdb.sql(sql).fetchall()[0]])
print(json.dumps(found))
";

/// What PostgreSQL answers, as text.
async fn asked(client: &Client, sql: &str) -> Vec<Value> {
    let found = client.simple_query(sql).await.unwrap();
    let row = found.iter().find_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let row = row.unwrap();
    (0..row.len()).map(|at| row.get(at).map_or(Value::Null, |text| Value::String(text.to_owned()))).collect()
}

/// Exports everything, and compares.
pub(crate) async fn check_export(url: &ArchiveUrl, client: &Client, folder: &Path) {
    let Some(python) = std::env::var_os(PYTHON).filter(|python| Path::new(python).is_file()) else {
        panic!(
            "{PYTHON} names no Python with the packages of testnet/pages/requirements.txt; run this test by `make test`"
        );
    };
    let written = export(url, folder, None, |_| {}).await.unwrap();
    let rows = |table: &str| -> u64 {
        let is_of = |path: &Path| path.file_name().unwrap().to_str().unwrap().starts_with(&format!("{table}-"));
        written.iter().filter(|file| is_of(&file.path)).map(|file| file.rows).sum()
    };
    let questions: Vec<_> = SUMS.iter().map(|(table, _, sql)| [table, sql]).collect();
    let questions = serde_json::to_string(&questions).unwrap();
    let output = Command::new(python).args(["-c", ASK]).arg(folder).arg(questions).output().unwrap();
    let found: Vec<Vec<Value>> = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("DuckDB reads the files: {}", String::from_utf8_lossy(&output.stderr)));
    for ((table, sql, _), found) in SUMS.iter().zip(found) {
        let expected = asked(client, sql).await;
        assert_eq!(found, expected, "{table}");
        assert_eq!(found[0], rows(table).to_string(), "{table}");
    }
    check_months(url, folder, written.len() / SUMS.len()).await;
}

/// Each month has its files and no more, and one month can be had alone.
async fn check_months(url: &ArchiveUrl, folder: &Path, months: usize) {
    let names = |folder: &Path| -> BTreeSet<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let all = names(folder);
    assert_eq!(all.len(), months * SUMS.len(), "{all:?}");
    assert!(all.iter().all(|name| name.ends_with(".parquet")), "{all:?}");
    let month: Month = all.first().unwrap().rsplit_once('.').unwrap().0.split_once('-').unwrap().1.parse().unwrap();
    let alone = folder.join("alone");
    let written = export(url, &alone, Some(month), |_| {}).await.unwrap();
    assert_eq!(written.len(), SUMS.len());
    for name in names(&alone) {
        let [one, other] = [folder, &alone].map(|folder| fs::metadata(folder.join(&name)).unwrap().len());
        assert!(
            name.ends_with(&format!("{month}.parquet")) && one.abs_diff(other) < 1_000,
            "{name}: {one} and {other}"
        );
    }
    let refused = export(url, &alone, Some("1999-12".parse().unwrap()), |_| {}).await;
    assert!(matches!(&refused, Err(ArchiveError::NoMonth { .. })), "{refused:?}");
    assert!(refused.unwrap_err().to_string().contains("nothing of 1999-12; it has "));
    // A folder that cannot be one.
    let refused = export(url, &folder.join(all.first().unwrap()), None, |_| {}).await;
    assert!(matches!(refused, Err(ArchiveError::Write { .. })), "{refused:?}");
}
