//! Bitcoin blocks of the pool, and what they pay.

use bitcoin::{Amount, ScriptBuf, TxOut};
use sharechain::ShareId;
use sharechain::payout_proof::BlockWindow;
use tokio_postgres::Row;

use super::links::{height, id, number, time, unsigned};
use super::pool::Archive;
use crate::error::ArchiveError;

/// A Bitcoin block of the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its hash.
    pub hash: ShareId,
    /// Its height.
    pub height: u32,
    /// Its previous block.
    pub previous: ShareId,
    /// Time of its header, seconds since 1970.
    pub time: u32,
    /// Payout script of its finder.
    pub finder: ScriptBuf,
    /// Subsidy and fees, satoshi.
    pub value_sat: u64,
    /// Number of outputs that pay miners.
    pub outputs: u64,
    /// Number of leading payouts that are proportional.
    pub exact: Option<u32>,
    /// The snapshot: the link up to which work counted.
    pub snapshot: ShareId,
    /// Seed of the lottery: the hash of an earlier Bitcoin block.
    pub seed: ShareId,
    /// The coinbase as hashed for its txid; empty in lists.
    pub coinbase: Vec<u8>,
    /// Its encoded proof; empty in lists.
    pub proof: Vec<u8>,
}

/// A payout to a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paid {
    /// Hash of the block.
    pub block: ShareId,
    /// Height of the block.
    pub height: u32,
    /// Time of the block's header, seconds since 1970.
    pub time: u32,
    /// Amount, satoshi.
    pub value_sat: u64,
    /// True for a lottery payout.
    pub drawn: bool,
    /// True if the block pays its finder alone.
    pub finder_alone: bool,
}

/// Columns of [`Block`], the long ones as `$long` has them. `$which` says which blocks.
macro_rules! blocks {
    ($long:literal, $which:literal) => {
        concat!(
            "select block.hash, block.height, block.previous, block.time, script.script, block.value_sat, ",
            "(select count(*) from payout where payout.block = block.hash), block.exact, block.snapshot, block.seed, ",
            $long,
            " from block join script on script.number = block.finder ",
            $which
        )
    };
}

impl Block {
    fn read(row: &Row) -> Result<Self, ArchiveError> {
        let exact: Option<i32> = row.try_get(7)?;
        Ok(Self {
            hash: id(row, 0)?,
            height: number(row, 1)?,
            previous: id(row, 2)?,
            time: time(row, 3)?,
            finder: ScriptBuf::from_bytes(row.try_get(4)?),
            value_sat: unsigned(row.try_get::<_, i64>(5)?, "a coinbase's value")?,
            outputs: unsigned(row.try_get::<_, i64>(6)?, "a number of payouts")?,
            exact: exact.map(|exact| unsigned(exact, "a number of payouts")).transpose()?,
            snapshot: id(row, 8)?,
            seed: id(row, 9)?,
            coinbase: row.try_get(10)?,
            proof: row.try_get(11)?,
        })
    }
}

impl Archive {
    /// Blocks from a height down, highest first, after the first `skip` at that height.
    ///
    /// # Errors
    /// The database cannot be read. So below.
    pub async fn blocks_down(&self, from: u32, skip: u32, count: usize) -> Result<Vec<Block>, ArchiveError> {
        let sql = blocks!(
            "''::bytea, ''::bytea",
            "where block.height <= $1 order by block.height desc, block.hash limit $2
             offset least($3, (select count(*) from block where height = $1))"
        );
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let rows = self.rows(sql, &[&height(from), &count, &i64::from(skip)]).await?;
        rows.iter().map(Block::read).collect()
    }

    /// The block with a hash.
    ///
    /// # Errors
    /// As [`Archive::blocks_down`].
    pub async fn block(&self, hash: &ShareId) -> Result<Option<Block>, ArchiveError> {
        let row = self.row(blocks!("block.coinbase, block.proof", "where block.hash = $1"), &[&&hash.0[..]]).await?;
        row.as_ref().map(Block::read).transpose()
    }

    /// Hashes of the pool's blocks at a Bitcoin height.
    ///
    /// # Errors
    /// As [`Archive::blocks_down`].
    pub async fn blocks_at(&self, at: u32) -> Result<Vec<ShareId>, ArchiveError> {
        let rows = self.rows("select hash from block where height = $1 order by hash", &[&height(at)]).await?;
        rows.iter().map(|row| id(row, 0)).collect()
    }

