//! Bitcoin headers that the share-chain was built on.

use bitcoin::block::Header as BitcoinHeader;
use bitcoin::consensus::encode::deserialize;
use sharechain::ShareId;
use tokio_postgres::Row;

use super::links::{id, number};
use super::pool::Archive;
use crate::error::ArchiveError;

/// A Bitcoin header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Hash of its block.
    pub hash: ShareId,
    /// Height of its block.
    pub height: u32,
    /// The header.
    pub header: BitcoinHeader,
}

impl Header {
    fn read(row: &Row) -> Result<Self, ArchiveError> {
        let content: &[u8] = row.try_get(2)?;
        let header = deserialize(content).map_err(|_| ArchiveError::Range { what: "a Bitcoin header" })?;
        Ok(Self { hash: id(row, 0)?, height: number(row, 1)?, header })
    }
}

impl Archive {
    /// The header with the most work; none if the archive has none.
    ///
    /// # Errors
    /// The database cannot be read. So below.
    pub async fn best_header(&self) -> Result<Option<Header>, ArchiveError> {
        let sql =
            "select hash, height, content from (select * from bitcoin_header order by height desc limit 100) as high
            order by chain_work desc, hash limit 1";
        let row = self.row(sql, &[]).await?;
        row.as_ref().map(Header::read).transpose()
    }

    /// A header and those below it, highest first. At most `count`.
    ///
    /// # Errors
    /// As [`Archive::best_header`].
    pub async fn headers_down(&self, from: &ShareId, count: i32) -> Result<Vec<Header>, ArchiveError> {
        let sql = "with recursive down as (
                select hash, height, content, previous, 1 as position from bitcoin_header where hash = $1
                union all
                select header.hash, header.height, header.content, header.previous, down.position + 1
                from down join bitcoin_header as header on header.hash = down.previous where down.position < $2
            ) select hash, height, content from down order by position";
        let rows = self.rows(sql, &[&&from.0[..], &count]).await?;
        rows.iter().map(Header::read).collect()
    }
}
