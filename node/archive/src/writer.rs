//! Writes batches, each in one transaction together with how far its source was read.
//!
//! Every row has a key that follows from the share-chain alone, or from a node and the number of its event, and a row that is there
//! is left as it is. So a batch may be written twice, by two loaders at once, or after its transaction's fate was lost with a
//! connection: the database ends up with each row once.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::ScriptBuf;
use sharechain::{ChainParams, ShareId};
use tokio_postgres::{Client, Transaction};

use crate::batch::Batch;
use crate::connect::{ArchiveUrl, Connected};
use crate::copy::Way;
use crate::error::ArchiveError;
use crate::limits::{CONFLICTS_MAX, RETRY, SCRIPTS_KNOWN_MAX};
use crate::month::Month;
use crate::rows::Rows;
use crate::schema;
use crate::socket::Allowance;
use crate::tables;

/// How far a source has been loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The node, or what recordings of one network have in common.
    pub source: [u8; 32],
    /// Lines or records that are in the database.
    pub position: u64,
    /// Hash of everything up to there: it tells recordings apart. Zero for nodes.
    pub digest: [u8; 32],
}

/// A connection that writes.
#[derive(Debug)]
pub struct Writer {
    client: Client,
    /// What the server may send.
    allowance: Allowance,
    /// Numbers of scripts in the database.
    scripts: BTreeMap<ScriptBuf, i32>,
    /// Months that have partitions.
    months: BTreeSet<Month>,
    /// How the next batch is written: direct until a row is there already, which happens where two loaders have the same
    /// rows; and again when nothing of a batch was there.
    way: Way,
}

impl Writer {
    /// Connects, and brings the schema up to date.
    ///
    /// # Errors
    /// The server cannot be reached or refuses, or the database is another pool's.
    pub async fn open(url: &ArchiveUrl, params: &ChainParams) -> Result<Self, ArchiveError> {
        let Connected { mut client, allowance, .. } = url.open().await?;
        schema::open(&mut client, params).await?;
        for table in tables::ALL {
            client.batch_execute(&table.staging()).await?;
        }
        Ok(Self { client, allowance, scripts: BTreeMap::new(), months: BTreeSet::new(), way: Way::Direct })
    }

