//! Shares, and the links of the main chain that list them.

use std::collections::HashSet;

use bitcoin::ScriptBuf;
use sharechain::ShareId;
use tokio_postgres::Row;

use super::links::{height, id, number, time, unsigned, weight};
use super::listed::{Found, PendingShare, found, key};
use super::pool::Archive;
use crate::error::ArchiveError;
use crate::limits::PENDING_LINKS;
use crate::value::Time;

/// A valid share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Its id.
    pub id: ShareId,
    /// The link that it extends; none if that is genesis, or on a branch that never became complete.
    pub parent: Option<ShareId>,
    /// Time in its share header, seconds since 1970.
    pub time: u32,
    /// Height in the share-chain.
    pub height: u32,
    /// Height that it would have as a Bitcoin block.
    pub bitcoin_height: u32,
    /// Sum of its coinbase's outputs, satoshi.
    pub coinbase_value: u64,
    /// Script that earns.
    pub script: ScriptBuf,
    /// Weight that it earns if it is listed in time, units of 2^-64 expected Bitcoin block.
    pub weight: u128,
    /// Expected hashes to find a share at its position.
    pub hashes: u128,
    /// True for a link.
    pub is_link: bool,
    /// True for a Bitcoin block.
    pub is_block: bool,
    /// The link of the main chain that it is, or that lists it, and its height.
    pub listed_in: Option<(ShareId, u32)>,
}

// What is looked up for each row is a subquery: as a join, the server may read a whole table instead.

/// Columns of [`Share`] from `found`, with what lists it: at most `$1` links above it.
macro_rules! shares {
    ($found:literal) => {
        concat!(
            "select found.id, (select link.id from link where link.key = found.parent), ",
            "found.time, found.height, found.bitcoin_height, found.coinbase_value, ",
            "(select script.script from script where script.number = found.script), ",
            "found.weight, found.hashes, found.is_link, found.is_block, placed.link is not null, listing.id, listing.height ",
            "from (",
            $found,
            ") as found ",
            "left join place as placed on found.is_link and placed.height = found.height and placed.link = found.key ",
            "left join lateral (select link.id, place.height from place join link on link.key = place.link ",
            "where placed.link is null and place.height >= found.height and place.height <= found.height + $1 ",
            "and position(found.id in link.list) > 0 order by place.height limit 1) as listing on true ",
            "order by found.height desc, found.time desc, found.key desc"
        )
    };
}

impl Share {
    fn read(row: &Row) -> Result<Self, ArchiveError> {
        let own = (id(row, 0)?, number(row, 3)?);
        let listed = match row.try_get::<_, Option<i32>>(13)? {
            Some(height) => Some((id(row, 12)?, unsigned(height, "a height")?)),
            None => None,
        };
        Ok(Self {
            id: own.0,
            parent: if row.try_get::<_, Option<&[u8]>>(1)?.is_some() { Some(id(row, 1)?) } else { None },
            time: time(row, 2)?,
            height: own.1,
            bitcoin_height: number(row, 4)?,
            coinbase_value: unsigned(row.try_get::<_, i64>(5)?, "a coinbase's value")?,
            script: ScriptBuf::from_bytes(row.try_get(6)?),
            weight: weight(row.try_get(7)?)?,
            hashes: weight(row.try_get(8)?)?,
            is_link: row.try_get(9)?,
            is_block: row.try_get(10)?,
            listed_in: if row.try_get(11)? { Some(own) } else { listed },
        })
    }
}

impl Archive {
    /// The shares with these ids. `depth` is the greatest difference in height to a link that may list them.
    ///
    /// # Errors
    /// The database cannot be read. So below.
    pub async fn shares(&self, wanted: &[ShareId], depth: u32) -> Result<Vec<Share>, ArchiveError> {
        let sql = shares!("select * from share where key = any ($2) and id = any ($3)");
        let keys: Vec<i64> = wanted.iter().map(key).collect();
        let ids: Vec<&[u8]> = wanted.iter().map(|id| &id.0[..]).collect();
        let rows = self.rows(sql, &[&height(depth), &keys, &ids]).await?;
        rows.iter().map(Share::read).collect()
    }

