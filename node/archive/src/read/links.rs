//! Links of all branches, their lists and credits, and the main chain.

use bitcoin::ScriptBuf;
use sharechain::{ShareId, U256};
use tokio_postgres::Row;

use super::pool::Archive;
use crate::error::ArchiveError;
use crate::value::{Numeric, Time};

/// A complete link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its id.
    pub id: ShareId,
    /// The link below it.
    pub parent: ShareId,
    /// Time in its share header, seconds since 1970.
    pub time: u32,
    /// Height in the share-chain.
    pub height: u32,
    /// Height that it would have as a Bitcoin block.
    pub bitcoin_height: u32,
    /// Its previous Bitcoin block.
    pub previous_block: ShareId,
    /// Expected hashes to find a link at its position.
    pub link_hashes: U256,
    /// Expected hashes to find a share on it.
    pub share_hashes: U256,
    /// Number of ids that it lists; none if the archive does not have its list.
    pub listed: Option<u32>,
    /// Its finder's script, if the archive has its proof.
    pub finder: Option<ScriptBuf>,
    /// True if it is on the main chain.
    pub is_main: bool,
}

/// What a link credits: script, number of proofs, weight.
pub type Credits = Vec<(ScriptBuf, u64, u128)>;

/// What a link credits, by numbers of scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sorted {
    /// Height of the link.
    pub height: u32,
    /// Script, number of proofs, weight.
    pub credits: Vec<(i32, u64, u128)>,
}

/// A change of the tip by which links lost their places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reorganization {
    /// Time in the new tip's share header, seconds since 1970.
    pub time: u32,
    /// Height of the last link that both branches have in common.
    pub fork_height: u32,
    /// Number of links that lost their places.
    pub left: u32,
    /// Number of links that got a place.
    pub entered: u32,
    /// The tip before.
    pub old: ShareId,
    /// The tip after.
    pub new: ShareId,
}

/// Columns of [`Link`]. `$shape` says which links.
macro_rules! links {
    ($shape:literal) => {
        concat!(
            "select link.id, link.parent, link.time, link.height, link.bitcoin_height, link.previous_block, ",
            "link.link_hashes, link.share_hashes, octet_length(link.list) / 32, ",
            "(select script.script from share join script on script.number = share.script ",
            "where share.key = link.key and share.time = link.time), ",
            "coalesce((select place.link = link.key from place where place.height = link.height), false) ",
            "from link ",
            $shape
        )
    };
}

/// A number that the schema has as a signed one.
pub(crate) fn unsigned<T: TryFrom<i64>>(value: impl Into<i64>, what: &'static str) -> Result<T, ArchiveError> {
    value.into().try_into().map_err(|_| ArchiveError::Range { what })
}

/// A height for a statement: one above all is none.
pub(crate) fn height(height: u32) -> i32 {
    i32::try_from(height).unwrap_or(i32::MAX)
}

pub(crate) fn id(row: &Row, column: usize) -> Result<ShareId, ArchiveError> {
    let bytes: &[u8] = row.try_get(column)?;
    Ok(ShareId(bytes.try_into().map_err(|_| ArchiveError::Range { what: "an id" })?))
}

pub(crate) fn time(row: &Row, column: usize) -> Result<u32, ArchiveError> {
    Ok(row.try_get::<_, Time>(column)?.0)
}

pub(crate) fn number<T: TryFrom<i64>>(row: &Row, column: usize) -> Result<T, ArchiveError> {
    unsigned(row.try_get::<_, i32>(column)?, "a number")
}

pub(crate) fn weight(value: Numeric) -> Result<u128, ArchiveError> {
    u128::try_from(value.0).map_err(|_| ArchiveError::Range { what: "a weight" })
}

impl Link {
    fn read(row: &Row) -> Result<Self, ArchiveError> {
        let listed: Option<i32> = row.try_get(8)?;
        Ok(Self {
            id: id(row, 0)?,
            parent: id(row, 1)?,
            time: time(row, 2)?,
            height: number(row, 3)?,
            bitcoin_height: number(row, 4)?,
            previous_block: id(row, 5)?,
            link_hashes: row.try_get::<_, Numeric>(6)?.0,
            share_hashes: row.try_get::<_, Numeric>(7)?.0,
            listed: listed.map(|listed| unsigned(listed, "a list")).transpose()?,
            finder: row.try_get::<_, Option<Vec<u8>>>(9)?.map(ScriptBuf::from_bytes),
            is_main: row.try_get(10)?,
        })
    }
}

fn all(rows: &[Row]) -> Result<Vec<Link>, ArchiveError> {
    rows.iter().map(Link::read).collect()
}

