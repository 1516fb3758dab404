//! The schema: versioned migrations, the pool whose history it is, and partitions by month.

use std::collections::BTreeSet;

use sharechain::{ChainParams, ShareId};
use tokio_postgres::Client;

use crate::connect::SCHEMA;
use crate::error::ArchiveError;
use crate::month::Month;

mod migrations {
    refinery::embed_migrations!("migrations");
}

/// Tables that are partitioned by month.
const PARTITIONED: [&str; 1] = ["share"];

/// What is shared with other programs in the database as an advisory lock: "shoal", as a number.
const LOCK: i64 = 0x73_686f_616c;

/// Version of the schema that this program writes and reads.
fn version() -> i64 {
    let runner = migrations::migrations::runner();
    runner.get_migrations().iter().map(|migration| i64::from(migration.version())).max().unwrap_or(0)
}

/// Brings the schema up to date, and notes or checks whose history it is. Several loaders may do so at a time.
///
/// # Errors
/// The server rejects it, or the database is another pool's.
pub async fn open(client: &mut Client, params: &ChainParams) -> Result<(), ArchiveError> {
    client.execute("select pg_advisory_lock($1)", &[&LOCK]).await?;
    let opened = open_alone(client, params).await;
    client.execute("select pg_advisory_unlock($1)", &[&LOCK]).await?;
    opened
}

async fn open_alone(client: &mut Client, params: &ChainParams) -> Result<(), ArchiveError> {
    // Without the check, a user without the right to create schemas could not load into an existing one.
    let sql = format!("do $$ begin if to_regnamespace('{SCHEMA}') is null then create schema {SCHEMA}; end if; end $$");
    client.batch_execute(&sql).await?;
    refuse_newer(client).await?;
    migrations::migrations::runner().run_async(client).await?;
    let id = params.consensus_id();
    let depth = i32::try_from(params.listing_depth).map_err(|_| ArchiveError::Range { what: "listing_depth" })?;
    let sql =
        "insert into pool (consensus_id, network, name, listing_depth) values ($1, $2, $3, $4) on conflict do nothing";
    client.execute(sql, &[&&id[..], &params.name, &params.pool.as_str(), &depth]).await?;
    let row = client.query_one("select consensus_id from pool", &[]).await?;
    let found: &[u8] = row.try_get(0)?;
    if found != id {
        let found = ShareId(found.try_into().map_err(|_| ArchiveError::Range { what: "the consensus id" })?);
        return Err(ArchiveError::OtherPool { found, expected: ShareId(id) });
    }
    Ok(())
}

/// Checks that a database has the version of the schema that this program reads.
///
/// # Errors
/// It has another one, or none.
pub(crate) async fn check_version(client: &Client) -> Result<(), ArchiveError> {
    let newest = client.query_one("select max(version)::int8 from refinery_schema_history", &[]).await;
    let found: Option<i64> = newest.map_err(ArchiveError::of_first_read)?.try_get(0)?;
    let (found, known) = (found.unwrap_or(0), version());
    if found == known { Ok(()) } else { Err(ArchiveError::Version { found, known }) }
}

/// Refuses the schema of a newer program. Migrations would call it one with missing files.
async fn refuse_newer(client: &Client) -> Result<(), ArchiveError> {
    let sql = format!("select to_regclass('{SCHEMA}.refinery_schema_history') is not null");
    if !client.query_one(&sql, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(());
    }
    let sql = "select coalesce(max(version), 0)::int8 from refinery_schema_history";
    let (found, known) = (client.query_one(sql, &[]).await?.try_get(0)?, version());
    if found > known { Err(ArchiveError::Newer { found, known }) } else { Ok(()) }
}

/// Creates the partitions of some months where they are missing. Readers do not wait for it.
///
/// # Errors
/// The server rejects it.
pub(crate) async fn add_months(client: &Client, months: &BTreeSet<Month>) -> Result<(), ArchiveError> {
    for month in months {
        for table in PARTITIONED {
            let name = format!("{table}_{:04}_{:02}", month.year, month.month);
            let (from, to) = (month.begins(), month.next().begins());
            // Attached afterwards: creating it as a partition would lock the whole table against readers.
            let sql = format!(
                "do $$ begin
                    perform pg_advisory_xact_lock({LOCK});
                    if to_regclass('{SCHEMA}.{name}') is null then
                        create table {name} (like {table} including defaults);
                        alter table {table} attach partition {name} for values from ('{from}') to ('{to}');
                    end if;
                end $$"
            );
            client.batch_execute(&sql).await?;
        }
    }
    Ok(())
}
