//! The schema: versioned migrations, the pool whose history it is, and partitions by month.

use std::collections::BTreeSet;

use sharechain::{ChainParams, ShareId};
use tokio_postgres::Client;

use crate::connect::SCHEMA;
use crate::error::ArchiveError;

mod migrations {
    refinery::embed_migrations!("migrations");
}

/// Tables that are partitioned by month.
const PARTITIONED: [&str; 1] = ["share"];

/// What is shared with other programs in the database as an advisory lock: "shoal", as a number.
const LOCK: i64 = 0x73_686f_616c;

/// Version of the schema that this program writes and reads.
pub(crate) fn version() -> i64 {
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
    client.batch_execute(&format!("create schema if not exists {SCHEMA}")).await?;
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

/// A month, from 1970 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Month {
    year: u32,
    month: u32,
}

impl Month {
    /// The month of a time in seconds since 1970, in UTC.
    pub(crate) fn of(time: u32) -> Self {
        // Days of years that begin in March, where leap days come last.
        let days = time / 86_400 + 719_468;
        let era = days / 146_097;
        let day_of_era = days % 146_097;
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Self { year: year_of_era + era * 400 + u32::from(month <= 2), month }
    }

    fn next(self) -> Self {
        if self.month == 12 { Self { year: self.year + 1, month: 1 } } else { Self { month: self.month + 1, ..self } }
    }

    fn begins(self) -> String {
        format!("{:04}-{:02}-01 00:00:00+00", self.year, self.month)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_fall_into_the_months_of_the_calendar() {
        let of = |time| {
            let Month { year, month } = Month::of(time);
            (year, month)
        };
        assert_eq!([of(0), of(2_678_399), of(2_678_400)], [(1970, 1), (1970, 1), (1970, 2)]);
        // 29 February 2024 and 1 March 2024; 31 December 2026 and 1 January 2027; the last second of 32 bits.
        assert_eq!([of(1_709_164_800), of(1_709_251_200)], [(2024, 2), (2024, 3)]);
        assert_eq!([of(1_798_761_599), of(1_798_761_600)], [(2026, 12), (2027, 1)]);
        assert_eq!(of(u32::MAX), (2106, 2));
        assert_eq!(Month { year: 2026, month: 12 }.next().begins(), "2027-01-01 00:00:00+00");
    }
}