    /// How far a source has been loaded: once for each recording of which a part was.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn cursors(&self, source: [u8; 32]) -> Result<Vec<Cursor>, ArchiveError> {
        self.allowance.renew();
        let sql = "select position, digest from source where source = $1";
        let range = |what| ArchiveError::Range { what };
        let mut cursors = Vec::new();
        for row in self.client.query(sql, &[&&source[..]]).await? {
            let position: i64 = row.try_get(0)?;
            let digest: &[u8] = row.try_get(1)?;
            cursors.push(Cursor {
                source,
                position: u64::try_from(position).map_err(|_| range("source.position"))?,
                digest: digest.try_into().map_err(|_| range("source.digest"))?,
            });
        }
        Ok(cursors)
    }

    /// Writes a batch, and how far its source was read, which replaces `previous`. Returns the number of proofs that the
    /// database did not have.
    ///
    /// # Errors
    /// The server cannot be reached or rejects a row. Nothing of the batch is written then, or all of it was: write it
    /// again.
    pub async fn write(
        &mut self,
        batch: &Batch,
        cursor: &Cursor,
        previous: Option<&Cursor>,
    ) -> Result<u64, ArchiveError> {
        self.allowance.renew();
        let scripts = self.number_scripts(batch).await?;
        self.add_months(batch).await?;
        let mut conflicts = 0;
        loop {
            match self.write_once(batch, &scripts, cursor, previous).await {
                Err(error) if error.is_conflict() && conflicts < CONFLICTS_MAX => {
                    conflicts += 1;
                    tokio::time::sleep(RETRY).await;
                }
                written => return written,
            }
        }
    }

    async fn write_once(
        &mut self,
        batch: &Batch,
        scripts: &[i32],
        cursor: &Cursor,
        previous: Option<&Cursor>,
    ) -> Result<u64, ArchiveError> {
        let mut tx = self.client.transaction().await?;
        Rows { tx: &tx, scripts }.headers(&batch.headers).await?;
        let (new, way) = shares_and_links(&mut tx, batch, scripts, self.way).await?;
        self.way = way;
        let rows = Rows { tx: &tx, scripts };
        rows.reorganizations(&batch.reorganizations).await?;
        rows.blocks(&batch.blocks).await?;
        rows.windows(&batch.windows).await?;
        rows.events(&batch.events, &cursor.source).await?;
        note(&tx, cursor, previous).await?;
        if let Some(tip) = &batch.tip {
            tx.execute("select place_tip($1)", &[&&tip.0[..]]).await?;
        }
        tx.commit().await?;
        Ok(new)
    }

    /// Numbers of the batch's scripts in the database, which gets those that it lacks.
    async fn number_scripts(&mut self, batch: &Batch) -> Result<Vec<i32>, ArchiveError> {
        let mut missing: Vec<&[u8]> =
            batch.scripts.iter().filter(|script| !self.scripts.contains_key(*script)).map(|s| s.as_bytes()).collect();
        if !missing.is_empty() {
            if self.scripts.len() > SCRIPTS_KNOWN_MAX {
                self.scripts.clear();
                missing = batch.scripts.iter().map(|script| script.as_bytes()).collect();
            }
            missing.sort_unstable();
            // Only those that are not there: a conflict would use up a number.
            let sql = "insert into script (script)
                select script from unnest($1::bytea[]) with ordinality as new (script, position)
                where not exists (select from script as old where old.script = new.script)
                order by position on conflict do nothing";
            self.client.execute(sql, &[&missing]).await?;
            let sql = "select script, number from script where script = any($1)";
            for row in self.client.query(sql, &[&missing]).await? {
                self.scripts.insert(ScriptBuf::from_bytes(row.try_get(0)?), row.try_get(1)?);
            }
        }
        let number = |script| self.scripts.get(script).copied().ok_or(ArchiveError::Range { what: "a script" });
        batch.scripts.iter().map(number).collect()
    }

    async fn add_months(&mut self, batch: &Batch) -> Result<(), ArchiveError> {
        let times = batch.shares.iter().map(|share| share.time);
        let new: BTreeSet<Month> = times.map(Month::of).filter(|month| !self.months.contains(month)).collect();
        schema::add_months(&self.client, &new).await?;
        self.months.extend(new);
        Ok(())
    }

    /// Newest link of the main chain in the database, with its height.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn tip(&self) -> Result<Option<(ShareId, u32)>, ArchiveError> {
        let sql = "select id, height from main_link order by height desc limit 1";
        let Some(row) = self.client.query_opt(sql, &[]).await? else { return Ok(None) };
        let range = |what| ArchiveError::Range { what };
        let (id, height): (&[u8], i32) = (row.try_get(0)?, row.try_get(1)?);
        let id = ShareId(id.try_into().map_err(|_| range("link.id"))?);
        Ok(Some((id, u32::try_from(height).map_err(|_| range("link.height"))?)))
    }
}

/// Writes shares and links. Returns the number of new shares, and how the next batch is best written.
async fn shares_and_links(
    tx: &mut Transaction<'_>,
    batch: &Batch,
    scripts: &[i32],
    way: Way,
) -> Result<(u64, Way), ArchiveError> {
    if way == Way::Direct {
        let inner = tx.savepoint("direct").await?;
        match write_facts(&Rows { tx: &inner, scripts }, batch, way).await {
            Ok(new) => {
                inner.commit().await?;
                return Ok((new, way));
            }
            Err(error) if error.is_duplicate() => inner.rollback().await?,
            Err(error) => return Err(error),
        }
    }
    let new = write_facts(&Rows { tx, scripts }, batch, Way::Staged).await?;
    let all_new = usize::try_from(new) == Ok(batch.shares.len());
    Ok((new, if all_new { Way::Direct } else { Way::Staged }))
}

async fn write_facts(rows: &Rows<'_>, batch: &Batch, way: Way) -> Result<u64, ArchiveError> {
    let new = rows.shares(&batch.shares, way).await?;
    rows.links(&batch.links, way).await?;
    Ok(new)
}

/// Notes how far a source has been loaded.
async fn note(tx: &Transaction<'_>, cursor: &Cursor, previous: Option<&Cursor>) -> Result<(), ArchiveError> {
    if let Some(previous) = previous.filter(|previous| previous.digest != cursor.digest) {
        let sql = "delete from source where source = $1 and digest = $2";
        tx.execute(sql, &[&&previous.source[..], &&previous.digest[..]]).await?;
    }
    let position = i64::try_from(cursor.position).map_err(|_| ArchiveError::Range { what: "a position" })?;
    let sql = "insert into source (source, position, digest) values ($1, $2, $3)
        on conflict (source, digest) do update set position = excluded.position, updated_at = now()";
    tx.execute(sql, &[&&cursor.source[..], &position, &&cursor.digest[..]]).await?;
    Ok(())
}
