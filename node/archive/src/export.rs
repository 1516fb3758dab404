//! Writes the archive as Parquet, one file for each table and month; see `specs/archive.md`.
//!
//! ```text
//! tables.rs   what is exported, with its queries
//! columns.rs  columns of a file, one row group at a time
//! ```

mod columns;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use tokio_postgres::{Client, IsolationLevel, Transaction};

use crate::connect::{ArchiveUrl, Connected};
use crate::error::ArchiveError;
use crate::limits::{EXPORT_FETCH_ROWS, EXPORT_GROUP_ROWS};
use crate::month::Month;
use crate::schema;
use crate::socket::Allowance;
use crate::value::Time;
use columns::Group;
use tables::{ALL, Exported};

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its path.
    pub path: PathBuf,
    /// Its rows.
    pub rows: u64,
    /// Its bytes.
    pub bytes: u64,
}

/// Writes the files of one month, or of all that the archive has, into a folder, which is created if it is missing. A file
/// that is there already is replaced once the new one is whole. The files of one month show one moment.
///
/// # Errors
/// The database cannot be read, the folder cannot be written, or the archive has nothing of that month.
pub async fn export(
    url: &ArchiveUrl,
    folder: &Path,
    month: Option<Month>,
    mut progress: impl FnMut(&Written),
) -> Result<Vec<Written>, ArchiveError> {
    let Connected { mut client, allowance, .. } = url.open().await?;
    schema::check_version(&client).await?;
    let all = months(&client).await?;
    let months = match month {
        None => all,
        Some(month) if all.contains(&month) => BTreeSet::from([month]),
        Some(month) => return Err(ArchiveError::NoMonth { month, has: all.first().copied().zip(all.last().copied()) }),
    };
    fs::create_dir_all(folder).map_err(|source| unwritable(folder, source))?;
    let mut written = Vec::new();
    for month in months {
        allowance.renew();
        let transaction = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        let tx = transaction.start().await?;
        for table in &ALL {
            let file = write(&tx, &allowance, table, month, folder).await?;
            progress(&file);
            written.push(file);
        }
        tx.commit().await?;
    }
    Ok(written)
}

/// The months from the first to the last that the archive has shares or links of, and those of events: a node's clock may once have
/// been years off. Those of shares are those of their partitions: no index has their first and their last time.
async fn months(client: &Client) -> Result<BTreeSet<Month>, ArchiveError> {
    let sql = "with part as (
            select relname::text as name from pg_inherits join pg_class on pg_class.oid = inhrelid where inhparent = 'share'::regclass
        ) select (select min(time) from link), (select max(time) from link), (select min(name) from part), (select max(name) from part)";
    let row = client.query_one(sql, &[]).await.map_err(ArchiveError::of_first_read)?;
    let of_links =
        |column| Ok::<_, ArchiveError>(row.try_get::<_, Option<Time>>(column)?.map(|time| Month::of(time.0)));
    let of_shares = |column| {
        let name = row.try_get::<_, Option<&str>>(column)?.and_then(|name| name.strip_prefix("share_"));
        Ok::<_, ArchiveError>(name.and_then(|name| name.replace('_', "-").parse().ok()))
    };
    let first: Option<Month> = [of_links(0)?, of_shares(2)?].into_iter().flatten().min();
    let last = [of_links(1)?, of_shares(3)?].into_iter().flatten().max();
    let all = std::iter::successors(first, |month| Some(month.next())).take_while(|month| Some(*month) <= last);
    let mut months: BTreeSet<Month> = all.collect();
    for row in client.query("select distinct date_trunc('month', time, 'UTC') from event", &[]).await? {
        months.insert(Month::of(row.try_get::<_, Time>(0)?.0));
    }
    Ok(months)
}

/// Writes one file: beside its place first, so that a file with its name is whole.
async fn write(
    tx: &Transaction<'_>,
    allowance: &Allowance,
    table: &'static Exported,
    month: Month,
    folder: &Path,
) -> Result<Written, ArchiveError> {
    let path = folder.join(format!("{}-{month}.parquet", table.name));
    let part = path.with_extension("parquet.part");
    let rows = match fill(tx, allowance, table, month, &part).await {
        Ok(rows) => rows,
        Err(error) => {
            // What is left of it is of no use; the error says what failed.
            let _removed = fs::remove_file(&part).is_ok();
            return Err(error);
        }
    };
    let place = || {
        fs::rename(&part, &path)?;
        File::open(folder)?.sync_all()?;
        Ok(fs::metadata(&path)?.len())
    };
    let bytes = place().map_err(|source| unwritable(&path, source))?;
    Ok(Written { path, rows, bytes })
}

async fn fill(
    tx: &Transaction<'_>,
    allowance: &Allowance,
    table: &'static Exported,
    month: Month,
    part: &Path,
) -> Result<u64, ArchiveError> {
    let file = File::create(part).map_err(|source| unwritable(part, source))?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = SerializedFileWriter::new(file, table.schema()?, properties.into())?;
    let limits = BTreeMap::from([("{from}", month.begins()), ("{to}", month.next().begins())]);
    let sql = limits.iter().fold(table.sql.to_owned(), |sql, (name, time)| sql.replace(name, &format!("'{time}'")));
    let portal = tx.bind(&sql, &[]).await?;
    let (mut group, mut rows) = (Group::new(table), 0_u64);
    loop {
        allowance.renew();
        let fetched = tx.query_portal(&portal, EXPORT_FETCH_ROWS).await?;
        for row in &fetched {
            group.push(row)?;
            rows += 1;
        }
        if fetched.is_empty() || group.rows() >= EXPORT_GROUP_ROWS {
            group.write(&mut writer)?;
        }
        if fetched.is_empty() {
            break;
        }
    }
    let file = writer.into_inner()?;
    file.sync_all().map_err(|source| unwritable(part, source))?;
    Ok(rows)
}

fn unwritable(path: &Path, source: std::io::Error) -> ArchiveError {
    ArchiveError::Write { path: path.to_owned(), source }
}