impl Archive {
    /// The newest link of the main chain; none before the first.
    ///
    /// # Errors
    /// The database cannot be read. So below.
    pub async fn tip(&self) -> Result<Option<Link>, ArchiveError> {
        let sql = links!("where link.key = (select place.link from place order by place.height desc limit 1)");
        Ok(all(&self.rows(sql, &[]).await?)?.pop())
    }

    /// Links of the main chain from a height down, highest first.
    ///
    /// # Errors
    /// As [`Archive::tip`].
    pub async fn links_down(&self, from: u32, count: usize) -> Result<Vec<Link>, ArchiveError> {
        let sql =
            links!("join place on place.link = link.key where place.height <= $1 order by place.height desc limit $2");
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        all(&self.rows(sql, &[&height(from), &count]).await?)
    }

    /// The link with an id.
    ///
    /// # Errors
    /// As [`Archive::tip`].
    pub async fn link(&self, wanted: &ShareId) -> Result<Option<Link>, ArchiveError> {
        let sql = links!("where link.key = share_key($1) and link.id = $1");
        Ok(all(&self.rows(sql, &[&&wanted.0[..]]).await?)?.pop())
    }

    /// The main chain's link at a height.
    ///
    /// # Errors
    /// As [`Archive::tip`].
    pub async fn link_at(&self, at: u32) -> Result<Option<Link>, ArchiveError> {
        let sql = links!("where link.key = (select place.link from place where place.height = $1)");
        Ok(all(&self.rows(sql, &[&height(at)]).await?)?.pop())
    }

    /// Links of all branches at some heights, lowest first.
    ///
    /// # Errors
    /// As [`Archive::tip`].
    pub async fn branches(&self, from: u32, to: u32) -> Result<Vec<Link>, ArchiveError> {
        let sql = links!("where link.height between $1 and $2 order by link.height, link.id limit 1000");
        all(&self.rows(sql, &[&height(from), &height(to)]).await?)
    }

    /// A link on another one, for what it says of its parent; of the main chain if it has one.
    ///
    /// # Errors
    /// As [`Archive::tip`].
    pub async fn child(&self, of: &Link) -> Result<Option<Link>, ArchiveError> {
        let sql = links!("where link.height = $1 and link.parent = $2 limit 1");
        let above = of.height.saturating_add(1);
        Ok(all(&self.rows(sql, &[&height(above), &&of.id.0[..]]).await?)?.pop())
    }

    /// The ids that a link lists; none if the archive does not have its list.
    ///
    /// # Errors
    /// As [`Archive::tip`].
    pub async fn list(&self, of: &ShareId) -> Result<Option<Vec<ShareId>>, ArchiveError> {
        let row = self.row("select list from link where key = share_key($1) and id = $1", &[&&of.0[..]]).await?;
        let Some(row) = row else { return Ok(None) };
        let list: Option<&[u8]> = row.try_get(0)?;
        Ok(list.map(|list| list.as_chunks().0.iter().map(|id| ShareId(*id)).collect()))
    }

    /// What a link credits, by script.
    ///
    /// # Errors
    /// As [`Archive::tip`].
    pub async fn credits(&self, of: &ShareId) -> Result<Credits, ArchiveError> {
        let sql = "select script.script, credited.proofs, credited.weight from link cross join lateral
            unnest(credit_scripts, credit_proofs, credit_weights) as credited (script, proofs, weight)
            join script on script.number = credited.script where link.key = share_key($1) and link.id = $1";
        let rows = self.rows(sql, &[&&of.0[..]]).await?;
        let credit = |row: &Row| {
            let proofs = unsigned(i32::from(row.try_get::<_, i16>(1)?), "a number of proofs")?;
            Ok((ScriptBuf::from_bytes(row.try_get(0)?), proofs, weight(row.try_get(2)?)?))
        };
        rows.iter().map(credit).collect()
    }

    /// What links of the main chain credit, highest first.
    ///
    /// # Errors
    /// As [`Archive::tip`].
    pub async fn credits_down(&self, from: u32, to: u32) -> Result<Vec<Sorted>, ArchiveError> {
        let sql = "select place.height, credit_scripts, credit_proofs, credit_weights
            from place join link on link.key = place.link where place.height between $1 and $2 order by place.height desc";
        let rows = self.rows(sql, &[&height(to), &height(from)]).await?;
        let link = |row: &Row| {
            let (scripts, proofs): (Vec<i32>, Vec<i16>) = (row.try_get(1)?, row.try_get(2)?);
            let weights: Vec<Numeric> = row.try_get(3)?;
            let credits = scripts.into_iter().zip(proofs).zip(weights).map(|((script, proofs), of)| {
                Ok((script, unsigned(i32::from(proofs), "a number of proofs")?, weight(of)?))
            });
            Ok(Sorted { height: number(row, 0)?, credits: credits.collect::<Result<_, ArchiveError>>()? })
        };
        rows.iter().map(link).collect()
    }

