//! Rows into tables: binary COPY straight into the table while nothing of the batch is there, which costs half. Otherwise
//! into a temporary table, and from there those that the table does not have yet.
//!
//! Within a transaction, tables come in one order and rows in another that follows from the rows alone. So two loaders with the
//! same rows wait for each other, and never both. Shares come in the order of their times and links in that of their heights:
//! readers ask for times and heights, and find neighbors on the same pages. In the order of their keys, which are hashes, the
//! 50,000 rows of a transaction would be shuffled.

use std::pin::Pin;

use tokio_postgres::Transaction;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use crate::error::ArchiveError;

/// A table, with the columns that a loader writes.
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: &'static str,
    /// Its columns, with their types.
    pub(crate) columns: &'static [(&'static str, Type)],
    /// What happens to a row that is there already.
    pub(crate) on_conflict: &'static str,
}

/// The way of rows into a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Straight into it. A row that is there ends the copy with an error.
    Direct,
    /// Through a temporary table. A row that is there stays.
    Staged,
}

/// A running copy.
pub(crate) type Copy = Pin<Box<BinaryCopyInWriter>>;

/// One value of a row.
pub(crate) type Value<'a> = &'a (dyn ToSql + Sync);

impl Table {
    fn names(&self) -> String {
        self.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    }

    /// Statement that creates the temporary table of a connection.
    pub(crate) fn staging(&self) -> String {
        let Self { name, .. } = self;
        let names = self.names();
        format!("create temp table new_{name} on commit delete rows as select {names} from {name} with no data")
    }

    /// Starts a copy.
    pub(crate) async fn copy(&self, tx: &Transaction<'_>, way: Way) -> Result<Copy, ArchiveError> {
        let into = if way == Way::Direct { "" } else { "new_" };
        let sql = format!("copy {into}{} ({}) from stdin (format binary)", self.name, self.names());
        let sink = tx.copy_in(&sql).await?;
        let types: Vec<Type> = self.columns.iter().map(|(_, kind)| kind.clone()).collect();
        Ok(Box::pin(BinaryCopyInWriter::new(sink, &types)))
    }

    /// Ends a copy, and moves the rows that are new into the table. Returns their number.
    pub(crate) async fn finish(&self, tx: &Transaction<'_>, mut copy: Copy, way: Way) -> Result<u64, ArchiveError> {
        let copied = copy.as_mut().finish().await?;
        if way == Way::Direct {
            return Ok(copied);
        }
        let Self { name, on_conflict, .. } = self;
        let names = self.names();
        let sql = format!("insert into {name} ({names}) select {names} from new_{name} on conflict {on_conflict}");
        Ok(tx.execute(&sql, &[]).await?)
    }
}

/// Adds a row to a copy.
pub(crate) async fn add(copy: &mut Copy, row: &[Value<'_>]) -> Result<(), ArchiveError> {
    Ok(copy.as_mut().write(row).await?)
}