    /// The share with an id.
    ///
    /// # Errors
    /// As [`Archive::shares`].
    pub async fn share(&self, wanted: &ShareId, depth: u32) -> Result<Option<Share>, ArchiveError> {
        Ok(self.shares(&[*wanted], depth).await?.pop())
    }

    /// Shares of a script from a height down, highest first, after the first `skip` at that height.
    ///
    /// # Errors
    /// As [`Archive::shares`].
    pub async fn shares_of(
        &self,
        script: &ScriptBuf,
        (from, skip): (u32, u32),
        count: usize,
        depth: u32,
    ) -> Result<Vec<Share>, ArchiveError> {
        let sql = shares!(
            "select * from share where script = (select number from script where script.script = $2) and height <= $3
             order by height desc, time desc, key desc limit $4 offset least($5, (select count(*) from share
             where script = (select number from script where script.script = $2) and height = $3))"
        );
        let (count, skip) = (i64::try_from(count).unwrap_or(i64::MAX), i64::from(skip));
        let rows = self.rows(sql, &[&height(depth), &script.as_bytes(), &height(from), &count, &skip]).await?;
        rows.iter().map(Share::read).collect()
    }

    /// Place of the newest share of a script from before a time, in the list of [`Archive::shares_of`]: its height, and the number of
    /// its shares at that height that are not from before.
    ///
    /// # Errors
    /// As [`Archive::shares`].
    pub async fn share_before(&self, script: &ScriptBuf, before: u32) -> Result<Option<(u32, u32)>, ArchiveError> {
        let sql = "with last as (
                select script, height from share
                where script = (select number from script where script.script = $1) and time < $2 and height <= coalesce(
                    (select height + 60 from link where time >= $2 order by time limit 1), (select max(height) + 1 from link))
                order by height desc limit 1
            ) select height, (select count(*) from share
                where share.script = last.script and share.height = last.height and time >= $2) from last";
        let row = self.row(sql, &[&script.as_bytes(), &Time(before)]).await?;
        row.map(|row| Ok((number(&row, 0)?, unsigned(row.try_get::<_, i64>(1)?, "a number of shares")?))).transpose()
    }

    /// Shares near the tip that no link lists yet.
    ///
    /// # Errors
    /// As [`Archive::shares`].
    pub async fn pending(&self, tip: u32) -> Result<Vec<PendingShare>, ArchiveError> {
        let from = height(tip.saturating_sub(PENDING_LINKS));
        let sql = "select list, time, id from place join link on link.key = place.link where place.height > $1 order by place.height";
        let rows = self.rows(sql, &[&from]).await?;
        let Some(first) = rows.first() else { return Ok(Vec::new()) };
        let since = Time(time(first, 1)?);
        let mut listed = HashSet::new();
        for row in &rows {
            listed.insert(id(row, 2)?);
            let list: Option<&[u8]> = row.try_get(0)?;
            listed.extend(list.unwrap_or_default().as_chunks().0.iter().map(|id| ShareId(*id)));
        }
        let mut waiting = Vec::new();
        for row in &self.rows(found!("time >= $1 and height > $2 order by height, time, key"), &[&since, &from]).await?
        {
            waiting.push(Found::read(row)?);
        }
        waiting.retain(|share| !listed.contains(&share.id));
        self.named(waiting).await
    }

    /// Ids of shares that begin with these bytes, links and blocks included. At most `count`.
    ///
    /// # Errors
    /// As [`Archive::shares`].
    pub async fn shares_like(&self, begins: &[u8], count: usize) -> Result<Vec<ShareId>, ArchiveError> {
        let key = |fill: u8| {
            let mut bytes = [fill; 8];
            bytes.iter_mut().zip(begins).for_each(|(byte, known)| *byte = *known);
            i64::from_be_bytes(bytes)
        };
        let sql =
            "select id from share where key between $1 and $2 and substr(id, 1, octet_length($3::bytea)) = $3 limit $4";
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let rows = self.rows(sql, &[&key(0), &key(u8::MAX), &begins, &count]).await?;
        rows.iter().map(|row| id(row, 0)).collect()
    }
}