    /// Scripts by their numbers.
    ///
    /// # Errors
    /// As [`Archive::tip`].
    pub async fn scripts(&self, numbers: &[i32]) -> Result<Vec<(i32, ScriptBuf)>, ArchiveError> {
        let rows = self.rows("select number, script from script where number = any ($1)", &[&numbers]).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, ScriptBuf::from_bytes(row.try_get(1)?)))).collect()
    }

    /// Number of proofs that links of the main chain credit from one height up to another, both included (SC-304). None if
    /// the archive lacks a list of them.
    ///
    /// # Errors
    /// As [`Archive::tip`].
    pub async fn listed(&self, from: u32, to: u32) -> Result<Option<u64>, ArchiveError> {
        let sql = "select sum(octet_length(list) / 32 + 1)::int8, count(list) = count(*) from place join link on link.key = place.link
            where place.height between $1 and $2";
        let Some(row) = self.row(sql, &[&height(from), &height(to)]).await? else { return Ok(None) };
        let (sum, is_whole): (Option<i64>, bool) = (row.try_get(0)?, row.try_get(1)?);
        sum.filter(|_| is_whole).map(|sum| unsigned(sum, "a number of proofs")).transpose()
    }

    /// Time of the first link, seconds since 1970.
    ///
    /// # Errors
    /// As [`Archive::tip`].
    pub async fn lowest_time(&self) -> Result<Option<u32>, ArchiveError> {
        let row = self.row("select time from link order by time limit 1", &[]).await?;
        row.map(|row| time(&row, 0)).transpose()
    }

    /// Lowest height of the main chain in the archive.
    ///
    /// # Errors
    /// As [`Archive::tip`].
    pub async fn lowest(&self) -> Result<Option<u32>, ArchiveError> {
        let row = self.row("select height from place order by height limit 1", &[]).await?;
        row.map(|row| number(&row, 0)).transpose()
    }

    /// Number of links of the main chain that each script found, from a height up.
    ///
    /// # Errors
    /// As [`Archive::tip`].
    pub async fn finders(&self, from: u32) -> Result<Vec<u32>, ArchiveError> {
        let sql = "select count(*)::int4 from (
                select (select share.script from share where share.key = link.key and share.time = link.time) as script
                from place join link on link.key = place.link where place.height >= $1
            ) as found where script is not null group by script";
        let rows = self.rows(sql, &[&height(from)]).await?;
        rows.iter().map(|row| number(row, 0)).collect()
    }

    /// Reorganizations from a time down, newest first, after the first `skip` of that time.
    ///
    /// # Errors
    /// As [`Archive::tip`].
    pub async fn reorganizations(
        &self,
        (from, skip): (u32, u32),
        count: usize,
    ) -> Result<Vec<Reorganization>, ArchiveError> {
        let sql = "select time, fork_height, left_links, entered_links, old_tip, new_tip from reorganization
            where time <= $1 order by time desc, new_tip, old_tip limit $2
            offset least($3, (select count(*) from reorganization where time = $1))";
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let rows = self.rows(sql, &[&Time(from), &count, &i64::from(skip)]).await?;
        let one = |row: &Row| {
            Ok(Reorganization {
                time: time(row, 0)?,
                fork_height: number(row, 1)?,
                left: number(row, 2)?,
                entered: number(row, 3)?,
                old: id(row, 4)?,
                new: id(row, 5)?,
            })
        };
        rows.iter().map(one).collect()
    }

    /// The place after a reorganization in that list: its time, and the number of those to skip. None if it is not there.
    ///
    /// # Errors
    /// As [`Archive::tip`].
    pub async fn reorganization_place(&self, old: &ShareId, new: &ShareId) -> Result<Option<(u32, u32)>, ArchiveError> {
        let sql = "select time, (select count(*) from reorganization as other
                where other.time = this.time and (other.new_tip, other.old_tip) <= (this.new_tip, this.old_tip))
            from reorganization as this where new_tip = $1 and old_tip = $2";
        let row = self.row(sql, &[&&new.0[..], &&old.0[..]]).await?;
        row.map(|row| Ok((time(&row, 0)?, unsigned(row.try_get::<_, i64>(1)?, "a number of reorganizations")?)))
            .transpose()
    }
}