    /// Hashes, heights and times of the newest blocks.
    ///
    /// # Errors
    /// As [`Archive::blocks_down`].
    pub async fn block_times(&self, count: usize) -> Result<Vec<(ShareId, u32, u32)>, ArchiveError> {
        let sql = "select hash, height, time from block order by height desc, hash limit $1";
        let rows = self.rows(sql, &[&i64::try_from(count).unwrap_or(i64::MAX)]).await?;
        rows.iter().map(|row| Ok((id(row, 0)?, number(row, 1)?, time(row, 2)?))).collect()
    }

    /// The newest of the pool's blocks at lower heights than one.
    ///
    /// # Errors
    /// As [`Archive::blocks_down`].
    pub async fn block_before(&self, at: u32) -> Result<Option<(ShareId, u32)>, ArchiveError> {
        let sql = "select hash, time from block where height < $1 order by height desc, hash limit 1";
        let row = self.row(sql, &[&height(at)]).await?;
        row.map(|row| Ok((id(&row, 0)?, time(&row, 1)?))).transpose()
    }

    /// Payouts of a block, in coinbase order.
    ///
    /// # Errors
    /// As [`Archive::blocks_down`].
    pub async fn payouts(&self, hash: &ShareId) -> Result<Vec<TxOut>, ArchiveError> {
        let sql = "select payout.value_sat, script.script from payout join script on script.number = payout.script
            where payout.block = $1 order by payout.position";
        let rows = self.rows(sql, &[&&hash.0[..]]).await?;
        let output = |row: &Row| {
            let value = Amount::from_sat(unsigned(row.try_get::<_, i64>(0)?, "a payout")?);
            Ok(TxOut { value, script_pubkey: ScriptBuf::from_bytes(row.try_get(1)?) })
        };
        rows.iter().map(output).collect()
    }

    /// Payouts to a script, highest block first, after the first `skip` at that height.
    ///
    /// # Errors
    /// As [`Archive::blocks_down`].
    pub async fn payments(
        &self,
        script: &ScriptBuf,
        from: u32,
        skip: u32,
        count: usize,
    ) -> Result<Vec<Paid>, ArchiveError> {
        let sql = "select block.hash, block.height, block.time, payout.value_sat, payout.drawn,
                payout.script = block.finder and
                    not exists (select from payout other where other.block = block.hash and other.position > 0)
            from payout join block on block.hash = payout.block
            where payout.script = (select number from script where script.script = $1) and block.height <= $2
            order by block.height desc, block.hash, payout.position limit $3
            offset least($4, (select count(*) from block join payout on payout.block = block.hash
                where block.height = $2 and payout.script = (select number from script where script.script = $1)))";
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let rows = self.rows(sql, &[&script.as_bytes(), &height(from), &count, &i64::from(skip)]).await?;
        let paid = |row: &Row| {
            Ok(Paid {
                block: id(row, 0)?,
                height: number(row, 1)?,
                time: time(row, 2)?,
                value_sat: unsigned(row.try_get::<_, i64>(3)?, "a payout")?,
                drawn: row.try_get(4)?,
                finder_alone: row.try_get(5)?,
            })
        };
        rows.iter().map(paid).collect()
    }

    /// What payout proofs of a block are made from; none if the archive does not have it.
    ///
    /// # Errors
    /// As [`Archive::blocks_down`].
    pub async fn window(&self, block: &ShareId) -> Result<Option<BlockWindow>, ArchiveError> {
        let row = self.row("select content from block_window where block = $1", &[&&block.0[..]]).await?;
        let Some(row) = row else { return Ok(None) };
        let window = BlockWindow::decode(row.try_get(0)?);
        window.map(Some).map_err(|_| ArchiveError::Range { what: "the window of a block" })
    }

    /// Number and value of the blocks since each of these times, seconds since 1970.
    ///
    /// # Errors
    /// As [`Archive::blocks_down`].
    pub async fn counts(&self, since: [u32; 2]) -> Result<[(u64, u64); 3], ArchiveError> {
        let sql =
            "select count(*) filter (where time >= $1), coalesce(sum(value_sat) filter (where time >= $1), 0)::int8,
            count(*) filter (where time >= $2), coalesce(sum(value_sat) filter (where time >= $2), 0)::int8,
            count(*), coalesce(sum(value_sat), 0)::int8 from block";
        let [day, week] = since.map(crate::value::Time);
        let Some(row) = self.row(sql, &[&day, &week]).await? else { return Ok([(0, 0); 3]) };
        let of = |column| unsigned(row.try_get::<_, i64>(column)?, "a number of blocks");
        Ok([(of(0)?, of(1)?), (of(2)?, of(3)?), (of(4)?, of(5)?)])
    }
}
